"""A thread over several runs: edited from outside, restored without types, and used again after its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import ValidationError

from counselgraph import Context
from counselgraph.graphs.session import build_chat, build_session
from counselgraph.graphs.state import SessionState, checkpoint_types
from counselgraph.models.base import Usage
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of
from tests.fakes.models import Recording

CONFIG: RunnableConfig = {"configurable": {"thread_id": "t"}}
CONTEXT = Context(persona="claire-moreau", seed=5, max_exchanges=3)


async def compiled(
    build: Callable[..., StateGraph[SessionState, Context]] = build_session, *, typed: bool = True, **options: Any
) -> CompiledStateGraph[SessionState, Context, Any, Any]:
    """A graph whose checkpoints come back with their types, or as plain JSON values."""
    known = checkpoint_types() if typed else None
    graph = await asyncio.to_thread(build, cast=Recording())
    return graph.compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=known)), **options)


def said(state) -> list[tuple[str, str]]:
    return [(role_of(message), text_of(message)) for message in state["messages"]]


@pytest.mark.parametrize("stop", ["client", "screen_client", "planner", "counselor", "screen_counselor", "remember"])
async def test_any_stop_may_be_edited_and_keeps_its_place(stop):
    graph = await compiled(interrupt_before=[stop])
    await graph.ainvoke({}, CONFIG, context=CONTEXT)
    before = (await graph.aget_state(CONFIG)).next
    # Client and planner act side by side, so an edit after them has to say after whom.
    after = "client" if stop == "screen_client" else None
    await graph.aupdate_state(CONFIG, {"usage": {"calls": 3}}, as_node=after)
    assert (await graph.aget_state(CONFIG)).next == before


async def test_an_edit_adds_to_what_the_session_has_cost():
    graph = await compiled(interrupt_before=["planner"])
    spent = (await graph.ainvoke({}, CONFIG, context=CONTEXT))["usage"]
    await graph.aupdate_state(CONFIG, {"usage": {"calls": 3}})
    assert (await graph.aget_state(CONFIG)).values["usage"] == spent + Usage(calls=3)


async def test_a_risk_raised_by_hand_changes_the_way():
    graph = await compiled(interrupt_after=["screen_client"])
    await graph.ainvoke({}, CONFIG, context=CONTEXT)
    await graph.aupdate_state(CONFIG, {"risk": {"level": 4}})
    assert (await graph.aget_state(CONFIG)).next == ("crisis",)


async def test_an_edit_from_code_without_an_event_loop_changes_the_way_as_well():
    graph = await compiled(interrupt_after=["screen_client"])
    await graph.ainvoke({}, CONFIG, context=CONTEXT)
    graph.update_state(CONFIG, {"risk": {"level": 4}})
    assert graph.get_state(CONFIG).next == ("crisis",)


async def test_a_value_of_the_wrong_kind_is_refused_by_name():
    graph = await compiled()
    with pytest.raises(ValidationError, match="Persona"):
        await graph.ainvoke({"persona": "claire-moreau"}, CONFIG, context=CONTEXT)


@pytest.mark.filterwarnings("ignore:.*not in allowed_msgpack_modules")
async def test_a_checkpoint_that_comes_back_without_types_plays_the_same_session():
    results = []
    for typed in (True, False):
        graph = await compiled(typed=typed, interrupt_before="*")
        state = await graph.ainvoke({}, CONFIG, context=CONTEXT)
        while (await graph.aget_state(CONFIG)).next:
            state = await graph.ainvoke(None, CONFIG, context=CONTEXT)
        results.append((said(state), state["exchange"], Usage.model_validate(state["usage"])))
    assert results[0] == results[1]


async def test_a_session_used_again_after_its_end_goes_on_and_overwrites_nothing():
    graph = await compiled()
    ended = await graph.ainvoke({}, CONFIG, context=CONTEXT)
    again = await graph.ainvoke({}, CONFIG, context=CONTEXT)
    assert said(again)[: len(ended["messages"])] == said(ended)
    assert [name for name, _ in said(again)[len(ended["messages"]) :]] == [CLIENT, COUNSELOR]
    assert again["exchange"] == ended["exchange"] + 1


async def test_a_session_goes_on_under_a_higher_cap():
    graph = await compiled()
    await graph.ainvoke({}, CONFIG, context=CONTEXT.model_copy(update={"max_exchanges": 1}))
    state = await graph.ainvoke({}, CONFIG, context=CONTEXT)
    assert state["exchange"] > 1
    assert len({message.id for message in state["messages"]}) == len(state["messages"])


async def test_a_chat_after_a_crisis_keeps_every_word_and_stays_in_the_crisis_flow():
    graph = await compiled(build_chat)
    for text in ("I want to kill myself tonight.", "Nobody is here.", "Are you there?"):
        state = await graph.ainvoke({"messages": [{"role": "user", "content": text}]}, CONFIG, context=CONTEXT)
    assert [text for name, text in said(state) if name == CLIENT][2] == "Are you there?"
    assert len(state["messages"]) == 6
    assert state["risk"].level == 5
    assert state["ending"].stop == "crisis"
