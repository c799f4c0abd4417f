"""One session played: whatever happens, its log says how it ended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.runtime import RunControl

from counselgraph import Answer, Context, ModelError, Request, build_session, read_session
from counselgraph.runner.job import Job
from counselgraph.runner.log import SCHEMA_VERSION, SessionLog, has_ended
from counselgraph.runner.play import play
from counselgraph.testing import sample_persona
from tests.fakes.models import Recording

HEADER = {"event": "header", "schema_version": SCHEMA_VERSION, "role": "run"}


async def played(tmp_path: Path, cast: Recording, control: RunControl | None = None, **options: Any) -> Any:
    graph = (await asyncio.to_thread(build_session, cast=cast)).compile()
    context = Context(**{"session": "one", "persona": "sample-client", "seed": 5, **options})
    (tmp_path / "sessions").mkdir(exist_ok=True)
    (tmp_path / "texts").mkdir(exist_ok=True)
    with SessionLog(tmp_path / "sessions" / "one.jsonl", tmp_path / "texts") as log:
        return await play(Job(sample_persona(), context), graph, log, header=HEADER, control=control)


def raising(error: Exception) -> Recording:
    def answer(request: Request) -> Answer:
        raise error

    return Recording(counselor=answer)


async def test_a_whole_session_is_logged_from_header_to_end(tmp_path: Path):
    ending = await played(tmp_path, Recording())
    record = read_session(tmp_path / "sessions" / "one.jsonl")
    assert record.end is not None
    assert record.end["stop"] == ending.stop == "completed"
    assert [event["seq"] for event in record.events] == list(range(len(record.events)))
    assert record.end["turns"] == len(record.turns)
    assert record.end["usage"]["calls"] == len(record.of("model_call"))


async def test_a_prompt_can_be_put_together_again(tmp_path: Path):
    cast = Recording()
    await played(tmp_path, cast, max_exchanges=4)
    record = read_session(tmp_path / "sessions" / "one.jsonl")
    for call, request in zip(record.of("model_call"), cast.requests, strict=True):
        whole = record.prompt(call)
        assert request.messages[0]["content"] in whole
        assert all(turn["text"] in whole for turn in record.turns[: call["turns"]])


async def test_a_repaired_prompt_is_logged_as_it_was_sent(tmp_path: Path):
    answers = iter(["", "not json", "Hello there, what brings you?"])
    cast = Recording(planner=lambda _request: next(answers), counselor=lambda request: f"I hear you, {request.call}.")
    await played(tmp_path, cast, max_exchanges=2)
    record = read_session(tmp_path / "sessions" / "one.jsonl")
    sent = next(request for request in cast.requests if request.role == "planner" and request.call == 1)
    call = next(call for call in record.of("model_call") if call["role"] == "planner" and call["call"] == 1)
    assert sent.messages[-1]["content"] in record.prompt(call)


@pytest.mark.parametrize(
    ("error", "stop"),
    [(ModelError("nonsense"), "model_error"), (RuntimeError("a bug"), "infrastructure_error")],
)
async def test_an_error_ends_the_session_and_says_whose_it_was(tmp_path: Path, error: Exception, stop: str):
    ending = await played(tmp_path, raising(error))
    record = read_session(tmp_path / "sessions" / "one.jsonl")
    assert ending.stop == stop
    assert record.of("error")[0]["message"] == str(error)
    assert record.end is not None
    assert str(error) in record.end["reason"]


async def test_a_drained_session_has_no_end(tmp_path: Path):
    control = RunControl()

    def answer(request: Request) -> Answer:
        if request.exchange == 2:
            control.request_drain("test")
        return Answer(text=f"I hear you, {request.exchange}. What then?")

    assert await played(tmp_path, Recording(counselor=answer), control) is None
    assert not has_ended(tmp_path / "sessions" / "one.jsonl")


async def test_a_cancelled_session_says_so_and_counts_as_unfinished(tmp_path: Path):
    asked = asyncio.Event()

    class Waiting(Recording):
        async def answer(self, _request: Request) -> Answer:
            asked.set()
            await asyncio.sleep(60)
            raise AssertionError

    task = asyncio.create_task(played(tmp_path, Waiting()))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    record = read_session(tmp_path / "sessions" / "one.jsonl")
    assert record.end is not None
    assert record.end["stop"] == "cancelled"
    assert not has_ended(tmp_path / "sessions" / "one.jsonl")
