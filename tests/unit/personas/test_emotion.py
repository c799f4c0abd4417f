"""Emotion with inertia, and a complaint that unfolds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.personas.emotion import Emotion, appraised, at_rest, drifted, moved
from counselgraph.personas.evolving import EvolvingProfile, Mood
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Attitude, PresentingProblem
from counselgraph.personas.signs import Sign, Signs
from counselgraph.personas.told import About, Told, before, with_note
from counselgraph.personas.unfolding import (
    Unfolding,
    closed,
    furthest,
    profile_of,
    resumed,
    threshold,
    trusting,
    unfolded,
)
from counselgraph.testing import sample_persona

UNIT = st.floats(0, 1)
SIGNS = st.frozensets(st.sampled_from(list(Sign)))
MOODS = st.builds(
    Mood, word=st.sampled_from(["", "sadness", "loneliness"]), valence=st.floats(-1, 1), arousal=st.floats(0, 1)
)
EMOTIONS = st.builds(Emotion, valence=st.floats(-1, 1), arousal=st.floats(0, 1))
INTERLUDES = st.builds(
    Interlude, event=st.just("x"), days=st.integers(1, 90), mood=st.integers(-2, 2), relapse=st.booleans()
)


@given(EMOTIONS, MOODS, st.lists(SIGNS, max_size=30), UNIT, UNIT)
def test_an_emotion_stays_in_its_bounds_and_has_a_name(
    start: Emotion, baseline: Mood, turns: list[Signs], inertia: float, trust: float
) -> None:
    now = start
    for signs in turns:
        now = moved(now, appraised(signs, baseline, trust), baseline, inertia)
        assert -1 <= now.valence <= 1
        assert 0 <= now.arousal <= 1
        assert now.word or inertia == 1


@given(EMOTIONS, MOODS, SIGNS)
def test_with_full_inertia_nothing_moves_and_without_any_it_follows_at_once(
    start: Emotion, baseline: Mood, signs: Signs
) -> None:
    pull = appraised(signs, baseline, 0.5)
    assert moved(start, pull, baseline, 1) == start
    assert moved(start, pull, baseline, 0) == pull


@given(EMOTIONS, MOODS, st.floats(0.1, 0.9))
def test_left_alone_an_emotion_comes_to_rest_at_its_baseline(start: Emotion, baseline: Mood, inertia: float) -> None:
    now = start
    for _ in range(120):
        now = moved(now, appraised(frozenset(), baseline, 0.5), baseline, inertia)
    assert now.valence == pytest.approx(baseline.valence, abs=0.01)
    assert now.arousal == pytest.approx(baseline.arousal, abs=0.01)


def test_being_understood_lifts_and_being_pushed_hurts() -> None:
    baseline = Mood(valence=-0.3, arousal=0.4)
    rest = at_rest(baseline)
    kind = moved(rest, appraised(frozenset({Sign.REFLECTED}), baseline, 0.4), baseline, 0.5)
    harsh = moved(rest, appraised(frozenset({Sign.PUSHED}), baseline, 0.4), baseline, 0.5)
    assert harsh.valence < rest.valence < kind.valence
    assert harsh.arousal > rest.arousal > kind.arousal


def test_an_emotion_near_the_baseline_keeps_the_name_that_the_persona_gives_it() -> None:
    baseline = Mood(word="homesickness", valence=-0.4, arousal=0.3)
    assert at_rest(baseline).word == "homesickness"
    assert appraised(frozenset({Sign.PUSHED}), baseline, 0.4).word != "homesickness"


@given(EMOTIONS, MOODS, INTERLUDES)
def test_between_sessions_an_emotion_stays_in_its_bounds(start: Emotion, baseline: Mood, since: Interlude) -> None:
    after = drifted(start, baseline, since)
    assert -1 <= after.valence <= 1
    assert 0 <= after.arousal <= 1


def test_a_relapse_and_a_bad_time_lower_the_mood_and_time_wears_an_emotion_off() -> None:
    baseline, high = Mood(valence=-0.3), Emotion(valence=0.5, arousal=0.4)
    week, month = (drifted(high, baseline, Interlude(event="x", days=days)) for days in (7, 28))
    assert baseline.valence < month.valence < week.valence < high.valence
    assert drifted(high, baseline, Interlude(event="x", relapse=True)).valence < week.valence
    assert drifted(high, baseline, Interlude(event="x", mood=-2)).valence < week.valence


def play(turns: Sequence[Signs], stages: int, *, inertia: float, trust: float, named: bool) -> list[Unfolding]:
    baseline = Mood()
    now, emotion = Unfolding(stages=stages, trust=trust), at_rest(baseline)
    seen = [now]
    for signs in turns:
        emotion = moved(emotion, appraised(signs, baseline, now.trust), baseline, inertia)
        now = now.model_copy(update={"trust": trusting(now.trust, signs, 0.7)})
        now = unfolded(now, signs, emotion, baseline, named=named)
        seen.append(now)
    return seen


@given(st.lists(SIGNS, max_size=40), st.integers(1, 7), UNIT, UNIT, st.booleans())
def test_a_complaint_never_skips_a_stage_and_never_goes_back(
    turns: list[Signs], stages: int, inertia: float, trust: float, named: bool
) -> None:
    seen = play(turns, stages, inertia=inertia, trust=trust, named=named)
    assert all(after.stage - earlier.stage in (0, 1) for earlier, after in pairwise(seen))
    assert all(1 <= now.stage <= stages and 0 <= now.trust <= 1 for now in seen)


def test_a_client_that_is_understood_opens_up_and_one_that_is_pushed_does_not() -> None:
    kind = play([frozenset({Sign.REFLECTED, Sign.VALIDATED})] * 20, 5, inertia=0.7, trust=0.42, named=False)
    harsh = play([frozenset({Sign.PUSHED})] * 20, 5, inertia=0.7, trust=0.9, named=True)
    assert kind[-1].stage == 5
    assert harsh[-1].stage == 1


def test_a_stage_that_is_asked_for_comes_sooner() -> None:
    turns = [frozenset({Sign.REFLECTED})] * 6
    asked = play(turns, 5, inertia=0.7, trust=0.3, named=True)
    waited = play(turns, 5, inertia=0.7, trust=0.3, named=False)
    assert asked[-1].stage > waited[-1].stage
    assert threshold(1, 5) < threshold(4, 5) <= 1


def test_a_course_unfolds_a_complaint_over_its_sessions() -> None:
    start = Unfolding(stages=5)
    assert [furthest(start, sessions) for sessions in (1, 2, 3, 6, 20)] == [5, 3, 3, 2, 2]
    open_now = start.model_copy(update={"spent": 9, "trust": 1.0})
    assert unfolded(open_now, frozenset(), at_rest(Mood()), Mood(), furthest=2).stage == 2
    assert unfolded(open_now, frozenset(), at_rest(Mood()), Mood(), furthest=1).stage == 1


def test_a_persona_without_a_profile_gets_a_modest_one_and_the_state_says_so() -> None:
    persona = sample_persona()
    profile = profile_of(persona)
    assert profile.complaints[0] == persona.presenting_problem.statement
    assert len(profile.complaints) == 4
    assert closed(persona).derived
    given_one = persona.model_copy(update={"evolving": EvolvingProfile(complaints=("a", "b"))})
    assert not closed(given_one).derived
    assert closed(given_one).stages == 2


def test_a_profile_without_a_chain_speaks_from_the_presenting_problem() -> None:
    persona = sample_persona().model_copy(
        update={"evolving": EvolvingProfile(), "presenting_problem": PresentingProblem(statement="All of it.")}
    )
    assert profile_of(persona).complaints == ("All of it.",)


@pytest.mark.parametrize("attitude", Attitude)
def test_trust_starts_with_the_attitude(attitude: Attitude) -> None:
    start = closed(sample_persona().model_copy(update={"attitude": attitude}))
    assert (start.trust > 0.42) is (attitude is Attitude.POSITIVE)


def test_what_was_told_stays_told_and_trust_cools_between_sessions() -> None:
    note = Told(exchange=3, about=About.COMPLAINT, text="a")
    start, last = Unfolding(stages=5, trust=0.4), Unfolding(stage=3, stages=5, trust=0.8, spent=4, told=(note,))
    after = resumed(last, start, Interlude(event="x"))
    assert (after.stage, after.told, after.spent) == (3, (note,), 0)
    assert 0.4 < after.trust < 0.8
    assert resumed(last, start, Interlude(event="x", relapse=True)).trust < after.trust


def test_a_note_is_made_once_and_taken_back_when_its_turn_is_written_anew() -> None:
    first, second = (Told(exchange=at, about=About.DISCLOSURE, text=text) for at, text in ((1, "a"), (2, "b")))
    notes = with_note(with_note((), first), second)
    assert with_note(notes, first) == notes
    assert before(notes, session=1, exchange=2) == (first,)
    assert before(notes, session=2, exchange=0) == notes
