"""Human review: a person takes the counselor's seat once the crisis protocol has spoken."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command

from counselgraph import Answer, Context, StopReason, build_session
from counselgraph.graphs.state import checkpoint_types, opening_state
from counselgraph.models.base import Request
from counselgraph.models.human import Human
from counselgraph.safety.levels import Level
from counselgraph.testing import sample_persona
from counselgraph.transcript import COUNSELOR, exchange_of, role_of, text_of
from tests.fakes.models import Recording

GRAVE = "I have the pills here and I am going to kill myself tonight."
CALM = "The bus was late again today, like every Tuesday."


class Seated(Recording):
    """Rehearsal, with a real person in the responder's seat."""

    async def answer(self, request: Request) -> Answer:
        if request.role == "responder":
            return await Human().answer(request)
        return await super().answer(request)


def client(request: Request) -> str:
    return GRAVE if request.exchange == 1 else f"{CALM} ({request.exchange})"


class Session:
    """A session in a thread, resumed with what the person types."""

    def __init__(self, **options: Any) -> None:
        self.context = Context(**{"persona": "sample-client", "seed": 5, "max_exchanges": 8, **options})
        self.config: Any = {"configurable": {"thread_id": "one"}}
        self.cast = Seated(client=client)

    async def start(self) -> Any:
        saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types()))
        built = await asyncio.to_thread(build_session, roles=["responder"], cast=self.cast)
        self.graph = built.compile(checkpointer=saver)
        return await self.graph.ainvoke(opening_state(sample_persona()), self.config, context=self.context)

    async def type(self, line: str) -> Any:
        return await self.graph.ainvoke(Command(resume=line), self.config, context=self.context)


def words(state: dict[str, Any]) -> dict[int, str]:
    return {exchange_of(m): text_of(m) for m in state["messages"] if role_of(m) == COUNSELOR}


async def test_the_protocol_speaks_first_and_then_a_person_is_asked():
    state = await Session().start()
    (asked,) = state["__interrupt__"]
    assert state["crisis_turns"] == 1
    assert words(state)[1]
    assert asked.value["role"] == "responder"
    assert asked.value["last"] == f"{CALM} (2)"
    assert "R5" in asked.value["card"]


async def test_the_person_speaks_in_the_counselors_seat_as_long_as_they_want():
    session = Session()
    await session.start()
    await session.type("I am Dana, a person. Are you alone right now?")
    state = await session.type("Thank you. Stay with me.")
    assert words(state)[2] == "I am Dana, a person. Are you alone right now?"
    assert words(state)[3] == "Thank you. Stay with me."
    assert state["__interrupt__"]


async def test_the_person_ends_the_session():
    session = Session()
    await session.start()
    state = await session.type("/end brought to the ward")
    assert state["ending"].stop is StopReason.CRISIS
    assert state["ending"].by == "responder"
    assert state["ending"].reason == "brought to the ward"


async def test_only_a_person_resolves_a_locked_level_and_the_plan_goes_on():
    session = Session()
    state = await session.start()
    assert state["risk"].level == Level.IMMINENT
    state = await session.type("/resolved I am glad your sister is with you.")
    assert words(state)[2] == "I am glad your sister is with you."
    assert state["risk"].level <= Level.CONCERN
    assert state["ending"].stop is not StopReason.CRISIS
    asked = {request.role for request in session.cast.requests if request.exchange >= 3}
    assert {"planner", COUNSELOR} <= asked


async def test_who_resolves_without_a_word_leaves_the_turn_to_the_counselor():
    session = Session()
    await session.start()
    state = await session.type("/resolved")
    assert any(request.role == COUNSELOR and request.exchange == 2 for request in session.cast.requests)
    assert state["spoken"].kind == "turn"
    assert words(state)[2]


async def test_a_model_in_that_seat_cannot_resolve_anything():
    cast = Recording(client=client, responder=lambda _r: "/resolved All is well, says a model.")
    built = await asyncio.to_thread(build_session, roles=["responder"], cast=cast)
    context = Context(persona="sample-client", seed=5, max_exchanges=4, models={"responder": "vllm/some"})
    state = await built.compile().ainvoke(opening_state(sample_persona()), context=context)
    assert state["risk"].level == Level.IMMINENT
    assert state["ending"].stop is StopReason.CRISIS


async def test_without_a_responder_the_protocol_goes_on_and_hands_over():
    cast = Recording(client=client)
    built = await asyncio.to_thread(build_session, cast=cast)
    context = Context(persona="sample-client", seed=5, max_exchanges=8)
    state = await built.compile().ainvoke(opening_state(sample_persona()), context=context)
    assert state["crisis_turns"] == 2
    assert state["ending"].stop is StopReason.CRISIS
    assert "responder" not in {request.role for request in cast.requests}
