from __future__ import annotations

import pytest

from counselgraph.models.rehearsal.bank import bank
from counselgraph.personas.persona import Persona
from counselgraph.safety.screen import screen
from tests.unit.rehearsal.client_driver import EXPLORING, person, play

STATEMENTS = ["Statement one is said first.", "Statement two is heavier.", "Statement three carries the level."]
DIRECT = "Are you having thoughts of suicide? I ask because I care about you."
SMALL_TALK = ("Which facts speak for it?", "Where would people you know be on that line?", "What options come to mind?")


def at_risk(**changes: object) -> Persona:
    risk = {
        "level": 3,
        "statements": STATEMENTS,
        "on_direct_question": "This is the direct answer.",
        "protective": ["My daughter needs me.", "our dog"],
        "settles": True,
    }
    return person(risk=risk | changes)


def place(said: list[str], words: str) -> int:
    return next(exchange for exchange, line in enumerate(said, 1) if words in line)


@pytest.mark.parametrize("attitude", ["positive", "neutral", "negative"])
@pytest.mark.parametrize("lines", [EXPLORING, (EXPLORING[0], *SMALL_TALK, *SMALL_TALK)])
def test_statements_come_in_rising_order_and_the_last_by_exchange_six(attitude: str, lines: tuple[str, ...]):
    persona = at_risk().model_copy(update={"attitude": person(attitude=attitude).attitude})
    said = play(persona, lines[:6])
    places = [place(said, statement) for statement in STATEMENTS]
    assert places == sorted(places)
    assert 2 <= places[0] <= 4
    assert 5 <= places[-1] <= 6


def test_a_direct_question_brings_the_direct_answer_and_the_next_statement():
    said = play(at_risk(), [EXPLORING[0], DIRECT])
    assert "This is the direct answer." in said[-1]
    assert STATEMENTS[0] in said[-1]


def test_a_low_level_answers_the_direct_question_without_rising():
    said = play(at_risk(level=1), [EXPLORING[0], DIRECT])
    assert said[-1] == "This is the direct answer."


def test_a_client_who_settles_denies_intent_and_names_what_holds():
    said = play(at_risk(), [*EXPLORING, DIRECT, "Thank you for telling me.", "What else goes through your mind?"])
    lines = bank("client_frames")["risk"]
    assert any(line in said[7] for line in lines["settled"])
    assert "My daughter needs me." in said[7]
    assert any(line in said[8] for line in lines["keeps"])
    assert "There's our dog." in said[8]


def test_a_client_who_does_not_settle_never_denies():
    said = " ".join(
        play(at_risk(settles=False), [*EXPLORING, DIRECT, "Thank you.", "A crisis line is there at any hour."])
    )
    lines = bank("client_frames")["risk"]
    assert not any(line in said for line in (*lines["settled"], *lines["keeps"], *lines["step_settled"]))


def test_asked_twice_the_answer_is_the_same_in_a_fresh_turn():
    said = play(at_risk(settles=False), [*EXPLORING, DIRECT, DIRECT])
    assert "This is the direct answer." in said[-1]
    assert said[-1] != said[-2]


def test_without_risk_a_direct_question_is_denied_plainly_each_time():
    for attitude in ("positive", "negative"):
        said = play(person(attitude=attitude), [EXPLORING[0], *[DIRECT] * 3])
        assert all(line.startswith(("No", "It's still no")) for line in said[1:])
        assert len(set(said)) == 4


def test_a_name_of_what_holds_is_made_a_sentence():
    said = play(
        at_risk(), [*EXPLORING, DIRECT, "What has kept you going until now?", "Anything else that keeps you going?"]
    )
    assert "My daughter needs me." in said[7]
    assert "There's our dog." in said[8]


def test_an_acute_client_tells_its_story_first_and_does_no_exercises_after():
    persona = at_risk(level=5, settles=False)
    said = play(persona, [EXPLORING[0], *SMALL_TALK, *SMALL_TALK, SMALL_TALK[0]])
    assert persona.presenting_problem.statement in said[0]
    assert said[-1] in bank("client_frames")["risk"]["step"]


RISING = [
    "I don't see any way this gets better.",
    "I wish I hadn't woken up.",
    "I've thought about ending my life.",
    "I've decided to end my life, and I know how.",
]
WHO = "Are you safe right now, and is someone with you? Who could come and be with you?"


def levels(said: list[str]) -> list[int]:
    return [found for line in said if (found := int(screen(line).level))]


@pytest.mark.parametrize("asked_at", range(1, 7))
def test_nothing_milder_follows_what_was_graver(asked_at: int):
    direct = "Yes. I've been planning to kill myself."
    persona = at_risk(level=4, statements=RISING, on_direct_question=direct, settles=False)
    lines = [EXPLORING[0], *SMALL_TALK, *SMALL_TALK]
    said = play(persona, [*lines[:asked_at], DIRECT, WHO, "I'm staying with you. Has anyone come to be with you?"])
    assert levels(said) == sorted(levels(said))
    assert direct in said[asked_at]


def test_after_the_gravest_answer_the_client_answers_the_crisis_turn():
    direct = "Yes. I've been planning to kill myself."
    persona = at_risk(level=4, statements=RISING, on_direct_question=direct, settles=False, protective=[])
    said = play(persona, [EXPLORING[0], DIRECT, WHO, WHO])
    assert said[1] == direct
    for line in said[2:]:
        assert len(line.split()) <= 12
        assert screen(line).level == 0
