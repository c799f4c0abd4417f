"""Readiness to change: its transitions, what is done and told, and how inconsistency is counted."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.personas.consistency import given_away, inconsistencies
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.moves import (
    ALLOWED,
    NOTED,
    WEIGHTS,
    Action,
    Tells,
    action_weights,
    choose_telling,
    draw,
    fits_a_plan,
)
from counselgraph.personas.readiness import Readiness, beginning, carried, nearness, previous, profile_of, shifted
from counselgraph.personas.signs import Sign, Signs
from counselgraph.personas.told import Told
from counselgraph.testing import sample_persona

PROFILE = MotivationProfile(
    change="drinking less",
    beliefs=("A glass helps me sleep.", "Everybody at the harbour drinks."),
    motivation="My grandson asked whether I would still be there for the regatta.",
    topics=("the regatta", "my grandson", "family"),
    plans=("I could row on Sunday mornings instead of going to the bar.",),
)
STAGES = list(Stage)
UNIT = st.floats(0, 1)
SIGNS = st.frozensets(st.sampled_from(list(Sign)))
STATES = st.builds(
    Readiness, stage=st.sampled_from(STAGES), progress=UNIT, receptivity=UNIT, reached=st.booleans(), fell=st.booleans()
)


def place(state: Readiness) -> int:
    return STAGES.index(state.stage)


@given(STATES, st.lists(st.tuples(SIGNS, UNIT), max_size=40))
def test_a_stage_is_never_skipped_and_only_a_push_throws_back(
    start: Readiness, turns: list[tuple[Signs, float]]
) -> None:
    now = start
    for signs, near in turns:
        after = shifted(now, signs, near)
        step = place(after) - place(now)
        assert step in (-1, 0, 1)
        assert step >= 0 or Sign.PUSHED in signs
        assert 0 <= after.receptivity <= 1
        assert 0 <= after.progress <= 1
        now = after


def test_readiness_grows_with_what_comes_near_and_falls_one_stage_with_a_confrontation() -> None:
    start = Readiness(stage=Stage.PRECONTEMPLATION, receptivity=0.5)
    now = start
    for _ in range(12):
        now = shifted(now, frozenset({Sign.REFLECTED, Sign.EVOKED}), 0.8)
    assert place(now) >= 2
    fallen = shifted(now.model_copy(update={"progress": 0.1}), frozenset({Sign.PUSHED}), 0)
    assert place(fallen) == place(now) - 1
    assert fallen.fell
    assert place(shifted(fallen, frozenset({Sign.PUSHED}), 0)) == place(fallen)


def test_who_is_never_told_anything_stays_where_it_is() -> None:
    start = Readiness(stage=Stage.CONTEMPLATION)
    assert shifted(start, frozenset(), 0) == start


@pytest.mark.parametrize(
    ("words", "near"),
    [
        ("Will you row in the regatta with your grandson?", 1.0),
        ("Tell me about the regatta.", 0.75),
        ("And your family?", 0.25),
        ("How did you sleep?", 0.0),
    ],
)
def test_nearness_is_told_by_the_topics_that_lead_to_the_reason(words: str, near: float) -> None:
    assert nearness(words, PROFILE) == near


@given(st.sampled_from(STAGES), UNIT, SIGNS, UNIT, st.sampled_from([True, False, None]), st.integers())
def test_an_action_fits_its_stage_and_the_same_seed_draws_the_same(
    stage: Stage, receptivity: float, signs: Signs, near: float, fits: bool | None, seed: int
) -> None:
    weights = action_weights(stage, receptivity, signs, near, fits=fits)
    assert all(weight > 0 for weight in weights.values())
    action = draw(weights, random.Random(seed))
    assert action in WEIGHTS[stage]
    assert action is draw(weights, random.Random(seed))
    assert Sign.ADVISED in signs or action not in {Action.ACCEPT, Action.REJECT}


@given(st.sampled_from(list(Action)), st.sampled_from(STAGES), st.booleans())
def test_nothing_is_told_before_its_stage(action: Action, stage: Stage, reached: bool) -> None:
    kind, text = choose_telling(action, stage, PROFILE, (), "Anything.", reached=reached)
    assert kind in ALLOWED[stage]
    assert bool(text) is (kind is not Tells.NOTHING)
    assert reached or kind is not Tells.REASON


def test_what_is_told_is_new_and_nearest_to_what_was_said() -> None:
    first = choose_telling(Action.DENY, Stage.PRECONTEMPLATION, PROFILE, (), "Who drinks there?", reached=False)
    assert first == (Tells.BELIEF, PROFILE.beliefs[1])
    notes = (Told(exchange=1, about=NOTED[first[0]], text=first[1]),)
    second = choose_telling(Action.DENY, Stage.PRECONTEMPLATION, PROFILE, notes, "Who drinks there?", reached=False)
    assert second == (Tells.BELIEF, PROFILE.beliefs[0])


def test_a_suggestion_is_accepted_only_if_it_is_one_the_client_could_have_had() -> None:
    assert fits_a_plan("Could you row on Sunday?", PROFILE)
    assert fits_a_plan("Try a meeting tonight.", PROFILE) is False
    assert fits_a_plan("Anything", MotivationProfile(change="x")) is None
    offered = frozenset({Sign.ADVISED})
    assert Action.ACCEPT not in action_weights(Stage.ACTION, 1, offered, 0, fits=False)
    assert Action.ACCEPT in action_weights(Stage.ACTION, 1, offered, 0, fits=True)


def test_a_persona_without_a_profile_gets_a_modest_one_and_the_state_says_so() -> None:
    start = beginning(sample_persona())
    assert start.derived
    assert start.stage is Stage.CONTEMPLATION
    assert profile_of(sample_persona()).motivation == ""
    assert not beginning(sample_persona().model_copy(update={"motivation": PROFILE})).derived


def test_between_sessions_a_relapse_costs_a_stage_and_nothing_else_does() -> None:
    start = Readiness(stage=Stage.PRECONTEMPLATION, receptivity=0.4)
    last = Readiness(stage=Stage.PREPARATION, progress=0.5, receptivity=0.8, reached=True, action=Action.PLAN)
    kept = carried(last, start, Interlude(event="x", mood=-1))
    assert (kept.stage, kept.reached, kept.action) == (Stage.PREPARATION, True, None)
    assert 0.4 < kept.receptivity < 0.8
    assert carried(last, start, Interlude(event="x", relapse=True)).stage is Stage.CONTEMPLATION
    assert previous(Stage.PRECONTEMPLATION) is Stage.PRECONTEMPLATION


@given(STATES)
def test_a_state_survives_json(state: Readiness) -> None:
    assert Readiness.model_validate(state.model_dump(mode="json")) == state


def test_what_is_given_away_before_its_time_is_seen_in_the_words() -> None:
    assert given_away(PROFILE.motivation, PROFILE, Stage.PRECONTEMPLATION) == (Tells.REASON,)
    assert given_away(PROFILE.motivation, PROFILE, Stage.CONTEMPLATION) == ()
    assert given_away("I could row on Sunday mornings, not go to the bar.", PROFILE, Stage.CONTEMPLATION) == (
        Tells.PLAN,
    )
    assert given_away(PROFILE.beliefs[0], PROFILE, Stage.PRECONTEMPLATION) == ()


def test_inconsistencies_are_counted_over_a_trace() -> None:
    clean = [Readiness(stage=stage) for stage in STAGES]
    assert inconsistencies(clean) == (4, 0, 0, 0)
    assert inconsistencies(clean).rate == 0
    broken = [
        Readiness(stage=Stage.PRECONTEMPLATION, action=Action.PLAN, tells=Tells.PLAN),
        Readiness(stage=Stage.PREPARATION, untimely=(Tells.REASON,)),
    ]
    assert inconsistencies(broken) == (2, 1, 1, 1)
    assert inconsistencies(broken).rate == 1.5
    assert inconsistencies([]).rate == 0
    assert all(abs(place(a) - place(b)) == 1 for a, b in pairwise(clean))
