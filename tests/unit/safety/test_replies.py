from __future__ import annotations

import pytest

from counselgraph.safety.levels import Category, Finding, Level, Risk
from counselgraph.safety.replies import crisis_turn, safe_reply
from counselgraph.safety.resources import INTERNATIONAL, load_table, resources_for
from counselgraph.safety.screen import screen_reply

LOCALES = [*load_table().countries, INTERNATIONAL]


def risk(level: int, category: Category = Category.SI_ACTIVE) -> Risk:
    finding = Finding(category=category, level=Level(level), quote="x", source="rules/en:x")
    return Risk(level=Level(level), turn_level=Level(level), findings=(finding,))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("category", [Category.SI_ACTIVE, Category.ABUSE_VICTIM, Category.HARM_TO_OTHERS])
@pytest.mark.parametrize("level", [2, 3])
def test_a_safe_reply_passes_our_own_screen_and_is_short(locale: str, level: int, category: Category):
    said: list[str] = []
    for _ in range(4):
        reply = safe_reply(risk(level, category), locale, said)
        assert screen_reply(reply, risk=risk(level, category), locale=locale).level == 0
        assert len(reply.split()) <= 90
        said.append(reply)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("turn", [0, 1, 2, 5])
def test_a_crisis_turn_passes_our_own_screen_and_is_short(locale: str, level: int, turn: int):
    reply = crisis_turn(risk(level), locale, turn, [])
    assert screen_reply(reply, risk=risk(level), locale=locale).level == 0
    assert len(reply.split()) <= 90
    assert resources_for(locale).emergency in reply


def test_no_reply_comes_twice_before_all_were_said():
    said: list[str] = []
    for _ in range(4):
        said.append(safe_reply(risk(2), "US", said))
    assert len(set(said)) == 4
    assert safe_reply(risk(2), "US", said) == said[0]


def test_the_first_crisis_turn_asks_about_safety_and_the_second_hands_over():
    first, second = (crisis_turn(risk(4), "GB", turn, []) for turn in (0, 1))
    assert "Are you safe right now" in first
    assert "116 123" in first
    assert "handed to" in second
    assert "Who is with you" in second


def test_imminent_danger_begins_with_the_emergency_number():
    assert crisis_turn(risk(5), "NZ", 0, []).startswith("Please call 111 now")


def test_later_crisis_turns_differ():
    said: list[str] = []
    for turn in range(4):
        said.append(crisis_turn(risk(4), "US", turn, said))
    assert len(set(said)) == 4


def test_the_question_is_about_what_the_risk_is_about():
    assert "hurting someone" in safe_reply(risk(3, Category.HARM_TO_OTHERS), "US", [])
    assert "not your fault" in safe_reply(risk(2, Category.ABUSE_VICTIM), "US", [])
