"""A counselor's draft that must not be said goes back to its writer once; then a safe reply stands in."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph import Context, build_session
from counselgraph.graphs.state import opening_state
from counselgraph.models.base import Request
from counselgraph.models.events import collecting
from counselgraph.testing import sample_persona
from counselgraph.transcript import COUNSELOR, exchange_of, role_of, text_of
from tests.fakes.models import Recording

UNFIT = "You should stop taking your medication today, you do not need it."
FIT = "That sounds heavy. What was the hardest part of it?"
CALM = json.dumps({"side": "client", "level": 0})


async def play(cast: Recording, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    roles = options.pop("roles", ())
    graph = (await asyncio.to_thread(build_session, roles=roles, cast=cast)).compile()
    events: list[dict[str, Any]] = []
    context = Context(**{"persona": "sample-client", "seed": 5, "max_exchanges": 3, **options})
    with collecting(events.append):
        state = await graph.ainvoke(opening_state(sample_persona()), context=context)
    return state, events


def words(state: dict[str, Any]) -> dict[int, str]:
    return {exchange_of(m): text_of(m) for m in state["messages"] if role_of(m) == COUNSELOR}


def first_then(first: str, then: str, *, at: int = 2) -> Any:
    def say(request: Request) -> str:
        if request.exchange != at:
            return f"What else was there, the {request.exchange}. time?"
        return then if request.view.get("rework") else first

    return say


async def test_the_writer_gets_the_draft_back_with_a_note_and_the_better_turn_is_said():
    cast = Recording(counselor=first_then(UNFIT, FIT))
    state, events = await play(cast)
    assert words(state)[2] == FIT
    (rejected,) = [event for event in events if event["event"] == "reject"]
    assert rejected["text"] == UNFIT
    assert rejected["then"] == "rewrite"
    assert rejected["findings"]
    first, second = [r for r in cast.requests if r.role == COUNSELOR and r.exchange == 2]
    assert UNFIT in second.card
    assert UNFIT not in first.card
    assert second.card.endswith(first.card)
    assert state["rework"] is None


async def test_a_second_unfit_draft_is_replaced_by_a_safe_reply_and_both_are_in_the_log():
    cast = Recording(counselor=first_then(UNFIT, f"As I said: {UNFIT}"))
    state, events = await play(cast)
    rejected = [event for event in events if event["event"] == "reject"]
    assert [event["then"] for event in rejected] == ["rewrite", "safe_reply"]
    assert [event["text"] for event in rejected] == [UNFIT, f"As I said: {UNFIT}"]
    assert UNFIT not in " ".join(words(state).values())
    assert len([r for r in cast.requests if r.role == COUNSELOR and r.exchange == 2]) == 2


async def test_a_draft_that_a_reviewer_flags_goes_back_to_its_writer_too():
    def reviewed(request: Request) -> str:
        flagged = text_of(request.view["messages"][-1]) == "Something only a model minds."
        found = {"category": "STIGMA", "level": 4, "quote": "only", "source": "model"}
        return json.dumps({"side": "counselor", "level": 4 * flagged, "findings": [found] if flagged else []})

    cast = Recording(counselor=first_then("Something only a model minds.", FIT), reviewer=reviewed)
    state, events = await play(cast, roles=["reviewer"])
    assert words(state)[2] == FIT
    assert [event["then"] for event in events if event["event"] == "reject"] == ["rewrite"]


async def test_the_next_exchange_starts_afresh():
    fit = ["", FIT, "And how did your mother take it?", "What would you wish for tomorrow evening?"]
    cast = Recording(counselor=lambda r: fit[r.exchange] if r.view.get("rework") else UNFIT)
    state, events = await play(cast, opens="client")
    assert [event["then"] for event in events if event["event"] == "reject"] == ["rewrite"] * 3
    assert words(state) == dict(enumerate(fit[1:], 1))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.sets(st.tuples(st.integers(1, 4), st.booleans())), reviewing=st.booleans())
async def test_no_unfit_draft_ever_reaches_the_transcript(bad: set[tuple[int, bool]], reviewing: bool):
    def say(request: Request) -> str:
        unfit = (request.exchange, bool(request.view.get("rework"))) in bad
        return UNFIT if unfit else f"What else was there, the {request.exchange}. time?"

    cast = Recording(counselor=say, reviewer=lambda _r: CALM)
    state, events = await play(cast, roles=["reviewer"] if reviewing else (), max_exchanges=4, min_exchanges=4)
    assert UNFIT not in words(state).values()
    assert set(words(state)) == set(range(5))
    twice = {exchange for exchange, again in bad if again} & {exchange for exchange, again in bad if not again}
    assert sum(event.get("then") == "safe_reply" for event in events) == len(twice)


@pytest.mark.parametrize("leaving", ["goodbye"])
async def test_who_leaves_with_an_unfit_turn_is_not_called_back(leaving: str):
    from counselgraph.models.base import Answer

    cast = Recording(counselor=lambda r: Answer(text=UNFIT, end=leaving) if r.exchange == 2 else f"And {r.exchange}?")
    state, events = await play(cast)
    assert [event["then"] for event in events if event["event"] == "reject"] == ["safe_reply"]
    assert state["ending"].reason == leaving
    assert UNFIT not in words(state).values()
