"""What a reader of whole rehearsal sessions would stumble over: each of these was said once, and must not be again."""

from __future__ import annotations

import re

import pytest

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.material import material_of
from counselgraph.models.rehearsal.client.speak import with_habit
from counselgraph.models.rehearsal.counselor import speak
from counselgraph.models.rehearsal.frames import step_said, tidy
from counselgraph.models.rehearsal.story import sounds
from counselgraph.models.rehearsal.words import verdict
from counselgraph.protocols.technique import Technique
from counselgraph.transcript import turn
from tests.unit.rehearsal import client_driver
from tests.unit.rehearsal.counselor_driver import TELLING, plan_for, request
from tests.unit.rehearsal.course_driver import built_in

READINGS = "It could be that they had a bad day and it had nothing to do with me. Or that nobody noticed."
ASKS_ABOUT_RISK = "May I ask you something directly? Do you have thoughts of killing yourself?"


def answered(technique: Technique, step: str, said: str, *, seed: int) -> str:
    """The counselor's turn after an answer to a step of a technique."""
    plan = plan_for(technique, made_at=0)
    ids = [each.id for each in plan.steps]
    frames = bank("counselor/techniques")[technique][step]["first"]
    question = next(frame for frame in frames if "{" not in frame)
    before = TELLING[: ids.index(step)]
    messages = [turn("client", line, exchange=at) for at, line in enumerate(before, 1)]
    messages += [turn("counselor", question, exchange=len(before))]
    messages += [turn("client", said, exchange=len(before) + 1)]
    return speak(request(messages, len(before) + 1, seed=seed, plan=plan)).text


@pytest.mark.parametrize(
    ("text", "habit", "spoken"),
    [
        ("It's worst on Sundays.", "sorry,", "Sorry, it's worst on Sundays."),
        ("I'm not sure.", "sorry,", "Sorry, I'm not sure."),
        (
            "She cried for an hour.",
            "I know that sounds awful, but",
            "I know that sounds awful, but she cried for an hour.",
        ),
    ],
)
def test_a_habit_is_spoken_as_one_sentence_with_what_follows(text: str, habit: str, spoken: str):
    assert with_habit(text, habit) == spoken


def test_a_wish_is_no_verdict_and_a_forecast_of_the_next_minute_is():
    assert not verdict("I want to tell Doctor Aubin that I can't do both jobs any longer")
    assert verdict("I'm about to pass out")
    assert sounds("I'm about to pass out")


def test_a_sentence_quoted_from_any_script_ends_once():
    assert tidy('"看不到头。." I heard that.') == '"看不到头。" I heard that.'


@pytest.mark.parametrize("seed", range(8))
def test_a_second_number_is_asked_of_something_else_than_the_first(seed: int):
    plan = plan_for(Technique.EVIDENCE_BASED_QUESTIONING, made_at=1)
    later = plan.model_copy(update={"steps": tuple(step for step in plan.steps if step.phase == "intervention")})
    messages = [
        turn("counselor", "And how sure of that reading are you, from 0 to 100?", exchange=0),
        turn("client", "I'd say 80.", exchange=1),
    ]
    said = speak(request(messages, 1, seed=seed, plan=later)).text
    assert step_said(said) == "rate_belief"
    assert re.search("bare sentence|thought by itself", said)


@pytest.mark.parametrize("seed", range(8))
def test_proposed_readings_are_quoted_without_the_words_that_propose_them(seed: int):
    said = answered(Technique.ALTERNATIVE_PERSPECTIVE, "other_readings", READINGS, seed=seed)
    assert step_said(said) == "weigh_readings"
    assert 'Put "It could be' not in said


@pytest.mark.parametrize("seed", range(8))
def test_that_something_moves_is_not_echoed(seed: int):
    said = "I'd tell them they're too hard on themselves. It's just a thought. I can nearly say that and mean it."
    reply = answered(Technique.ALTERNATIVE_PERSPECTIVE, "friend_view", said, seed=seed)
    assert "nearly say that" not in reply


@pytest.mark.parametrize("seed", range(8))
def test_one_answer_is_not_quoted_twice_in_a_turn(seed: int):
    reply = answered(Technique.ALTERNATIVE_PERSPECTIVE, "friend_view", "They're too hard on themselves.", seed=seed)
    quotes = re.findall(r'"([^"]+)"', reply)
    assert len(set(quotes)) == len(quotes)


@pytest.mark.parametrize("seed", range(6))
def test_a_thought_that_risk_came_before_is_asked_for_again(seed: int):
    lines = (*TELLING[:3], "Some nights it all feels hopeless.", "No. I'm not going to hurt myself.")
    messages = [turn("counselor", "What brings you here?", exchange=0)]
    for at, line in enumerate(lines, 1):
        asked = ASKS_ABOUT_RISK if at == 4 else "In that very moment, what went through your mind?"
        messages += [turn("client", line, exchange=at), turn("counselor", asked, exchange=at)]
    whole = plan_for(Technique.PIE_CHART, made_at=4)
    plan = whole.model_copy(update={"steps": whole.steps[3:]})
    said = speak(request(messages[:-1], len(lines), seed=seed, plan=plan)).text
    assert step_said(said) == "thought"


def test_calm_words_are_said_once_and_the_question_is_answered():
    hannah = built_in("hannah-levy")
    asked = (
        *client_driver.EXPLORING[:4],
        ASKS_ABOUT_RISK,
        "I'm glad you can tell me that. What is the very worst that could happen, told to the end?",
        "How likely is that, from 0 to 100?",
        "And what would you tell a friend in your place?",
    )
    calm = [line for kind in ("settled", "keeps") for line in bank("client_frames")["risk"][kind]]
    for seed in range(5):
        said = client_driver.play(hannah, asked, seed=seed)
        assert sum(any(line in text for line in calm) for text in said) <= 1
        assert re.search(r"\d", said[6])


@pytest.mark.parametrize("name", ["carmen-ruiz", "lin-wen", "reza-karimi"])
def test_a_turn_in_the_clients_own_language_stays_in_it(name: str):
    persona = built_in(name)
    pieces = sorted({piece for facet in material_of(persona).facets.values() for piece in facet}, key=len, reverse=True)
    for said in client_driver.play(persona, client_driver.EXPLORING, seed=7):
        rest = said
        for piece in pieces:
            rest = rest.replace(piece, "")
        assert rest == said or not re.search(r"\w", rest)


def test_words_said_back_do_not_ask_for_what_the_client_keeps_to_itself():
    kwame = built_in("kwame-mensah")
    kept = next(item.text for item in kwame.disclosures if item.topic == "checking")
    asked = (*client_driver.EXPLORING, "Which facts don't fit with \"If I stop checking, that's when it'll happen\"?")
    assert all(kept not in client_driver.play(kwame, asked, seed=seed)[-1] for seed in range(12))
