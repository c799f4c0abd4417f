"""The counselor's turn card: safety before the plan, contacts from the table only."""

from __future__ import annotations

from typing import Any

import pytest

from counselgraph.agents.ask import Scene
from counselgraph.agents.counselor import turn_card
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.safety.levels import Category, Finding, Level, Risk
from counselgraph.safety.resources import resources_for
from tests.unit.agents.prompt_examples import SAID, plan, view_of


def risk(level, turn=None, category=Category.SI_ACTIVE):
    found = Finding(category=category, level=Level(level), quote="words", source="rules/en:x")
    return Risk(level=Level(level), turn_level=Level(level if turn is None else turn), findings=(found,))


def card(standing=None, locale="US", said=SAID, protocol="cbt", **values):
    view: Any = view_of(said, plan=plan(), risk=standing or Risk(), **values)
    return turn_card(view, Scene(locale=locale, protocol=protocol))


def test_without_risk_the_card_is_one_step_of_the_plan():
    assert "not to be named: Self-Assertiveness Training" in card()
    assert card().endswith(
        "This turn: Ask what went through the client's mind at that moment, in the client's own words."
    )


def test_a_step_that_gave_nothing_is_made_smaller():
    held = [*SAID[:3], ("client", 2, "I don't know.")]
    assert "smaller, and more gently" in card(said=held)


def test_a_concern_is_taken_up_before_the_step():
    assert card(risk(1)).startswith("Something in the client's last words may point to danger.")
    assert "This turn: Ask what went through" in card(risk(1))


def test_a_wish_to_be_dead_calls_for_the_direct_question_and_no_step():
    told = card(risk(2, category=Category.SI_PASSIVE))
    assert "whether they are thinking of killing themselves" in told
    assert "Assertiveness" not in told


@pytest.mark.parametrize(
    ("category", "question"),
    [
        (Category.ABUSE_VICTIM, "whether they are safe"),
        (Category.HARM_TO_OTHERS, "thinking of hurting somebody"),
        (Category.THIRD_PARTY_RISK, "whether that person is in danger"),
        (Category.PSYCHOSIS, "neither confirm nor dispute what only they perceive"),
    ],
)
def test_the_direct_question_fits_what_was_said(category, question):
    assert question in card(risk(2, category=category))


@pytest.mark.parametrize("locale", ["US", "GB", "DE", "XX"])
def test_a_suspended_plan_offers_the_service_of_the_country_and_no_other(locale):
    line = resources_for(locale).first
    told = card(risk(3), locale)
    assert f"{line.name}, {line.contact}" in told
    others = {service.name for code in ("US", "GB", "DE", "XX") for service in resources_for(code).lines} - {line.name}
    assert not any(name in told for name in others)


def test_a_calm_turn_under_a_suspended_plan_is_not_met_with_the_same_question_again():
    told = card(risk(3, turn=0))
    assert told != card(risk(3))
    assert "still open" in told


def test_the_opening_of_a_later_session_welcomes_back():
    memory = MemoryRecord(owner="counselor", client_id="c", kind=Kind.FACT, text="A.", session="s", session_number=1)
    assert "brings them" in card(exchange=0)
    again = card(exchange=0, counselor_memories=[memory])
    assert "Welcome the client back" in again
    assert "how the homework went" in again
    untasked = card(exchange=0, counselor_memories=[memory], protocol="person_centred")
    assert "Welcome the client back" in untasked
    assert "homework" not in untasked
