"""Clients that change, through the real graph: their state is private, in the log, and the session comes to its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from counselgraph import Context, Persona, Role, build_session, load_personas
from counselgraph.agents.evolving import evolving
from counselgraph.agents.mi import mi
from counselgraph.agents.role import find_roles
from counselgraph.graphs.seats import DEFAULT_ROLES, seat
from counselgraph.graphs.state import checkpoint_types, opening_state
from counselgraph.models.rehearsal.reading import content_words
from counselgraph.models.rehearsal.words import sentences
from counselgraph.personas.consistency import inconsistencies
from counselgraph.personas.readiness import Readiness
from counselgraph.runner.events import events_of
from counselgraph.testing import sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR
from tests.fakes.models import Recording

CHANNELS = {"evolving": ("complaint", "emotion"), "mi": ("readiness",)}
ROLES = {"evolving": evolving, "mi": mi}
A_SENTENCE = 4
"""Words from which a sentence said twice would be noticed."""


async def play(role: Role, persona: Persona, cast: Any = None, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    """A session's final channels, private ones included, and the notes that a log would hold."""
    cast = cast or Recording()
    builder = await asyncio.to_thread(build_session, roles=[role], cast=cast)
    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types()))
    graph = builder.compile(checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "one"}}
    context = Context(**{"persona": persona.id, "seed": 3, "max_exchanges": 8, **options})
    notes: list[dict[str, Any]] = []
    async for update in graph.astream(opening_state(persona), config, context=context, stream_mode="updates"):
        for node, values in update.items():
            notes += [event for event in events_of(node, values) if event["event"] == "note"]
    return graph.get_state(config).values, notes


@pytest.mark.parametrize("name", ROLES)
async def test_a_session_is_played_and_the_state_is_in_the_log_at_every_turn(name: str) -> None:
    final, notes = await play(ROLES[name], sample_persona())
    assert final["ending"]
    spoken = [message for message in final["messages"] if message.name == CLIENT]
    for channel in CHANNELS[name]:
        trace = [note["value"] for note in notes if note["channel"] == channel]
        assert [value["exchange"] for value in trace] == list(range(1, len(spoken) + 1))
        assert final[channel] == trace[-1]
        assert {note["role"] for note in notes} == {CLIENT}


@pytest.mark.parametrize("name", ROLES)
async def test_the_state_is_private(name: str) -> None:
    cast = Recording()
    builder = await asyncio.to_thread(build_session, roles=[ROLES[name]], cast=cast)
    persona = sample_persona()
    final = await builder.compile().ainvoke(opening_state(persona), context=Context(persona=persona.id))
    assert not set(CHANNELS[name]) & set(final)
    others = [request for request in cast.requests if request.role != CLIENT]
    assert others
    assert not any(set(CHANNELS[name]) & set(request.view) for request in others)


@pytest.mark.parametrize("name", ROLES)
async def test_a_session_of_such_a_client_comes_out_the_same_again(name: str) -> None:
    first, notes = await play(ROLES[name], sample_persona())
    second, again = await play(ROLES[name], sample_persona())
    assert notes == again
    assert [message.text for message in first["messages"]] == [message.text for message in second["messages"]]


@pytest.mark.parametrize("name", ROLES)
def test_a_role_named_client_can_be_offered_under_another_name(name: str) -> None:
    found = find_roles([name], ROLES)
    seats = seat(DEFAULT_ROLES, found)
    assert seats.chains[CLIENT] == (ROLES[name],)


async def test_a_monitored_session_says_the_exchange_of_every_state() -> None:
    _, notes = await play(mi, sample_persona(), max_exchanges=5)
    alone = [note["value"]["exchange"] for note in notes]
    builder = await asyncio.to_thread(build_session, roles=[mi, "monitor", "reviewer"], cast=Recording())
    persona = sample_persona()
    watched: list[int] = []
    context = Context(persona=persona.id, seed=3, max_exchanges=5)
    async for update in builder.compile().astream(opening_state(persona), context=context, stream_mode="updates"):
        watched += [values["readiness"]["exchange"] for values in update.values() if "readiness" in (values or {})]
    assert watched[: len(alone)] == alone


def advises(request: Any) -> str:
    return f"You should take up running, lap {request.exchange}."


async def test_a_client_that_is_only_advised_stays_where_it_is() -> None:
    final, _ = await play(mi, sample_persona(), Recording(**{COUNSELOR: advises}))
    assert sum("take up running" in message.text for message in final["messages"]) > 3
    assert final["readiness"]["stage"] == "contemplation"
    assert final["readiness"]["receptivity"] < 0.5
    final, _ = await play(evolving, sample_persona(), Recording(**{COUNSELOR: advises}))
    assert final["complaint"]["stage"] == 1
    assert final["emotion"]["valence"] < -0.4


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "file"), [("evolving", "annaAgent"), ("evolving", "annaAgent_family_stress_case"), ("mi", "consistentMI")]
)
async def test_clients_of_other_systems_play_with_their_state(test_data: Path, name: str, file: str) -> None:
    path = test_data / "personas_formats" / f"{file}.json"
    loaded = await asyncio.to_thread(load_personas, path)
    for persona in loaded.personas:
        final, notes = await play(ROLES[name], persona, language=persona.language)
        assert final["ending"]
        assert _derived(notes) == {False}
        if name == "mi":
            trace = [Readiness.model_validate(note["value"]) for note in notes]
            assert inconsistencies(trace)[1:3] == (0, 0)


def _derived(notes: list[dict[str, Any]]) -> set[bool]:
    return {note["value"]["derived"] for note in notes if "derived" in note["value"]}


@pytest.mark.parametrize("who", ["ahmed-saleh", "carmen-ruiz", "reza-karimi", "samuel-osei", "yuki-tanaka"])
async def test_the_complaint_is_not_said_beside_an_answer_that_says_it(who: str) -> None:
    (persona,) = (await asyncio.to_thread(load_personas, f"builtin/{who}")).personas
    final, _ = await play(evolving, persona, max_exchanges=2)
    first = next(message.text for message in final["messages"] if message.name == CLIENT)
    told = [content_words(part) or part for part in sentences(first)]
    assert not [part for at, part in enumerate(told) if part in told[:at]]


@pytest.mark.parametrize(
    ("name", "who"),
    [("evolving", "hannah-levy"), ("evolving", "george-papadakis"), ("mi", "kwame-mensah"), ("mi", "daniel-reyes")],
)
async def test_twenty_exchanges_in_rehearsal_hardly_repeat_themselves(name: str, who: str) -> None:
    (persona,) = (await asyncio.to_thread(load_personas, f"builtin/{who}")).personas
    final, _ = await play(ROLES[name], persona, max_exchanges=20, min_exchanges=20)
    said = [message.text for message in final["messages"] if message.name == CLIENT]
    parts = [part for text in said for part in sentences(text) if len(part.split()) >= A_SENTENCE]
    # What goes through somebody's head may come up again: it is quoted.
    told = Counter(part for part in parts if not part.startswith('"'))
    assert len(said) > 15
    assert sum(times - 1 for times in told.values()) <= 2


async def test_an_unfolding_complaint_is_said_stage_by_stage_in_the_rehearsal_clients_words() -> None:
    (persona,) = (await asyncio.to_thread(load_personas, "builtin/marlene-fischer")).personas
    final, notes = await play(evolving, persona, max_exchanges=20, min_exchanges=20)
    said = [message.text for message in final["messages"] if message.name == CLIENT]
    reached = max(note["value"]["stage"] for note in notes if note["channel"] == "complaint")
    texts = persona.evolving.complaints[:reached] if persona.evolving else ()
    places = [next(at for at, words in enumerate(said) if text in words) for text in texts]
    assert reached > 2
    assert places == sorted(places)
