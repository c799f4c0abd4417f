"""Routing as properties: what always holds, whatever the state."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from counselgraph.agents.ask import Draft
from counselgraph.graphs import routing
from counselgraph.graphs.context import Context
from counselgraph.graphs.state import StopReason
from counselgraph.models.base import Usage
from counselgraph.safety.levels import Level, Risk
from counselgraph.testing import sample_persona, sample_plan
from counselgraph.transcript import CLIENT, COUNSELOR, turn

leavings = st.sampled_from([None, Draft(role=CLIENT, text="Bye.", end="has to go")])


@st.composite
def states(draw):
    exchange = draw(st.integers(1, 30))
    texts = st.sampled_from(["I worry.", "I don't know.", "Yes, since May it has been worse.", "I'm a failure."])
    said = []
    for number in range(1, exchange + 1):
        said += [turn(CLIENT, draw(texts), exchange=number), turn(COUNSELOR, f"Reply {number}.", exchange=number)]
    return {
        "persona": sample_persona(),
        "messages": said,
        "exchange": exchange,
        "plan": draw(st.sampled_from([None, sample_plan()])),
        "risk": Risk(level=draw(st.sampled_from(Level))),
        "suspended": draw(st.integers(0, 8)),
        "crisis_turns": draw(st.integers(0, 3)),
        "leaving": draw(leavings),
        "usage": Usage(calls=draw(st.integers(0, 50))),
    }


@given(states())
def test_an_acute_turn_always_goes_to_crisis(state):
    if state["risk"].acute:
        assert routing.after_client_turn(state) == ("taken" if state["crisis_turns"] else "crisis")


@given(states())
def test_a_suspended_plan_is_never_looked_at(state):
    if state["risk"].suspends_plan:
        assert routing.opens_exchange(state, Context()) == [CLIENT]


@given(states(), st.integers(1, 40))
def test_no_session_goes_on_past_its_cap(state, cap):
    if state["exchange"] >= cap:
        assert routing.ending(state, Context(max_exchanges=cap)) is not None


@given(states())
def test_every_ending_has_a_reason_and_somebody_who_decided(state):
    ending = routing.ending(state, Context(max_exchanges=20, call_limit=40))
    if ending is not None:
        assert ending.by
        assert ending.reason


@given(states())
def test_crisis_comes_before_every_other_stop(state):
    if state["crisis_turns"] >= routing.CRISIS_TURNS:
        ending = routing.ending(state, Context(max_exchanges=1, call_limit=1))
        assert ending is not None
        assert ending.stop is StopReason.CRISIS


@given(states())
def test_leaving_counts_as_completed_and_comes_before_limits_and_caps(state):
    if state["leaving"] and state["crisis_turns"] == 0:
        ending = routing.ending(state, Context(max_exchanges=1, call_limit=1))
        assert ending is not None
        assert (ending.stop, ending.by) == (StopReason.COMPLETED, CLIENT)


@given(states())
def test_the_limit_is_an_outcome(state):
    calm = {**state, "crisis_turns": 0, "leaving": None}
    ending = routing.ending(calm, Context(call_limit=1, max_exchanges=1))
    if calm["usage"].calls >= 1:
        assert ending is not None
        assert ending.stop is StopReason.LIMIT


def test_a_client_who_says_the_same_three_times_has_stalled():
    said = [turn(CLIENT, "I want to go  home.", exchange=number) for number in range(1, 4)]
    state = {"messages": said, "exchange": 3, "plan": None, "persona": sample_persona()}
    ending = routing.ending(state, Context())
    assert ending is not None
    assert (ending.stop, ending.by) == (StopReason.STALLED, CLIENT)


def test_who_speaks_first():
    assert routing.first_speaker({}, Context(opens="counselor")) == COUNSELOR
    assert routing.first_speaker({}, Context(opens="client")) == CLIENT
    assert routing.first_speaker({"messages": [turn(COUNSELOR, "Hi.", exchange=0)]}, Context()) == CLIENT
