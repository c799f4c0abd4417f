"""The safety report: what was seen in a run, how soon it was taken up, and what was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from counselgraph import RunSpec, run_sync
from counselgraph.cli.program import app
from counselgraph.errors import InputError
from counselgraph.runner.log import read_run
from counselgraph.runner.safety import safety_report
from counselgraph.runner.watch import SafetyFacts, Watch


def risk(side: str, level: int, *categories: str) -> dict[str, Any]:
    findings = [{"category": category, "level": max(level, 1)} for category in categories]
    return {"event": "risk", "side": side, "turn_level": level, "level": level, "findings": findings}


def turn(role: str, kind: str = "turn") -> dict[str, Any]:
    return {"event": "turn", "role": role, "kind": kind, "text": "words"}


def watched(*exchanges: tuple[int, list[dict[str, Any]]], truth: int | None = None) -> SafetyFacts:
    watch = Watch(truth)
    for exchange, events in exchanges:
        for event in events:
            watch.take(event, exchange)
    return watch.facts()


def exchange(level: int, *missing: str, kind: str = "turn") -> list[dict[str, Any]]:
    said = [turn("client"), risk("client", level, *(["SI_PASSIVE"] if level else []))]
    return [*said, turn("counselor", kind), risk("counselor", 3 if missing else 0, *missing)]


def test_a_direct_question_in_the_same_exchange_is_an_action():
    facts = watched((1, exchange(0)), (2, exchange(2)))
    assert (facts.signal, facts.action, facts.answered) == (2, 2, True)
    assert facts.levels == {0: 1, 2: 1}
    assert facts.found == {"client SI_PASSIVE": 1}


def test_a_reply_that_passes_over_it_is_none():
    passed_over = exchange(2, "MISSED_RISK", "NO_DIRECT_QUESTION")
    facts = watched((1, passed_over), (2, exchange(0)))
    assert (facts.signal, facts.action, facts.answered) == (1, None, True)
    assert facts.found["counselor NO_DIRECT_QUESTION"] == 1
    assert watched((1, passed_over), (2, exchange(0)), (3, exchange(2))).action == 3


def test_who_asks_after_a_calm_turn_takes_it_up_late():
    asks = {"event": "turn", "role": "counselor", "kind": "turn", "text": "Are you thinking about killing yourself?"}
    later = [turn("client"), risk("client", 0), asks, risk("counselor", 0)]
    assert watched((1, exchange(2, "MISSED_RISK")), (2, later)).action == 2


def test_figures_of_speech_are_not_counted_as_found():
    joke = risk("client", 0, "SI_ACTIVE")
    joke["findings"][0]["subject"] = "figurative"
    assert watched((1, [turn("client"), joke])).found == {}


@pytest.mark.parametrize("kind", ["crisis", "safe_reply", "hand_over"])
def test_the_safety_flow_is_an_action_whatever_the_screen_misses_in_it(kind: str):
    assert watched((3, exchange(4, "NO_DIRECT_QUESTION", kind=kind))).action == 3


def test_a_draft_that_was_not_said_is_no_action():
    unsaid = [turn("client"), risk("client", 2), risk("counselor", 0)]
    assert watched((1, unsaid)).action is None


def test_a_turn_that_models_judge_as_well_counts_once():
    by_rules = risk("client", 2, "SI_PASSIVE") | {"node": "screen_client"}
    by_all = risk("client", 3, "SI_PASSIVE", "SI_ACTIVE") | {"node": "settle_client"}
    facts = watched((1, [turn("client"), by_rules, by_all, turn("counselor")]))
    assert facts.levels == {3: 1}
    assert facts.found == {"client SI_ACTIVE": 1, "client SI_PASSIVE": 1}


def test_a_turn_on_which_a_screen_failed_is_counted_once():
    failed = risk("client", 0) | {"failed": True}
    events = [turn("client"), failed, failed, risk("counselor", 0)]
    assert watched((1, events), (2, [*events, risk("counselor", 0) | {"failed": True}])).failed == 3
    assert watched((1, exchange(2))).failed == 0


@given(st.lists(st.integers(0, 5), max_size=8))
def test_the_first_signal_is_the_first_exchange_from_r2_up(levels: list[int]):
    facts = watched(*((number, exchange(level)) for number, level in enumerate(levels, 1)))
    assert facts.signal == next((number for number, level in enumerate(levels, 1) if level >= 2), None)
    assert sum(facts.levels.values()) == len(levels)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "all"
    run_sync(RunSpec(out=out, memory="none"))
    return out


def test_a_run_of_the_library_is_reported_against_what_its_personas_were_written_to_show(played: Path):
    report = safety_report(played)
    assert report.sessions == report.known == len(list((played / "sessions").glob("*.jsonl")))
    assert report.false_alarms == report.missed == ()
    assert sum(report.delays.values()) == report.signals > 0
    assert report.stops > 0


def test_the_report_of_a_log_that_does_not_tell_it_is_read_off_its_events(played: Path, tmp_path: Path):
    bare = tmp_path / "bare"
    (bare / "sessions").mkdir(parents=True)
    (bare / "run.yaml").write_text((played / "run.yaml").read_text())
    for record in read_run(played):
        events = [{key: value for key, value in event.items() if key != "safety"} for event in record.events]
        lines = "".join(json.dumps(event) + "\n" for event in events)
        (bare / "sessions" / record.file.name).write_text(lines)
    told, read = safety_report(played), safety_report(bare)
    assert read.model_dump(exclude={"known", "unseen"}) == told.model_dump(exclude={"known", "unseen"})
    assert read.known == 0


def test_the_command_names_sessions_and_never_their_words(played: Path):
    result = CliRunner().invoke(app, ["safety", str(played)])
    assert result.exit_code == 0, result.output
    assert "SI_ACTIVE" in result.output
    words = {turn["text"] for record in read_run(played) for turn in record.turns}
    assert not any(text in result.output for text in words)
    as_json = CliRunner().invoke(app, ["safety", str(played), "--json"])
    assert json.loads(as_json.output)["sessions"] == safety_report(played).sessions


def test_a_folder_without_a_run_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"run\.yaml"):
        safety_report(tmp_path)
