"""Logs of every schema version are kept in tests/golden and stay readable."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from counselgraph import export, read_run
from counselgraph.models.journal import read as read_journal
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.formats import FORMATS
from counselgraph.runner.html import write_html
from counselgraph.runner.log import SCHEMA_VERSION
from counselgraph.runner.report import summarize
from counselgraph.runner.show import show

GOLDEN = Path(__file__).parents[2] / "golden"
COUNTS = {"header": 1, "turn": 13, "plan": 2, "risk": 13, "memory": 4, "model_call": 21, "note": 7, "end": 1}


def test_there_is_a_log_of_every_version() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"log-v{number + 1}" for number in range(SCHEMA_VERSION)}


@pytest.fixture(params=sorted(path.name for path in GOLDEN.iterdir()))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an old run, for readers that write."""
    return Path(shutil.copytree(GOLDEN / request.param, tmp_path / "old"))


def test_an_old_session_reads_as_it_was_played(old: Path) -> None:
    (record,) = read_run(old)
    assert record.id == "robin-vale"
    assert Counter(event["event"] for event in record.events) == COUNTS
    assert [turn["exchange"] for turn in record.turns] == [0, *sorted([1, 2, 3, 4, 5, 6] * 2)]
    assert record.turns[1] == record.turns[1] | {
        "role": "client",
        "text": "I keep putting off calling customers back because I think they will be angry with me.",
    }
    assert [plan["technique"] for plan in record.of("plan")] == ["alternative_perspective"] * 2
    assert record.end is not None
    assert (record.end["stop"], record.end["exchanges"]) == ("completed", 6)


def test_the_prompts_of_an_old_session_can_be_put_together(old: Path) -> None:
    (record,) = read_run(old)
    prompts = [record.prompt(call) for call in record.of("model_call")]
    assert len(prompts) == 21
    assert prompts[-1].startswith("Comment on the counselor's last turn.")
    assert record.turns[-1]["text"] in prompts[-1]


def test_an_old_run_is_summed_up_as_it_was(old: Path) -> None:
    before = json.loads((old / "summary.json").read_text(encoding="utf-8"))
    now = summarize(old).model_dump(mode="json")
    assert {key: now[key] for key in before} == before
    assert not any(now[key] for key in now.keys() - before.keys())


def test_an_old_run_knows_its_spec_and_its_answers(old: Path) -> None:
    folder = RunFolder(old)
    assert (folder.spec().personas, folder.spec().seed, folder.spec().roles) == (
        "robin-vale.yaml",
        7,
        ("extras:supervisor",),
    )
    assert len(read_journal(folder.journal("robin-vale"))) == 21


def test_an_old_session_can_be_shown(old: Path, tmp_path: Path) -> None:
    (record,) = read_run(old)
    console = Console(record=True, width=100, file=(tmp_path / "shown").open("w"))
    with console.file:
        show(record, console, prompts=True)
    assert "Alternative Perspective" in console.export_text()
    write_html([record], tmp_path / "page.html")
    assert "Robin Vale" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_old_run_can_be_exported(old: Path, tmp_path: Path, name: str) -> None:
    assert export(old, name, tmp_path / "out", private=True).written == 1
