"""What a persona can tell and talk with: its sentences by topic, and the words that fit into phrases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from counselgraph.models.rehearsal.client import derive
from counselgraph.models.rehearsal.spoken import known, spoken, units
from counselgraph.personas.persona import Persona

_FINE = re.compile(
    r"(?:\bnot|n't|\bnever) (?:been |really |significantly )*(?:affected|impacted|experienced any|suffered)"
    r"|satisfactory|\b(?:fine|going well|do well|does well|do fine|on time|all right)\b|no (?:problems|strain)",
    re.IGNORECASE,
)
_POOR = re.compile(r"^(?:I (?:do(?: not|n't)|have no\b|haven't)|no one|nobody|there'?s no)|^no\b", re.IGNORECASE)
_PRETENDED = re.compile(r"\b(?:tell|say|told|said|pretend)\b", re.IGNORECASE)
_TURN = re.compile(r",? (?:but|though|although|however|and I let|even when)\b.*$", re.IGNORECASE)
_SENTENCE_START = re.compile(
    r"^(?:I|I'\w+|my|the|it|it's|we|he|she|they|there|there's|this|that|these|nothing|every\w+|no\w*|at|in|on|when|since|some|"
    r"most|people|over|balancing|avoiding|being|one|half|where|things|life)\b",
    re.IGNORECASE,
)
_THIRD_PERSON = re.compile(r"^(?:the )?(?:client|patient)\b", re.IGNORECASE)
_GOAL_WORDS = 3
_VAGUE_GOAL = re.compile(r"\bsupport\b|\bthese (?:issues|emotions|feelings|problems)\b", re.IGNORECASE)
"""Goals that say no more than that somebody comes for help."""
_AREA_FRAMES = {"work": "Work-wise I'm {}", "relationships": "With people it's {}", "daily": "Day to day it's {}"}


@dataclass(frozen=True)
class Material:
    """A persona, sorted for talking.

    Attributes:
        facets: Topic to pieces that are told in one go ("onset", "work", "supports", ...).
        thoughts: Clauses or fragments in the client's head, without a full stop, most central first.
        beliefs: The same for what the client takes themselves to be.
        emotions: (noun, words that fit "I felt ...").
        slots: Words that fit into phrases, by slot name; a missing name means the persona has none.
        english: False when the persona's sentences must stay whole and alone.
    """

    facets: Mapping[str, tuple[str, ...]]
    thoughts: tuple[str, ...]
    beliefs: tuple[str, ...]
    emotions: tuple[tuple[str, str], ...]
    slots: Mapping[str, str]
    english: bool


_SORTED: dict[int, tuple[Persona, Material]] = {}
"""Personas sorted lately, by identity: a persona holds dictionaries and cannot be hashed."""
_MOST_SORTED = 256


def material_of(persona: Persona) -> Material:
    """Sort a persona for talking; the same object is sorted once."""
    known = _SORTED.get(id(persona))
    if known is not None and known[0] is persona:
        return known[1]
    if len(_SORTED) >= _MOST_SORTED:
        _SORTED.clear()
    material = _sorted(persona)
    _SORTED[id(persona)] = persona, material
    return material


def _sorted(persona: Persona) -> Material:
    english = persona.language == "en"
    facets = _facets(persona, english=english)
    if not english:
        return Material(facets, (), (), (), {}, english=False)
    thoughts = _thoughts(persona)
    emotions = _emotions(persona)
    hinted = derive.belief_from(_problem_text(persona))
    beliefs = tuple(map(_bare, persona.conceptualization.core_beliefs)) or ((hinted,) if hinted else ())
    return Material(facets, thoughts, beliefs, emotions, _slots(persona, facets), english=True)


def _facets(persona: Persona, *, english: bool) -> dict[str, tuple[str, ...]]:
    problem, mind, past, life = (
        persona.presenting_problem,
        persona.conceptualization,
        persona.history,
        persona.functioning,
    )
    raw: dict[str, tuple[str, ...]] = {
        "statement": (problem.statement,),
        "reason": (persona.reason_for_counseling,),
        "onset": (problem.onset,),
        "cause": (problem.cause,),
        "course": (problem.course,),
        "triggers": (problem.triggers,),
        "coping": (problem.coping,),
        "situations": mind.situations,
        "behaviours": mind.behaviours,
        "previous": (past.previous_episodes,),
        "treatment": (past.treatment,),
        "medical": (past.medical,),
        "life": (past.life,),
        "work": (life.work,),
        "relationships": (life.relationships,),
        "daily": (life.daily_life,),
        "supports": persona.supports,
        "rules": mind.intermediate_beliefs if english else (),
        "goals": _goals(persona.goals) if english else persona.goals,
    }
    facets = {name: _pieces(name, texts, english=english) for name, texts in raw.items()}
    areas = [
        (text, _FINE.search(_TURN.sub("", text)) and not _PRETENDED.search(text))
        for name in ("work", "relationships", "daily")
        for text in facets[name]
    ]
    facets["fine"] = tuple(text for text, fine in areas if fine)
    facets["impaired"] = tuple(text for text, fine in areas if not fine)
    facets["helpers"] = tuple(text for text in facets["supports"] if not _POOR.match(text))
    return facets


def _pieces(name: str, texts: Iterable[str], *, english: bool) -> tuple[str, ...]:
    found: list[str] = []
    for text in texts:
        if not known(text) or (english and _THIRD_PERSON.match(text)):
            continue
        whole = _framed(name, text) if english and name in _AREA_FRAMES else text
        found.extend(units(whole, english=english))
    return tuple(found)


def _framed(area: str, text: str) -> str:
    if _SENTENCE_START.match(text) or re.search(r"\b(?:I|my|me)\b", text):
        return text
    return _AREA_FRAMES[area].format(text[:1].lower() + text[1:])


def _goals(goals: Iterable[str]) -> tuple[str, ...]:
    return tuple(_goal(goal) for goal in goals if len(goal.split()) >= _GOAL_WORDS and not _VAGUE_GOAL.search(goal))


def _goal(goal: str) -> str:
    bare = re.sub(r"^to ", "", goal.strip().rstrip("."), flags=re.IGNORECASE)
    if re.match(r"(?:I|I'd|my|we)\b", bare):
        return f"{bare}."
    lowered = bare[:1].lower() + bare[1:]
    if re.match(r"(?:an?|the|my|some|less|more|fewer|better|\w+ing)\b", lowered):
        return f"What I'd want is {lowered}."
    return f"I'd like to {lowered}."


def _problem_text(persona: Persona) -> str:
    problem = persona.presenting_problem
    fields = (
        problem.statement,
        problem.course,
        problem.triggers,
        problem.cause,
        problem.onset,
        persona.reason_for_counseling,
    )
    return " ".join(text for text in fields if known(text))


def _thoughts(persona: Persona) -> tuple[str, ...]:
    given = tuple(map(_bare, persona.conceptualization.automatic_thoughts))
    if given:
        return given
    problem = persona.presenting_problem
    fields = (problem.statement, problem.course, problem.triggers, problem.cause, persona.reason_for_counseling)
    found = (derive.thought_in(sentence) for text in fields for sentence in re.split(r"(?<=[.!?])\s+", text))
    derived = tuple(dict.fromkeys(thought for thought in found if thought))
    return derived or tuple(map(_bare, persona.conceptualization.core_beliefs))


def _bare(thought: str) -> str:
    return spoken(thought.strip(" \"'“”")).removesuffix(".")


def _emotions(persona: Persona) -> tuple[tuple[str, str], ...]:
    given = [(noun.casefold(), derive.felt(noun)) for noun in persona.conceptualization.emotions]
    found = derive.emotions_in([_problem_text(persona), persona.functioning.daily_life])
    words = {felt for _noun, felt in given}
    return (*given, *(emotion for emotion in found if emotion[1] not in words))


def _slots(persona: Persona, facets: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    told = [*facets["situations"], *facets["triggers"], *facets["course"], *facets["statement"]]
    troubled = [*facets["goals"], *told, persona.reason_for_counseling, *facets["relationships"]]
    helpers = [_TURN.sub("", text).rstrip(".") for text in facets["helpers"]]
    areas = [*facets["statement"], *facets["course"], *facets["behaviours"], *facets["relationships"], *facets["daily"]]
    causes = [persona.presenting_problem.cause, persona.presenting_problem.onset, persona.presenting_problem.triggers]
    found = {
        "when": derive.first(map(derive.when_in, [*facets["triggers"], *told])),
        "moment": derive.first(map(derive.moment_in, [*facets["triggers"], *told])),
        "person": derive.first(map(derive.person_in, [*troubled, *facets["helpers"]])),
        "helper": derive.first(map(derive.helper_in, helpers)),
        "support": derive.first(helpers),
        "avoided": derive.first(map(derive.avoided_in, areas)),
        "cause": derive.first(map(derive.cause_in, causes)),
        "fine": derive.first(derive.closed(_TURN.sub("", text).rstrip(".")) for text in facets["fine"]),
        "goal": derive.first(facets["goals"]),
    }
    return {name: value for name, value in found.items() if value}
