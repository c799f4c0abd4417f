"""Runs as a whole: outages, damage, folders that move, and what a replay says of itself."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from counselgraph import (
    ConfigError,
    InfrastructureError,
    InputError,
    ModelError,
    Models,
    RunSpec,
    export,
    read_run,
    resume,
    run_sync,
)
from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.model import Rehearsal
from counselgraph.personas import dump_persona
from counselgraph.runner.batch import RunResult
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.log import REHEARSAL_NOTICE
from counselgraph.testing import sample_persona

SHORT: dict[str, Any] = {"limit": 2, "max_exchanges": 3, "memory": "none", "concurrency": 1}


class Failing:
    """Rehearsal that fails once, when it comes to the counselor's third answer."""

    name = "mine"

    def __init__(self, error: Exception) -> None:
        self.calls = 0
        self._error: Exception | None = error
        self._inner = Rehearsal()

    async def answer(self, request: Request) -> Answer:
        if self._error and request.role == "counselor" and request.exchange == 2:
            error, self._error = self._error, None
            raise error
        self.calls += 1
        return await self._inner.answer(request)


def played(out: Path, model: Failing) -> RunResult:
    return run_sync(RunSpec(model="mine", out=out, **SHORT), models=Models(overrides={"mine": model}))


def test_a_session_that_an_outage_ended_is_played_again_without_repeating_a_call(tmp_path: Path) -> None:
    model, smooth = Failing(InfrastructureError("the server died")), Failing(ModelError("unused"))
    smooth._error = None
    assert played(tmp_path / "smooth", smooth).failed == {}
    first = played(tmp_path / "out", model)
    assert list(first.failed.values()) == ["InfrastructureError: the server died"]
    again = played(tmp_path / "out", model)
    assert again.failed == {}
    assert again.summary.unfinished == 0
    assert model.calls == smooth.calls
    turns = [[turn["text"] for turn in record.turns] for record in read_run(tmp_path / "out")]
    assert turns == [[turn["text"] for turn in record.turns] for record in read_run(tmp_path / "smooth")]


def test_a_session_that_a_model_failed_stays_as_it_is(tmp_path: Path) -> None:
    model = Failing(ModelError("nonsense"))
    first = played(tmp_path / "out", model)
    calls = model.calls
    assert list(first.failed.values()) == ["ModelError: nonsense"]
    assert played(tmp_path / "out", model).failed == first.failed
    assert model.calls == calls


def test_a_damaged_journal_fails_its_own_session_only(tmp_path: Path) -> None:
    spec = RunSpec(out=tmp_path / "out", **SHORT)
    run_sync(spec)
    folder = RunFolder(spec.out)
    one, other = sorted(file.stem for file in folder.sessions.iterdir())
    for session in (one, other):
        folder.log(session).unlink()
    lines = folder.journal(one).read_bytes().split(b"\n")
    folder.journal(one).write_bytes(b"\n".join([lines[0], b"damaged", *lines[2:]]))
    result = run_sync(spec)
    assert list(result.failed) == [one]
    assert "record 2: the line is damaged" in result.failed[one]
    broken, whole = read_run(spec.out)
    assert [event["event"] for event in broken.events] == ["header", "error", "end"]
    assert broken.events[-1]["stop"] == "infrastructure_error"
    assert whole.events[-1]["stop"] != "infrastructure_error"


def test_a_log_that_cannot_be_written_fails_its_own_session_only(tmp_path: Path) -> None:
    spec = RunSpec(out=tmp_path / "out", **SHORT)
    run_sync(spec)
    folder = RunFolder(spec.out)
    one, other = sorted(file.stem for file in folder.sessions.iterdir())
    for session in (one, other):
        folder.log(session).unlink()
    folder.log(one).mkdir()
    result = run_sync(spec)
    assert list(result.failed) == [one]
    assert "IsADirectoryError" in result.failed[one]
    assert result.summary.sessions == 2
    assert sum(result.summary.stops.values()) == 1


def test_a_folder_takes_one_run_at_a_time(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "out")
    with folder.held(), pytest.raises(ConfigError, match=r"run folder .* is already open in process \d+.*Fix:"):
        run_sync(RunSpec(out=folder.path, **SHORT))
    assert run_sync(RunSpec(out=folder.path, **SHORT)).summary.sessions == 2


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a persona and a script in it."""
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "one.yaml").write_text(dump_persona(sample_persona()), encoding="utf-8")
    (tmp_path / "lines.txt").write_text("The rent worries me.\nAt night mostly.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def relative(**more: Any) -> RunSpec:
    models = {"client": "script/lines.txt"}
    return RunSpec(**{"personas": "people", "models": models, "memory": "kept", "max_exchanges": 3, "out": "o", **more})


def test_a_run_goes_on_from_another_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_sync(relative()).failed == {}
    RunFolder(here / "o").log(sample_persona().id).unlink()
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    result = asyncio.run(resume(here / "o"))
    assert (result.failed, result.summary.sessions) == ({}, 1)
    assert (here / "kept").is_dir()
    assert list((here / "elsewhere").iterdir()) == []


def test_paths_are_stored_whole_and_names_as_they_are(here: Path) -> None:
    stored = relative(embedder="minilm:people").placed()
    assert stored.personas == str(here / "people")
    assert stored.models == {"client": f"script/{here / 'lines.txt'}"}
    assert stored.memory == str(here / "kept")
    assert stored.embedder == f"minilm:{here / 'people'}"
    (here / "builtin").mkdir()
    for name in ("builtin", "builtin/claire-moreau", "no-such-file.yaml"):
        assert relative(personas=name).placed().personas == name
    assert RunSpec().placed() == RunSpec()


def test_a_relative_and_an_absolute_path_are_no_difference(here: Path) -> None:
    absolute = relative(personas=str(here / "people"), memory=str(here / "x" / ".." / "kept"))
    assert relative().what_differs(absolute) == {}
    assert set(relative().what_differs(relative(personas=str(here)))) == {"personas"}


@pytest.mark.parametrize("change", ["edited", "added"])
def test_personas_that_have_changed_are_refused(here: Path, change: str) -> None:
    run_sync(relative(memory="none"))
    assert run_sync(relative(memory="none")).failed == {}
    (here / "people" / "notes.md").write_text("No persona.")
    assert run_sync(relative(memory="none")).failed == {}
    persona = sample_persona().model_copy(update={"id": "another", "name": "Kim Vale"})
    file = here / "people" / ("one.yaml" if change == "edited" else "two.yaml")
    file.write_text(dump_persona(persona), encoding="utf-8")
    with pytest.raises(InputError, match=r"started with other personas.*Fix: put the personas back"):
        run_sync(relative(memory="none"))


def test_a_replay_of_a_rehearsal_says_so_and_costs_nothing(tmp_path: Path) -> None:
    first, second, third = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    run_sync(RunSpec(out=first, **SHORT))
    run_sync(RunSpec(out=second, model=f"replay/{first}", **SHORT))
    shutil.rmtree(first)
    result = run_sync(RunSpec(out=third, model=f"replay/{second}", **SHORT))
    assert result.failed == {}
    assert result.summary.usage.calls == 0
    for record in read_run(third):
        assert REHEARSAL_NOTICE in record.header["notice"]
    export(third, "jsonl", tmp_path / "rows")
    assert all(json.loads(row)["rehearsal"] for row in (tmp_path / "rows").read_text().splitlines())


def test_what_was_not_rehearsed_is_not_called_so(tmp_path: Path) -> None:
    model = Failing(ModelError("unused"))
    model._error = None
    assert played(tmp_path / "a", model).failed == {}
    run_sync(RunSpec(out=tmp_path / "b", model=f"replay/{tmp_path / 'a'}", **SHORT))
    assert all(REHEARSAL_NOTICE not in record.header["notice"] for record in read_run(tmp_path / "b"))


async def test_a_chat_is_not_resumed_as_a_batch(tmp_path: Path) -> None:
    RunFolder(tmp_path).prepare(RunSpec(models={"counselor": "human"}), {})
    with pytest.raises(ConfigError, match=r"holds a chat.*`counselgraph resume "):
        await resume(tmp_path)
