"""Cards: what a prompt says of the person."""

from __future__ import annotations

import pytest

from counselgraph import Persona, load_personas
from counselgraph.agents.cards import (
    _CONDITIONS,
    attitude_card,
    client_card,
    intake_card,
    memory_card,
    technique_list,
)
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.protocols.protocol import load_protocol
from counselgraph.testing import sample_persona


def test_the_clients_card_leaves_out_what_is_not_known():
    card = client_card(sample_persona())
    assert "Robin Vale" in card
    assert "Marital status" not in card
    assert "None" not in card


def test_every_field_of_a_rich_persona_reaches_its_own_card():
    for persona in load_personas("builtin").personas:
        card = client_card(persona) + attitude_card(persona)
        mind, past = persona.conceptualization, persona.history
        texts = [
            persona.presenting_problem.statement,
            *mind.automatic_thoughts,
            *mind.core_beliefs,
            *mind.situations,
            past.life,
            *persona.supports,
            *persona.goals,
            *(item.text for item in persona.disclosures),
            *persona.risk.statements,
            *persona.style.habits,
        ]
        assert [text for text in texts if text not in card] == []


def test_the_intake_card_holds_nothing_of_the_hidden_part():
    for persona in load_personas("builtin").personas:
        card = intake_card(persona.for_counselor())
        hidden = [*persona.conceptualization.automatic_thoughts, *persona.risk.statements]
        assert not any(text in card for text in hidden)


def test_what_a_client_tells_only_later_stands_under_its_condition():
    persona = load_personas("builtin/claire-moreau").personas[0]
    lines = client_card(persona).splitlines()
    for when, heading in _CONDITIONS.items():
        topics = [item.topic for item in persona.disclosures if item.when is when]
        at = lines.index(f"{heading}:")
        assert [line.partition(":")[0] for line in lines[at + 1 : at + 1 + len(topics)]] == [f"- {t}" for t in topics]


def test_a_client_without_risk_is_told_so_and_one_with_risk_what_its_limit_is():
    calm = client_card(sample_persona())
    grave = client_card(load_personas("builtin/samuel-osei").personas[0])
    assert "you have no thoughts of dying" in calm
    assert "you have no thoughts of dying" not in grave
    assert "3. I've had thoughts of killing myself." in grave
    assert "nothing graver than the last" in grave


@pytest.mark.parametrize(("receptivity", "words"), [(0, "hardly"), (0.5, "slowly"), (1, "You like new ideas")])
def test_how_much_a_client_takes_in_is_said_in_words(receptivity, words):
    assert words in attitude_card(sample_persona().model_copy(update={"receptivity": receptivity}))


def test_no_memories_are_said_to_be_none():
    assert memory_card(()) == "Nothing yet. This is the first session."


def test_memories_say_which_session_they_come_from():
    memory = MemoryRecord(owner="client", client_id="c", kind=Kind.FACT, text="A fact.", session="s", session_number=2)
    assert memory_card([memory]) == "- (session 2, fact) A fact."


def test_the_planner_is_shown_all_fourteen():
    listed = technique_list(load_protocol()).splitlines()
    assert len(listed) == 14


def test_what_the_client_sees_has_no_intake_and_no_source():
    persona: Persona = load_personas("builtin").personas[0]
    assert persona.source is not None
    own = persona.for_client()
    assert own.source is None
    assert own.intake is None
