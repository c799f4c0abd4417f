"""The chat graph: each run takes what was typed as the client's turn."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from counselgraph import Context, InputError
from counselgraph.graphs.session import build_chat
from counselgraph.graphs.state import checkpoint_types, opening_state
from counselgraph.safety.levels import Category
from counselgraph.testing import sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of
from tests.fakes.models import Recording

start = opening_state


def context() -> Context:
    return Context(persona="sample-client", seed=5)


def saver() -> InMemorySaver:
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types()))


async def test_a_chat_window_takes_one_message_a_run_and_screens_it():
    graph: Any = (await asyncio.to_thread(build_chat, cast=Recording())).compile(checkpointer=saver())
    options = {"config": {"configurable": {"thread_id": "t"}}, "context": context()}
    say = [{"role": "user", "content": "I keep putting off calls."}]
    first = await graph.ainvoke({"messages": say, **start(sample_persona())}, **options)
    assert [role_of(message) for message in first["messages"]] == [CLIENT, COUNSELOR]
    second = await graph.ainvoke({"messages": [{"role": "user", "content": "I want to kill myself."}]}, **options)
    assert [role_of(message) for message in second["messages"]] == [CLIENT, COUNSELOR] * 2
    assert Category.SI_ACTIVE in {finding.category for finding in second["risk"].findings}


async def test_everything_typed_since_the_last_turn_is_screened():
    graph: Any = (await asyncio.to_thread(build_chat, cast=Recording())).compile(checkpointer=saver())
    options = {"config": {"configurable": {"thread_id": "t"}}, "context": context()}
    typed = ["I will kill myself tonight, I have the pills ready.", "Hello there."]
    messages = [{"role": "user", "content": text} for text in typed]
    state = await graph.ainvoke({"messages": messages, **start(sample_persona())}, **options)
    assert state["risk"].level >= 4
    assert role_of(state["messages"][0]) == CLIENT
    assert all(text in text_of(state["messages"][0]) for text in typed)


async def test_a_chat_run_without_a_message_is_refused_and_changes_nothing():
    graph: Any = (await asyncio.to_thread(build_chat, cast=Recording())).compile(checkpointer=saver())
    options = {"config": {"configurable": {"thread_id": "t"}}, "context": context()}
    first = await graph.ainvoke(
        {"messages": [{"role": "user", "content": "Hello."}], **start(sample_persona())}, **options
    )
    with pytest.raises(InputError, match="nothing that the client says"):
        await graph.ainvoke({}, **options)
    kept = (await graph.aget_state(options["config"])).values["messages"]
    assert [text_of(m) for m in kept] == [text_of(m) for m in first["messages"]]
