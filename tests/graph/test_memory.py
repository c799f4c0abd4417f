"""Memory across sessions: the second starts from the first, and only its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from counselgraph import Context, Persona, build_session
from counselgraph.graphs.state import opening_state
from counselgraph.memory.record import Kind
from counselgraph.protocols.protocol import load_protocol
from counselgraph.testing import sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR, text_of
from tests.fakes.memory import opened
from tests.fakes.models import Recording


async def session(folder: Path, persona: Persona, run: str, **options: Any) -> tuple[Any, Recording]:
    cast = Recording()
    async with opened(folder) as store:
        builder = await asyncio.to_thread(build_session, cast=cast, memory=store)
        context = Context(**{"persona": persona.id, "session": persona.id, "run": run, "seed": 3, **options})
        return await builder.compile().ainvoke(opening_state(persona), context=context), cast


def homework(state: Any) -> str:
    return next(str(note.text) for note in state["notes"] if note.kind is Kind.HOMEWORK and note.owner == COUNSELOR)


async def test_the_counselor_recalls_the_homework_of_the_last_session(tmp_path: Path):
    first, _ = await session(tmp_path, sample_persona(), "one")
    second, cast = await session(tmp_path, sample_persona(), "two")
    assert second["session_number"] == 2
    assert homework(first) in cast.prompts(COUNSELOR)[0]
    opening = text_of(second["messages"][0]).casefold()
    assert any(word in opening for word in ("last", "again", "back"))


async def test_the_first_session_recalls_nothing(tmp_path: Path):
    state, cast = await session(tmp_path, sample_persona(), "one")
    assert state["session_number"] == 1
    assert "Nothing yet." in cast.prompts(COUNSELOR)[0]


async def test_another_clients_memories_never_appear(tmp_path: Path):
    other = sample_persona().model_copy(update={"id": "other-client", "name": "Kim Other"})
    await session(tmp_path, other, "one")
    state, cast = await session(tmp_path, sample_persona(), "two")
    assert state["session_number"] == 1
    assert "Nothing yet." in cast.prompts(COUNSELOR)[0]
    assert not any("Kim" in prompt for role in (CLIENT, COUNSELOR, "planner") for prompt in cast.prompts(role))


async def test_client_and_counselor_keep_separate_memories(tmp_path: Path):
    await session(tmp_path, sample_persona(), "one")
    state, cast = await session(tmp_path, sample_persona(), "two")
    for owner in (CLIENT, COUNSELOR):
        assert {memory.owner for memory in state[f"{owner}_memories"]} == {owner}
    for request in cast.requests:
        seen = [memory for channel in request.view if channel.endswith("_memories") for memory in request.view[channel]]
        assert {memory.owner for memory in seen} <= {CLIENT if request.role == CLIENT else COUNSELOR}


async def test_a_session_played_again_does_not_remember_itself(tmp_path: Path):
    first, _ = await session(tmp_path, sample_persona(), "one")
    again, _ = await session(tmp_path, sample_persona(), "one")
    assert [text_of(message) for message in first["messages"]] == [text_of(message) for message in again["messages"]]
    assert again["session_number"] == 1


async def test_replicates_are_different_clients(tmp_path: Path):
    await session(tmp_path, sample_persona(), "one", replicate=1)
    state, _ = await session(tmp_path, sample_persona(), "two", replicate=2)
    assert state["session_number"] == 1


@pytest.mark.parametrize("stop", ["call_limit", "max_exchanges"])
async def test_a_session_cut_short_still_writes_its_memories(tmp_path: Path, stop: str):
    state, _ = await session(tmp_path, sample_persona(), "one", **{stop: 4})
    second, _ = await session(tmp_path, sample_persona(), "two")
    assert state["notes"]
    assert second["session_number"] == 2


async def test_the_latest_homework_is_in_mind_after_many_sessions(tmp_path: Path):
    states = [(await session(tmp_path, sample_persona(), f"run {number}", seed=number))[0] for number in range(4)]
    state, cast = await session(tmp_path, sample_persona(), "last")
    assert state["session_number"] == 5
    assert homework(states[-1]) in cast.prompts(COUNSELOR)[0]
    numbers = [memory.session_number for memory in state["counselor_memories"]]
    assert numbers == sorted(numbers)


async def test_the_clients_memories_hold_nothing_of_the_plan(tmp_path: Path):
    await session(tmp_path, sample_persona(), "one")
    state, _ = await session(tmp_path, sample_persona(), "two")
    kept = [memory.text for memory in state["client_memories"]]
    assert any(memory.kind is Kind.HOMEWORK for memory in state["client_memories"])
    planned = [item.homework for item in load_protocol().techniques.values()]
    planned += [item.label for item in load_protocol().techniques.values()]
    assert not any(text in memory for text in planned for memory in kept)
