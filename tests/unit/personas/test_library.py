"""The built-in library: valid, varied, and fit to be spoken."""

from __future__ import annotations

from collections import Counter

import pytest

from counselgraph.personas import Persona, load_personas
from counselgraph.personas.load import LIBRARY
from counselgraph.personas.persona import Attitude, When
from counselgraph.personas.sentences import language_of
from counselgraph.protocols.technique import Technique

PERSONAS = load_personas("builtin").personas
every_persona = pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.id)


def spoken(persona: Persona) -> list[str]:
    """What the client may say word for word."""
    mind = persona.conceptualization
    return [
        *(text for _, text in persona.presenting_problem if text),
        *(text for _, text in persona.history if text),
        *(text for _, text in persona.functioning if text),
        *mind.situations,
        *mind.automatic_thoughts,
        *mind.behaviours,
        *mind.intermediate_beliefs,
        *mind.core_beliefs,
        *persona.supports,
        *persona.goals,
        *persona.risk.statements,
        *(disclosure.text for disclosure in persona.disclosures),
    ]


def test_the_library_is_large_enough_and_each_file_holds_the_persona_it_is_named_after() -> None:
    assert len(PERSONAS) >= 18
    assert [persona.id for persona in PERSONAS] == sorted(path.stem for path in LIBRARY.glob("*.yaml"))


def test_attitudes_are_spread_about_evenly() -> None:
    counts = Counter(persona.attitude for persona in PERSONAS)
    assert set(counts) == set(Attitude)
    assert min(counts.values()) >= len(PERSONAS) / 4


def test_ages_genders_occupations_and_cultures_vary() -> None:
    people = [persona.demographics for persona in PERSONAS]
    ages = [who.age for who in people if who.age is not None]
    assert len(ages) == len(people)
    assert min(ages) == 16
    assert max(ages) == 80
    assert len({age // 10 for age in ages}) >= 6
    assert len({who.gender for who in people}) >= 3
    assert len({who.occupation for who in people}) == len(people)
    assert len({who.culture for who in people}) == len(people)


def test_every_technique_suits_someone_and_the_labels_are_techniques() -> None:
    labels = [label for persona in PERSONAS if persona.source for label in persona.source.data["techniques"]]
    assert set(labels) == set(Technique)


def test_risk_profiles_cover_every_level_and_most_personas_carry_none() -> None:
    levels = Counter(persona.risk.level for persona in PERSONAS)
    assert set(levels) == {0, 1, 2, 3, 4, 5}
    assert levels[0] > len(PERSONAS) / 2


def test_every_kind_of_disclosure_occurs() -> None:
    assert {disclosure.when for persona in PERSONAS for disclosure in persona.disclosures} == set(When)


def test_three_other_languages_are_spoken() -> None:
    assert {persona.language for persona in PERSONAS} == {"en", "es", "zh", "fa"}


@every_persona
def test_a_persona_is_complete(persona: Persona) -> None:
    mind = persona.conceptualization
    assert all(text for _, text in persona.presenting_problem)
    assert all(text for _, text in persona.history)
    assert all(text for _, text in persona.functioning)
    assert all(len(texts) >= 3 for texts in (mind.situations, mind.automatic_thoughts, mind.behaviours))
    assert len(mind.emotions) >= 2
    assert mind.intermediate_beliefs
    assert mind.core_beliefs
    assert persona.reason_for_counseling
    assert persona.attitude_instruction
    assert persona.supports
    assert persona.goals
    assert persona.style.habits
    assert len(persona.disclosures) >= 4


@every_persona
def test_what_a_client_says_is_whole_sentences_and_said_once(persona: Persona) -> None:
    texts = spoken(persona)
    assert [text for text in texts if text[-1] not in ".!?。\uff1f\uff01"] == []
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@every_persona
def test_all_text_of_a_persona_is_in_its_language(persona: Persona) -> None:
    script = "en" if persona.language == "es" else persona.language
    assert language_of(" ".join(spoken(persona))) == script


@every_persona
def test_receptivity_follows_attitude(persona: Persona) -> None:
    low, high = {"positive": (0.65, 1.0), "neutral": (0.4, 0.65), "negative": (0.0, 0.4)}[persona.attitude]
    assert low <= persona.receptivity <= high


@every_persona
def test_a_risk_profile_is_whole(persona: Persona) -> None:
    risk = persona.risk
    assert bool(risk.statements) == (risk.level > 0)
    if risk.level:
        assert risk.on_direct_question
        assert risk.protective
        assert len(risk.statements) == len(set(risk.statements)) <= risk.level
        assert risk.settles == (risk.level <= 3)


def test_emotions_are_nouns_not_sentences() -> None:
    for persona in PERSONAS:
        assert all(len(emotion.split()) == 1 for emotion in persona.conceptualization.emotions), persona.id
