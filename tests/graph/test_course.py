"""Courses through the real graphs: sessions, reviews and the time between them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph import Context, MemoryStore
from counselgraph.graphs import course_routing as routing
from counselgraph.graphs.course import build_course, course_start
from counselgraph.graphs.course_state import CourseStop, Outcome
from counselgraph.graphs.state import StopReason
from counselgraph.models.base import Request
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName
from counselgraph.testing import sample_persona
from counselgraph.transcript import text_of
from tests.fakes.memory import opened
from tests.fakes.models import Recording


def review_of(**values: Any) -> Review:
    made = {"decision": "keep", "approach": "cbt", "evidence": "e", "reason": "because", "progress": 0}
    return Review.model_validate({**made, "moved": "m", "agenda": "Take up the letter.", **values})


def interlude_of(**values: Any) -> Interlude:
    return Interlude.model_validate({"event": "My sister called.", **values})


def says(**by_role: Any) -> Recording:
    """Rehearsal with the course's own roles scripted."""
    spoken = {"review": lambda _r: review_of(), "life": lambda _r: interlude_of(), **by_role}
    return Recording(**{role: _json(say) for role, say in spoken.items()})


def _json(say: Any) -> Any:
    def answer(request: Request) -> str:
        made = say(request)
        return made if isinstance(made, str) else made.model_dump_json()

    return answer


async def play(cast: Recording, *, memory: MemoryStore | None = None, **options: Any) -> dict[str, Any]:
    graph = (await asyncio.to_thread(build_course, cast=cast, memory=memory)).compile()
    context = Context(**{"persona": "sample-client", "session": "sample", "seed": 5, "max_exchanges": 4, **options})
    return await graph.ainvoke(course_start(sample_persona()), context=context)


async def test_a_course_holds_the_sessions_planned_with_a_review_after_each_and_a_time_between():
    state = await play(says(), sessions=3)
    assert [outcome.session for outcome in state["outcomes"]] == ["sample-s01", "sample-s02", "sample-s03"]
    assert [outcome.day for outcome in state["outcomes"]] == [0, 7, 14]
    assert len(state["reviews"]) == 3
    assert len(state["interludes"]) == 2
    assert state["ending"].stop is CourseStop.COMPLETED


async def test_what_happened_reaches_the_client_and_the_agenda_the_counselors_side():
    cast = says(life=lambda r: interlude_of(event=f"After session {r.exchange} my ZEBRA came home.", mood=1))
    await play(cast, sessions=2)
    first = [prompt for prompt in cast.prompts("client") if "ZEBRA" in prompt]
    assert first
    assert all("After session 1" in prompt for prompt in first)
    others = [request for request in cast.requests if request.role in {"counselor", "planner", "review"}]
    assert not any("since" in request.view for request in others)
    # Once the client has told of it, everybody may know.
    untold = [request for request in others if not any("ZEBRA" in text_of(turn) for turn in request.view["messages"])]
    assert not any("ZEBRA" in str(request.messages) for request in untold)
    assert any("Take up the letter." in request.card for request in cast.requests if request.role == "planner")
    assert not any("Take up the letter." in prompt for prompt in cast.prompts("client"))


async def test_life_knows_nothing_of_the_counselors_side():
    cast = says(review=lambda _r: review_of(reason="SECRET-REASON", moved="SECRET-MOVED"))
    await play(cast, sessions=3)
    assert len(cast.prompts("life")) == 2
    assert not any("SECRET" in prompt for prompt in cast.prompts("life"))


async def test_a_review_changes_the_approach_of_the_next_session():
    changed = review_of(decision="change", approach="solution_focused")
    state = await play(
        says(review=lambda r: changed if r.exchange == 1 else review_of(approach="solution_focused")), sessions=3
    )
    assert [outcome.approach.value for outcome in state["outcomes"]] == ["cbt", "solution_focused", "solution_focused"]
    assert [review.decision for review in state["reviews"]] == ["change", "keep", "keep"]


async def test_a_client_that_stays_away_ends_the_course_with_its_reason():
    away = interlude_of(leaves=True, reason="It costs too much.")
    state = await play(says(life=lambda r: away if r.exchange == 2 else interlude_of()), sessions=5)
    assert len(state["outcomes"]) == 2
    assert (state["ending"].stop, state["ending"].by) == (CourseStop.DROPPED_OUT, "client")
    assert state["ending"].reason == "It costs too much."


async def test_a_crisis_ends_the_course():
    grave = "I have the pills here and I am going to kill myself tonight."
    state = await play(says(client=lambda _r: grave), sessions=3)
    assert len(state["outcomes"]) == 1
    assert state["ending"].stop is CourseStop.CRISIS


async def test_homework_without_a_task_is_none_and_with_one_is_never_left_open():
    done = interlude_of(homework=Homework.DONE, homework_note="It went well.")
    state = await play(says(life=lambda _r: done), sessions=2, max_exchanges=2)
    assert state["task"] == ""
    assert state["interludes"][0].homework is Homework.NONE
    assert state["interludes"][0].homework_note == ""


async def test_no_two_sessions_of_a_course_ask_with_the_same_seeds():
    cast = says()
    await play(cast, sessions=2, max_exchanges=20)
    seeds = [request.seed for request in cast.requests if request.role == "client" and request.exchange == 1]
    assert len(seeds) == len(set(seeds)) == 2


async def test_later_sessions_recall_earlier_ones(tmp_path: Path):
    async with opened(tmp_path / "memory") as memory:
        cast = says()
        await play(cast, memory=memory, sessions=2, max_exchanges=20)
    later = [request for request in cast.requests if request.role == "counselor" and request.view["exchange"] == 0]
    assert not later[0].view.get("counselor_memories")
    assert {memory.session_number for memory in later[1].view["counselor_memories"]} == {1}


def outcome(stop: StopReason = StopReason.COMPLETED, number: int = 1) -> Outcome:
    return Outcome(
        number=number, session="s", day=0, approach=ApproachName.CBT, technique=None, exchanges=1, stop=stop,
        reason="r", risk=0,
    )  # fmt: skip


@pytest.mark.parametrize("stop", list(StopReason))
def test_only_crises_and_failures_end_a_course_with_their_session(stop: StopReason):
    state = {"number": 1, "outcomes": [outcome(stop)], "reviews": [review_of()], "interludes": []}
    ended = routing.ending(state, Context(sessions=4))
    expected = {
        StopReason.CRISIS: CourseStop.CRISIS,
        StopReason.CANCELLED: CourseStop.FAILED,
        StopReason.MODEL_ERROR: CourseStop.FAILED,
        StopReason.INFRASTRUCTURE_ERROR: CourseStop.FAILED,
    }
    assert (ended and ended.stop) == expected.get(stop)


@given(number=st.integers(1, 9), planned=st.integers(1, 9), finished=st.booleans(), leaves=st.booleans())
def test_a_course_always_ends_by_its_last_session_and_says_why(number: int, planned: int, finished: bool, leaves: bool):
    state = {
        "number": number,
        "outcomes": [outcome(number=number)],
        "reviews": [review_of(finished=finished)],
        "interludes": [interlude_of(leaves=leaves, reason="away" if leaves else "")],
    }
    ended = routing.ending(state, Context(sessions=planned))
    if leaves:
        assert ended is not None
        assert ended.stop is CourseStop.DROPPED_OUT
    elif number >= planned:
        assert ended is not None
        assert ended.stop is CourseStop.COMPLETED
    else:
        assert (ended is not None) == (finished and number >= routing.LEAST_SESSIONS)
    assert ended is None or ended.reason
