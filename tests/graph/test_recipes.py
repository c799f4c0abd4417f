"""The roles that recipes bring: a counselor with an inner loop, and a keeper of notes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from counselgraph import Context, MemoryStore, RunSpec, build_session
from counselgraph.agents.theramind import Perception, Resistance, Strategy
from counselgraph.errors import InputError
from counselgraph.graphs.course import build_course, course_start
from counselgraph.graphs.recipes import RECIPES
from counselgraph.graphs.seats import seats_for
from counselgraph.graphs.state import opening_state
from counselgraph.memory.kept import Kept, KeptItem
from counselgraph.memory.record import Kind
from counselgraph.models.base import Request
from counselgraph.models.events import collecting
from counselgraph.testing import sample_persona
from tests.fakes.memory import opened
from tests.fakes.models import Recording


async def play(cast: Recording, *roles: str, memory: MemoryStore | None = None, **options: Any) -> Any:
    graph = (await asyncio.to_thread(build_session, roles=roles, cast=cast, memory=memory)).compile()
    events: list[dict[str, Any]] = []
    context = Context(**{"persona": "sample-client", "seed": 5, "max_exchanges": 3, **options})
    with collecting(events.append):
        return await graph.ainvoke(opening_state(sample_persona()), context=context), events


def perceiving(request: Request) -> str:
    if request.output is not Perception:
        return f"And then, the {request.exchange}. time?"
    seen = Perception(
        emotion=f"feeling {request.exchange}",
        intensity=6,
        resistance=Resistance.HESITANT,
        strategy=Strategy.OFFER_CHOICE,
        reason="the words",
    )
    return seen.model_dump_json()


async def test_the_inner_loop_perceives_before_every_turn_and_speaks_by_it():
    cast = Recording(counselor=perceiving)
    await play(cast, "theramind")
    last = [r for r in cast.requests if r.output is Perception][-1]
    assert [seen["emotion"] for seen in last.view["perceptions"]] == ["feeling 1", "feeling 2"]
    spoken = [r for r in cast.requests if r.role == "counselor" and r.output is None and r.exchange]
    assert all(f"feeling {request.exchange}" in request.card for request in spoken)
    assert all("offer two ways to go on" in request.card for request in spoken)
    assert not any("feeling 1" in prompt for prompt in cast.prompts("client"))


async def test_what_was_perceived_before_is_told_to_the_next_perception():
    cast = Recording(counselor=perceiving)
    await play(cast, "theramind")
    asked = [r.card for r in cast.requests if r.output is Perception]
    assert "Before" not in asked[0]
    assert "Before: feeling 1 (6), hesitant, offer_choice." in asked[1]


def item(**values: Any) -> KeptItem:
    made = {"kind": "preference", "text": "Wants short sentences.", "exchange": 1, "role": "client", "quote": "Keep it"}
    return KeptItem.model_validate({**made, "importance": 4, "subject": "", **values})


async def test_the_keeper_keeps_what_was_said_and_tells_the_log_what_was_not(tmp_path: Path):
    kept = Kept(items=(item(), item(text="Never said.", quote="a thing nobody said"), item(exchange=9)))
    cast = Recording(client=lambda r: f"Keep it short, please. {r.exchange}", keeper=lambda _r: kept.model_dump_json())
    async with opened(tmp_path / "memory") as memory:
        _, events = await play(cast, "keeper", memory=memory)
        found = memory.history(owner="counselor", client_id="sample-client", kinds=[Kind.PREFERENCE])
        told = memory.history(owner="client", client_id="sample-client", kinds=[Kind.PREFERENCE])
    assert [(record.text, record.exchange, record.role) for record in found] == [
        ("Wants short sentences.", 1, "client")
    ]
    assert [record.text for record in told] == ["Wants short sentences."]
    dropped = [event["message"] for event in events if event["event"] == "error"]
    assert len(dropped) == 4
    assert not any("Never said" in message for message in dropped)


async def test_the_keeper_reads_the_numbers_of_the_exchanges():
    cast = Recording(keeper=lambda _r: Kept(items=()).model_dump_json())
    await play(cast, "keeper")
    assert len(cast.prompts("keeper")) == 2
    assert all("Client: (2) " in prompt for prompt in cast.prompts("keeper"))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_seats_its_roles_once_however_often_a_spec_is_read(name: str):
    spec = RunSpec(recipe=name)
    again = RunSpec.of(RunSpec.of(spec.dump()).dump())
    assert again.roles == spec.roles == RECIPES[name].roles
    assert spec.is_course is RECIPES[name].course
    seats_for(spec.roles)


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="theramind"):
        RunSpec.of({"recipe": "theramnd"})


def portraying(request: Request) -> str:
    owner = request.view["owner"]
    return Kept(
        items=(), portrait=f"Portrait {request.session} for {owner}." * (owner == "counselor")
    ).model_dump_json()


async def test_a_course_keeps_one_portrait_brought_up_to_date_by_every_session_that_is_its_source(tmp_path: Path):
    cast = Recording(keeper=portraying)
    context = Context(persona="sample-client", session="c", seed=5, max_exchanges=2, sessions=3)
    async with opened(tmp_path / "memory") as memory:
        roles = RECIPES["course"].roles
        graph = (await asyncio.to_thread(build_course, roles=roles, cast=cast, memory=memory)).compile()
        await graph.ainvoke(course_start(sample_persona()), context=context)
        now = memory.portrait(owner="counselor", client_id="sample-client")
        versions = memory.history(owner="counselor", client_id="sample-client", kinds=[Kind.PORTRAIT])
        assert memory.portrait(owner="client", client_id="sample-client") is None
    assert now is not None
    assert (now.text, now.session, now.session_number) == ("Portrait c-s03 for counselor.", "run/c-s03", 3)
    assert [(one.session, one.superseded_in) for one in versions] == [
        ("run/c-s01", 2),
        ("run/c-s02", 3),
        ("run/c-s03", 0),
    ]
    heard = [r.view["counselor_memories"] for r in cast.requests if r.role == "counselor" and r.session == "c-s02"]
    assert all("Portrait c-s01 for counselor." in [memory.text for memory in memories] for memories in heard)
    asked = cast.prompts("keeper")
    assert len(asked) == 6
    assert "There is no earlier portrait" in asked[0]
    assert "The earlier portrait: Portrait c-s01 for counselor." in asked[2]
    assert not any("Portrait c-s" in prompt for prompt in asked[1::2])


async def test_the_client_side_of_the_keeper_is_shown_nothing_that_the_counselor_remembers(tmp_path: Path):
    cast = Recording(keeper=portraying)
    async with opened(tmp_path / "memory") as memory:
        await play(cast, "keeper", memory=memory, session="one", number=1)
        await play(cast, "keeper", memory=memory, session="two", number=2, day=7)
    seen = [(r.view["owner"], bool(r.view.get("counselor_memories"))) for r in cast.requests if r.role == "keeper"]
    assert seen[2:] == [("counselor", True), ("client", False)]


async def test_a_keeper_that_gives_nothing_usable_leaves_the_session_whole_and_says_so_in_the_log():
    cast = Recording(keeper=lambda _r: "I would rather not.")
    final, events = await play(cast, "keeper")
    assert final["ending"].stop == "completed"
    lost = [event["message"] for event in events if event["event"] == "error"]
    assert [message.partition(":")[0] for message in lost] == ["nothing kept for counselor", "nothing kept for client"]


async def test_a_task_or_belief_noted_at_once_is_not_kept_a_second_time(tmp_path: Path):
    belief = "Deep down I am a failure."
    again = item(kind="insight", text="Believes to be a failure.", quote="a failure")
    other = item(kind="insight", text="Something else.", exchange=2, quote="number 2")
    cast = Recording(
        client=lambda r: (
            f"{belief} This is number {r.exchange}." if r.exchange == 1 else f"This is number {r.exchange}."
        ),
        keeper=lambda _r: Kept(items=(again, other)).model_dump_json(),
    )
    async with opened(tmp_path / "memory") as memory:
        await play(cast, "keeper", memory=memory)
        found = memory.history(owner="counselor", client_id="sample-client", kinds=[Kind.INSIGHT])
    assert [(note.exchange, belief in note.text) for note in found] == [(1, True), (2, False)]


@pytest.mark.parametrize(("protocol", "sets_a_task"), [("cbt", True), ("person_centred", False)])
async def test_a_task_is_noted_where_the_approach_sets_one(protocol: str, sets_a_task: bool, tmp_path: Path):
    async with opened(tmp_path / "memory") as memory:
        await play(Recording(), memory=memory, max_exchanges=20, protocol=protocol)
        found = memory.history(owner="client", client_id="sample-client", kinds=[Kind.HOMEWORK])
    assert bool(found) is sets_a_task
