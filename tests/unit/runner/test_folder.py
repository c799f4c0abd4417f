from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from counselgraph import __version__
from counselgraph.errors import InputError
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.log import NOTICE
from counselgraph.runner.spec import RunSpec


def test_a_new_folder_says_what_it_holds(tmp_path: Path) -> None:
    folder, spec = RunFolder(tmp_path / "deep" / "out"), RunSpec(seed=4, out=tmp_path)
    found = folder.prepare(spec, {"vllm/m": {"served": ["m"]}})
    assert found == folder.read() == yaml.safe_load(folder.manifest.read_text(encoding="utf-8"))
    assert found["notice"] == NOTICE
    assert found["versions"]["counselgraph"] == __version__
    assert found["servers"] == {"vllm/m": {"served": ["m"]}}
    assert folder.spec() == spec
    assert all(place.is_dir() for place in (folder.sessions, folder.texts, folder.journals))
    assert sorted(path.name for path in folder.path.iterdir()) == ["journal", "run.yaml", "sessions", "texts"]


def test_the_same_spec_continues_the_same_run(tmp_path: Path) -> None:
    folder, spec = RunFolder(tmp_path), RunSpec(seed=4)
    first = folder.prepare(spec, {})
    assert folder.prepare(spec.model_copy(update={"concurrency": 1}), {}) == first


def test_another_spec_is_refused_with_the_difference(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.prepare(RunSpec(seed=4, limit=2), {})
    with pytest.raises(InputError, match=r"limit: 2 there, 3 now.*Fix:"):
        folder.prepare(RunSpec(seed=4, limit=3), {})


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        RunFolder(tmp_path).prepare(RunSpec(), {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        RunFolder(tmp_path / "file").prepare(RunSpec(), {})


@pytest.mark.parametrize("content", ["- a\n", "run: 1\n", "a: [\n"])
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.yaml").write_text(content)
    with pytest.raises(InputError, match=r"Fix:"):
        RunFolder(tmp_path).spec()


def test_a_run_of_a_later_version_with_unknown_fields_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("spec: {seed: 1, moons: 2}\n")
    with pytest.raises(InputError, match="moons"):
        RunFolder(tmp_path).spec()


def test_two_runs_have_different_ids(tmp_path: Path) -> None:
    one = RunFolder(tmp_path / "a").prepare(RunSpec(), {})
    other = RunFolder(tmp_path / "b").prepare(RunSpec(), {})
    assert one["run"] != other["run"]
