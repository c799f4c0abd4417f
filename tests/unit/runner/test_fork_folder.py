"""The folder of a fork: linked to the parent, resumed without it, read like any run."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from counselgraph import (
    InputError,
    Models,
    export,
    run_sync,
)
from counselgraph.runner.batch import resume
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.fork import fork, fork_sync
from counselgraph.runner.fork_file import FORK_FILE, fork_of
from counselgraph.runner.fork_start import forked_jobs
from counselgraph.runner.html import write_html
from counselgraph.runner.show import show
from tests.unit.runner.forks import Listening, forked, only, played, said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parents to fork, each played once."""
    return tmp_path_factory.mktemp("parents")


@pytest.fixture(scope="module")
def parent(place: Path) -> Path:
    return played(place / "plain")


def killing_at(exchange: int) -> Callable[[dict[str, Any]], None]:
    def watch(event: dict[str, Any]) -> None:
        if event["event"] == "turn" and event["exchange"] == exchange:
            raise KeyboardInterrupt

    return watch


def test_a_fork_goes_on_wherever_it_lies_and_without_its_parent(parent: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(parent.parent, tmp_path / "copy")
    whole = forked(parent, 3, tmp_path / "whole", say="Go on.")
    with pytest.raises(KeyboardInterrupt):
        fork_sync(copy / parent.name, 3, say="Go on.", out=tmp_path / "f", on_event=killing_at(6))
    shutil.rmtree(copy)
    (tmp_path / "f").rename(tmp_path / "moved")
    assert only(tmp_path / "moved").end is None
    model_calls = run_sync(RunFolder(tmp_path / "moved").resumed()).summary
    child = only(tmp_path / "moved")
    assert said(child) == said(whole)
    assert child.header["fork"]["session"] == parent.name
    assert model_calls.journaled > 0


def test_the_same_command_goes_on_and_another_one_is_refused(parent: Path, tmp_path: Path) -> None:
    first = forked(parent, 3, tmp_path / "f", say="Go on.")
    again = forked(parent, 3, tmp_path / "f", say="Go on.")
    assert again.events == first.events
    with pytest.raises(InputError, match="holds something else than this fork"):
        fork_sync(parent, 3, say="Stop.", out=tmp_path / "f")
    with pytest.raises(InputError, match="holds something else than this fork"):
        fork_sync(parent, 3, say="Stop.", out=parent.parent)


@pytest.mark.parametrize(("damage", "problem"), [("x", "is no fork"), ("", "is no fork"), (None, "is no fork")])
def test_a_fork_file_that_is_damaged_or_gone_is_noticed(
    parent: Path, tmp_path: Path, damage: str | None, problem: str
) -> None:
    forked(parent, 3, tmp_path / "f")
    file = tmp_path / "f" / FORK_FILE
    file.unlink() if damage is None else file.write_text(damage, encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        run_sync(RunFolder(tmp_path / "f").resumed())


def test_a_fork_file_that_was_edited_is_noticed(parent: Path, tmp_path: Path) -> None:
    forked(parent, 3, tmp_path / "f")
    file = tmp_path / "f" / FORK_FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"at":3', '"at":2'), encoding="utf-8")
    with pytest.raises(InputError, match="has changed since the fork was made"):
        run_sync(RunFolder(tmp_path / "f").resumed())


async def test_a_fork_can_be_made_and_resumed_in_a_running_loop(parent: Path, tmp_path: Path) -> None:
    result = await fork(parent, 8, out=tmp_path / "f")
    assert result.summary.stops == (await resume(tmp_path / "f")).summary.stops == {"completed": 1}


def test_a_job_that_forks_can_be_sent_to_another_process(parent: Path, tmp_path: Path) -> None:
    forked(parent, 3, tmp_path / "f")
    spec = RunFolder(tmp_path / "f").resumed()
    found = fork_of(spec)
    assert found is not None
    (job,) = forked_jobs(found, found.persona, spec, "run-1")
    assert pickle.loads(pickle.dumps(job)) == job


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_fork_gets_a_folder_of_its_own(parent: Path, in_folder: Path) -> None:
    first, second = fork_sync(parent, 9), fork_sync(parent, 9)
    assert first.out == Path(f"runs/fork-{parent.name}-at9")
    assert second.out == Path(f"runs/fork-{parent.name}-at9-2")


def test_a_fork_of_another_models_words_is_still_marked_as_rehearsal(parent: Path, tmp_path: Path) -> None:
    model = Listening()
    child = forked(parent, 9, tmp_path / "f", changes={"model": "mine"}, models=Models(overrides={"mine": model}))
    assert child.header["rehearsal"] is True


def test_an_export_holds_the_whole_dialogue(parent: Path, tmp_path: Path) -> None:
    child = forked(parent, 3, tmp_path / "f", say="Go on.")
    export(tmp_path / "f", "jsonl", tmp_path / "f.jsonl", private=True)
    (row,) = map(json.loads, (tmp_path / "f.jsonl").read_text(encoding="utf-8").splitlines())
    assert [(turn["role"], turn["exchange"], turn["kind"], turn["text"]) for turn in row["turns"]] == said(child)
    assert row["plans"][0]["exchange"] <= 3


def test_a_reader_sees_where_a_session_came_from(parent: Path, tmp_path: Path) -> None:
    child = forked(parent, 3, tmp_path / "f", say="Go on.", changes={"persona.goals": ["Rest"]})
    console = Console(record=True, width=100, file=(tmp_path / "shown").open("w", encoding="utf-8"))
    show(child, console)
    shown = console.export_text()
    console.file.close()
    assert f"Forked from {parent.name} at exchange 3" in shown
    assert "say.counselor: Go on." in shown
    assert 'persona.goals: ["Rest"]' in shown
    assert shown.count("(inherited)") == sum("inherited" in turn for turn in child.turns) == 6
    write_html([child], tmp_path / "f.html")
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert f"{parent.name} of run {child.header['fork']['run']}, exchange 3" in page
    assert "Inherited up to exchange 2" in page
    assert page.count('class="mark">inherited') == 6
