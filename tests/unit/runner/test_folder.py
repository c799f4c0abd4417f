from __future__ import annotations

from datetime import datetime
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


def test_another_spec_is_refused_with_the_differences_one_a_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.prepare(RunSpec(seed=4, limit=2, params={"top_p": 0.9, "temperature": 0.5}), {})
    before = folder.manifest.read_bytes()
    with pytest.raises(InputError) as refusal:
        folder.prepare(RunSpec(seed=4, limit=3, params={"top_p": 0.9}, models={"client": "rehearsal"}), {})
    assert str(refusal.value) == (
        f"{tmp_path}: holds a run with another spec:\n"
        "  limit: 2 there -> 3 now\n"
        "  models.client: not set there -> rehearsal now\n"
        "  params.temperature: 0.5 there -> not set now\n"
        " Fix: give another --out, the same spec to continue that run, or --force to go on in it with this one"
    )
    assert folder.manifest.read_bytes() == before


def test_with_force_a_run_goes_on_and_says_what_changed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    first = folder.prepare(RunSpec(seed=4, limit=2), {"vllm/a": {"model": None}}, rehearsed=True)
    second = folder.prepare(RunSpec(seed=5, limit=2), {"vllm/b": {"model": None}}, force=True)
    third = folder.prepare(RunSpec(seed=5, limit=2, locale="FR"), {}, force=True)
    assert third == folder.read()
    assert [change["diff"] for change in third["changed"]] == [
        {"seed": {"there": 4, "now": 5}},
        {"locale": {"there": "US", "now": "FR"}},
    ]
    assert second["changed"] == third["changed"][:1]
    assert datetime.fromisoformat(third["changed"][0]["at"]) >= datetime.fromisoformat(first["started"])
    assert folder.spec() == RunSpec(seed=5, limit=2, locale="FR")
    assert (third["run"], third["rehearsal"]) == (first["run"], True)
    assert set(third["servers"]) == {"vllm/a", "vllm/b"}


def test_force_on_the_same_spec_changes_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    first = folder.prepare(RunSpec(seed=4), {})
    assert folder.prepare(RunSpec(seed=4), {}, force=True) == first == folder.read()


def test_personas_that_have_changed_are_refused_and_with_force_told(tmp_path: Path) -> None:
    place = tmp_path / "people.yaml"
    place.write_text("id: a\n", encoding="utf-8")
    folder, spec = RunFolder(tmp_path / "out"), RunSpec(personas=str(place))
    before = folder.prepare(spec, {})["personas_sha256"]
    place.write_text("id: b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"other personas in .*people.yaml.*--force"):
        folder.prepare(spec, {})
    after = folder.prepare(spec, {}, force=True)
    assert after["changed"][0]["diff"] == {"personas_sha256": {"there": before, "now": after["personas_sha256"]}}
    assert folder.prepare(spec, {}) == after


def test_a_folder_that_can_be_written_is_not_blocked_and_keeps_no_trace_of_the_question(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).blocked() is None
    assert not list(tmp_path.iterdir())
    assert isinstance(RunFolder(tmp_path / "none").blocked(), FileNotFoundError)


def test_logs_come_by_id_and_only_logs(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert list(folder.logs()) == []
    folder.prepare(RunSpec(), {})
    for name in ("b.jsonl", "a.jsonl", "a.jsonl.part"):
        (folder.sessions / name).touch()
    assert list(folder.logs()) == [folder.log("a"), folder.log("b")]


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
