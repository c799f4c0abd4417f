"""Slots: the client's own words in the forms that phrases ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.hearing import (
    LONGEST,
    SHORTEST,
    beside_the_point,
    feeling_noun,
    last_of,
    person_in,
    rating_in,
    stance,
    thought_in,
)
from counselgraph.models.rehearsal.words import LONG, capital, flip, lower, plain, quotable, sentences, telling, trimmed
from counselgraph.protocols.plan import Plan
from counselgraph.protocols.protocol import load_protocol

_THOUGHT = re.compile(
    r"\b(?:am|is|are|will|would|can't|cannot|could|never|always|must|should|don't|doesn't|have to|need to|going to"
    r"|deserve|no ?one|no ?body|every\w+|nothing|hates?|thinks?|sees?)\b|'(?:m|s|re|ll|d)\b",
    re.IGNORECASE,
)
_FORECAST = re.compile(r"\b(?:will|won't|going to|never|can't|would)\b|'ll\b", re.IGNORECASE)
_STORY = re.compile(
    r"^(?:I've been|I have been|I started|I decided|I came|I was|I want|I'm here|I need|I'm hoping)\b", re.IGNORECASE
)
_INNER = re.compile(r"\"([^\"]+?)[.]?\"")
_START = 4
"""Client turns within which the problem is told."""
_TOPIC = 9
"""Longest focus to be named as the topic of the hour, in words."""
_QUOTE = 14
"""Longest quotation inside a sentence of the counselor's, in words."""


def slots(material: Material) -> dict[str, str]:
    """Values for the slots of the phrase banks; what cannot be filled well is absent.

    Always there: `name`, and `task` when there is a plan. In English, where the client's words allow it:

    - `Last`, `last`, `quote`: the clause of the last turn most worth reflecting, in the second person (as a sentence
      starts, and as it goes on) and word for word; one that was said back before is not used again
    - `problem`, `problem_quote`: the same for what brought the client
    - `thought`, `forecast`: the thought worked on, the second only if it is about the future; `focus`: the
      plan's, and `topic`: the same if it is short
    - `hypothesis`: the belief the plan guesses at
    - `person`: someone the client speaks of ("your boss")
    - `rating`, `feeling`, `feeling_noun`, `Feeling_noun`: what the last turn gave
    - `q_<step>`, `n_<step>`: a quotation and a number out of the answer to a step; `from` and `to`, or `same`: the two
      ratings that the technique compares
    """
    plan = material.plan
    task = {"task": str(bank("counselor/techniques")[plan.technique]["task"])} if plan else {}
    filled = {**_heard(material), **_told(material), **_worked(material)} if material.english else {}
    return {"name": material.name, **task, **{key: value for key, value in filled.items() if value}}


def _heard(material: Material) -> dict[str, str | None]:
    spent = [turn.casefold() for turn in material.own]
    clause = telling(_belief(material) or material.last, spent, beside_the_point)
    quote = clause or quotable(material.last, _QUOTE, beside_the_point)
    reflected = clause and capital(flip(clause))
    noun = feeling_noun(material.feeling) if material.feeling else None
    return {
        "Last": reflected,
        "last": reflected and lower(reflected),
        "quote": quote and capital(quote),
        "other_quote": quotable(material.other, _QUOTE),
        "rating": None if material.rating is None else str(material.rating),
        "feeling": material.feeling,
        "feeling_noun": noun,
        "Feeling_noun": noun and capital(noun),
    }


def _belief(material: Material) -> str | None:
    """The sentence in which the client says what they take themselves to be; nothing else in a turn weighs as much."""
    protocol = load_protocol()
    if not protocol.discloses_belief(material.last, material.language):
        return None
    told = sentences(material.last)
    return next((sentence for sentence in told if protocol.discloses_belief(sentence, material.language)), None)


def _told(material: Material) -> dict[str, str | None]:
    problem, thought = _problem(material.said, material.reason), _thought(material)
    focus = _focus(material.plan)
    return {
        "problem": problem and lower(capital(flip(problem))),
        "problem_quote": problem and capital(problem),
        "thought": thought,
        "forecast": thought if thought and _FORECAST.search(thought) else None,
        "focus": focus,
        "topic": focus if focus and len(focus.split()) <= _TOPIC else None,
        "hypothesis": _hypothesis(material.plan),
        "person": last_of(map(person_in, material.said)),
    }


@lru_cache(maxsize=4096)
def _quoted(answer: str) -> str | None:
    return quotable(answer, LONG, beside_the_point)


def _worked(material: Material) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for step, answer in material.answers.items():
        number = rating_in(answer, asked=True)
        found[f"q_{step}"] = _quoted(answer)
        found[f"n_{step}"] = None if number is None else str(number)
    return found | _compared(material.plan, found)


def _compared(plan: Plan | None, found: Mapping[str, str | None]) -> dict[str, str]:
    steps = bank("counselor/techniques")[plan.technique]["measure"] if plan else ()
    numbers = [number for number in (found.get(f"n_{step}") for step in steps) if number]
    if len(numbers) < len(steps) or not numbers:
        return {}
    before, after = numbers
    return {"same": before} if before == after else {"from": before, "to": after}


def _thought(material: Material) -> str | None:
    plan, told = material.plan, thought_in(material.answers.get("thought", ""))
    if plan is None or (plan.revision == 1 and told):
        return told or last_of(map(thought_in, material.said))
    bare = trimmed(plan.focus)
    fits = len(bare.split()) <= LONGEST and '"' not in bare and _THOUGHT.search(bare) and not _STORY.search(bare)
    return capital(bare) if fits else told or last_of(map(thought_in, material.said))


def _problem(said: Sequence[str], reason: str) -> str | None:
    """The clause in which the client first says what is wrong, in the client's own words."""
    open_turns = [text for text in said[:_START] if stance(text, held=False) == "tells"]
    return next(
        (found for found in (telling(text, skip=beside_the_point) for text in [*open_turns, reason]) if found), None
    )


def _focus(plan: Plan | None) -> str | None:
    bare = trimmed(plan.focus) if plan else ""
    return capital(bare) if SHORTEST <= len(bare.split()) <= LONGEST and '"' not in bare else None


def _hypothesis(plan: Plan | None) -> str | None:
    found = _INNER.search(plain(plan.hypothesis)) if plan else None
    return found.group(1) if found else None
