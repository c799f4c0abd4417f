from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from counselgraph.agents.ask import Draft
from counselgraph.errors import InfrastructureError, ModelError
from counselgraph.graphs.state import Ending, StopReason
from counselgraph.runner.log import Event, SessionLog, read_session
from counselgraph.runner.recorder import Recorder
from counselgraph.safety.levels import Level, Risk
from counselgraph.testing import sample_plan
from tests.unit.runner.logs import header

ENDING = Ending(stop=StopReason.COMPLETED, by="counselor", reason="done")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    with SessionLog(tmp_path / "ada.jsonl", tmp_path) as opened:
        opened.write(header())
        yield opened


def events(tmp_path: Path) -> list[Event]:
    return list(read_session(tmp_path / "ada.jsonl").events[1:])


def model_call(role: str = "client", *, journaled: bool = False) -> dict[str, Any]:
    usage = {"calls": 1, "prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 2}
    return {"event": "model_call", "role": role, "model": "m", "usage": usage, "journaled": journaled}


def test_a_session_is_summed_up_in_its_end(log: SessionLog, tmp_path: Path) -> None:
    recorder = Recorder(log)
    recorder.take({"recall": {"exchange": 0}})
    recorder.take({"screen_counselor": {"spoken": Draft(role="counselor", text="Hello.", kind="opening")}})
    recorder.take({"remember": {"exchange": 1, "ending": None}})
    recorder.write(model_call())
    recorder.write(model_call(journaled=True))
    recorder.write(
        {"event": "repair", "role": "planner", "model": "m", "kind": "unparsed", "problem": "p", "again": True}
    )
    recorder.write({"event": "discard", "role": "client", "text": "t", "reason": "r"})
    recorder.write({"event": "retry", "role": "client"})
    recorder.take(
        {"screen_client": {"spoken": Draft(role="client", text="Hi."), "risk": Risk(level=Level.PASSIVE)}},
    )
    recorder.take({"planner": {"plan": sample_plan()}})
    recorder.take({"remember": {"ending": ENDING}})
    assert recorder.ending == ENDING
    assert recorder.close(ENDING) == ENDING
    *_, last = events(tmp_path)
    assert last["event"] == "end"
    assert last["usage_by"] == {
        "client m": {"calls": 2, "prompt_tokens": 20, "cached_tokens": 8, "completion_tokens": 4}
    }
    assert last["usage"] == last["usage_by"]["client m"]
    counted = {"turns": 2, "exchanges": 1, "plans": 1, "repairs": 1, "retries": 1, "journaled": 1, "highest_risk": 2}
    assert (last["discards"], last["unusable_by"]) == (1, {"planner m": 1})
    assert {key: last[key] for key in counted} == counted
    assert (last["stop"], last["by"], last["technique"]) == ("completed", "counselor", "decatastrophizing")


def test_turns_carry_the_exchange_they_were_said_in(log: SessionLog, tmp_path: Path) -> None:
    recorder = Recorder(log)
    for exchange in (1, 2):
        recorder.take({"screen_client": {"spoken": Draft(role="client", text=f"Turn {exchange}.")}})
        log.exchange = exchange
        recorder.take({"remember": {"exchange": exchange + 1}})
    assert [event["exchange"] for event in events(tmp_path) if event["event"] == "turn"] == [0, 2]


@pytest.mark.parametrize(
    ("error", "stop"),
    [
        (ModelError("empty twice"), StopReason.MODEL_ERROR),
        (InfrastructureError("no answer"), StopReason.INFRASTRUCTURE_ERROR),
        (ZeroDivisionError("a bug"), StopReason.INFRASTRUCTURE_ERROR),
    ],
)
def test_an_error_is_told_and_ends_the_session(
    log: SessionLog, tmp_path: Path, error: Exception, stop: StopReason
) -> None:
    ending = Recorder(log).fail(error)
    told, last = events(tmp_path)
    assert ending.stop is stop
    assert (told["event"], told["type"], told["message"]) == ("error", type(error).__name__, str(error))
    assert (last["stop"], last["by"]) == (stop.value, "run")
    assert str(error) in last["reason"]


def test_what_a_session_waits_for_is_kept_and_told(log: SessionLog, tmp_path: Path) -> None:
    recorder = Recorder(log)
    recorder.take({"__interrupt__": (SimpleNamespace(value={"role": "counselor"}),)})
    assert recorder.waiting == [{"role": "counselor"}]
    assert events(tmp_path)[-1]["asks"] == [{"role": "counselor"}]


def test_a_private_channel_is_told_as_a_note(log: SessionLog, tmp_path: Path) -> None:
    Recorder(log).take({"supervisor": {"supervision": ["well done"]}})
    (note,) = events(tmp_path)
    assert (note["event"], note["role"], note["channel"], note["value"]) == (
        "note",
        "supervisor",
        "supervision",
        ["well done"],
    )


def test_a_node_without_an_update_is_no_event(log: SessionLog, tmp_path: Path) -> None:
    Recorder(log).take({"planner": None})
    assert events(tmp_path) == []
