"""A file that takes another's place: links are followed, and what is no plain file stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from counselgraph.errors import InputError
from counselgraph.runner.writers import Draft, replaceable


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "folder" / "file.jsonl", tmp_path / "link.jsonl"
    file.parent.mkdir()
    file.write_text("before")
    link.symlink_to(file)
    draft = Draft(link)
    draft.write(b"after")
    assert file.read_text() == "before"
    draft.settle()
    draft.take_place()
    draft.discard()
    assert link.is_symlink()
    assert file.read_text() == "after"
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["file.jsonl", "folder", "link.jsonl"]


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout", "/proc/self/fd/1"])
def test_devices_are_refused_whatever_they_lead_to(name: str) -> None:
    with pytest.raises(InputError, match="is no plain file"):
        replaceable(Path(name))


def test_pipes_and_folders_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no plain file"):
        Draft(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a folder"):
        Draft(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]
