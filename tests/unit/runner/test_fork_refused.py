"""Forks of sessions that failed or are unfinished, and forks that cannot be."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from counselgraph import (
    ConfigError,
    InputError,
    Models,
    RunSpec,
    run_sync,
)
from counselgraph.models.journal import read
from counselgraph.personas import dump_persona
from counselgraph.runner.fork import fork_sync
from counselgraph.testing import sample_persona
from tests.unit.runner.forks import Listening, forked, only, played, said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parents to fork, each played once."""
    return tmp_path_factory.mktemp("parents")


@pytest.fixture(scope="module")
def parent(place: Path) -> Path:
    return played(place / "plain")


@pytest.fixture(scope="module")
def broken_off(place: Path) -> Path:
    """A session whose counselor had no answer in exchange 4."""
    model = Listening(lambda request: request.role == "counselor" and request.exchange == 4)
    spec = RunSpec(personas="builtin/claire-moreau", seed=3, model="mine", memory="none", out=place / "broken")
    run_sync(spec, models=Models(overrides={"mine": model}))
    return place / "broken" / "claire-moreau"


@pytest.mark.parametrize(("at", "options"), [(3, {}), (4, {"say": "On Sunday it was worse.", "role": "client"})])
def test_a_session_that_failed_can_be_forked_before_it_did(
    broken_off: Path, tmp_path: Path, at: int, options: dict[str, str]
) -> None:
    child = forked(broken_off, at, tmp_path / "f", changes={"model": "rehearsal"}, **options)
    assert child.end is not None
    assert child.end["stop"] == "completed"


def test_an_exchange_that_broke_off_cannot_be_forked(broken_off: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exchanges 0 to 3, and no exchange 4"):
        fork_sync(broken_off, 4, changes={"model": "rehearsal"}, out=tmp_path / "f")


def torn(parent: Path, to: Path, exchange: int) -> Path:
    """A copy of a run as a kill leaves it: the log ends in the middle, the journal goes a little further."""
    shutil.copytree(parent.parent, to)
    log = to / "sessions" / f"{parent.name}.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines) if json.loads(line)["exchange"] > exchange)
    log.write_bytes(b"".join(lines[:end]) + lines[end][:20])
    return to / parent.name


def test_a_session_that_is_unfinished_can_be_forked(parent: Path, tmp_path: Path) -> None:
    child = forked(torn(parent, tmp_path / "torn", 5), 5, tmp_path / "f")
    assert said(child) == said(only(parent.parent))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "beyond the end": ({"at": 99}, r"exchanges 0 to \d+, and no exchange 99"),
    "before the start": ({"at": -1}, r"no exchange -1 .* Fix: fork at 0 to"),
    "nothing said": ({"say": "  "}, "field `say`: is empty"),
    "no such seat": ({"say": "Hm.", "role": "planner"}, "use counselor or client"),
    "no turn to replace": ({"at": 0, "say": "Hm.", "role": "client"}, "says nothing in exchange 0"),
    "no such field": ({"changes": {"persona.attitud": "x"}}, "persona.attitud`: there is no .* `attitude`"),
    "no such part": ({"changes": {"persona.risk.levle": 1}}, "persona.risk.levle`: there is no .* `level`"),
    "no parts": ({"changes": {"persona.name.first": "x"}}, "field `persona.name`: has no parts"),
    "no list": ({"changes": {"persona.goals": "rest"}}, "a list was expected"),
    "no value for it": ({"changes": {"persona.attitude": "grim"}}, "'positive', 'neutral' or 'negative'"),
    "who it is": ({"changes": {"persona.id": "x"}}, "field `persona.id`: is nothing that a fork can change"),
    "no field at all": ({"changes": {"persona": {}}}, "such as persona.attitude=negative"),
    "no field of a spec": ({"changes": {"modle": "x"}}, "did you mean `model`"),
    "too late": ({"changes": {"opens": "client"}}, "field `opens`: is nothing that a fork can change"),
    "another client": ({"changes": {"personas": "builtin"}}, "change a part of it with persona.FIELD"),
    "no cap": ({"changes": {"max_exchanges": 0}}, "must be at least 1"),
    "a cap that is past": ({"changes": {"max_exchanges": 2}}, "below the exchange of the fork, 3"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_before_anything_is_written(parent: Path, tmp_path: Path, case: str) -> None:
    options, problem = BAD[case]
    with pytest.raises(InputError) as caught:
        fork_sync(parent, **{"at": 3, "out": tmp_path / "f", **options})
    assert re.search(problem, str(caught.value)), caught.value
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"models.counselor": "human"}, "A fork has no person"),
        ({"models.judge": "rehearsal"}, "which nobody plays here"),
        ({"model": "parrot"}, "There is no model `parrot`"),
        ({"roles": ["judge"]}, "judge"),
    ],
)
def test_a_cast_that_cannot_be_is_refused_and_leaves_no_folder(
    parent: Path, tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        fork_sync(parent, 3, out=tmp_path / "f", changes=changes)
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nobody", "is no session. Fix: give DIR/SESSION, with one of: claire-moreau"),
        ("", "is no session. Fix: give DIR/SESSION, with one of: claire-moreau"),
        ("no/where", "DIR being a run folder"),
    ],
)
def test_a_session_that_is_not_there_is_named_with_those_that_are(parent: Path, path: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        fork_sync(parent.parent / path, 3)


def test_a_journal_that_was_deleted_is_missed(parent: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(parent.parent, tmp_path / "copy")
    (copy / "journal" / f"{parent.name}.jsonl").unlink()
    with pytest.raises(InputError, match="journal cannot be read"):
        fork_sync(copy / parent.name, 3, out=tmp_path / "f")


def test_an_answer_that_the_journal_does_not_hold_is_missed(parent: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(parent.parent, tmp_path / "copy")
    journal = copy / "journal" / f"{parent.name}.jsonl"
    kept = [entry for entry in read(journal) if (entry.role, entry.exchange) != ("counselor", 2)]
    journal.write_text("".join(f"{entry.model_dump_json()}\n" for entry in kept), encoding="utf-8")
    with pytest.raises(InputError, match="does not hold what the counselor answered in exchange 2"):
        fork_sync(copy / parent.name, 3, out=tmp_path / "f")
    assert said(forked(copy / parent.name, 1, tmp_path / "f")) == said(only(parent.parent))


def test_a_journal_that_tells_another_story_than_the_log_is_noticed(parent: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(parent.parent, tmp_path / "copy")
    journal = copy / "journal" / f"{parent.name}.jsonl"
    text = journal.read_text(encoding="utf-8").replace(only(parent.parent).turns[1]["text"][:12], "Nothing much")
    journal.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="comes out otherwise than its log says"):
        fork_sync(copy / parent.name, 3, out=tmp_path / "f")


def test_personas_that_have_changed_since_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "robin.yaml"
    file.write_text(dump_persona(sample_persona()), encoding="utf-8")
    run_sync(RunSpec(personas=str(file), memory="none", max_exchanges=4, out=tmp_path / "parent"))
    other = sample_persona().model_copy(update={"name": "Robin Hill"})
    file.write_text(dump_persona(other), encoding="utf-8")
    with pytest.raises(InputError, match="other personas than those"):
        fork_sync(tmp_path / "parent" / "sample-client", 2, out=tmp_path / "f")
