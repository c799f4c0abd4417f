"""Slots: the client's own words in the forms that phrases ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.hearing import dark, feeling_noun, last_of, person_in, rating_in, thought_in
from counselgraph.models.rehearsal.lines import task_of, technique_lines
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.story import (
    is_thought,
    problem_told,
    quoted_thought,
    reason_in,
    same,
    sounds,
    told_thought,
    voiced,
)
from counselgraph.models.rehearsal.talk import beside_the_point
from counselgraph.models.rehearsal.words import capital, flip, lower, plain, quotable, sentences, telling, trimmed
from counselgraph.protocols.approach import read_markers
from counselgraph.protocols.plan import Plan
from counselgraph.protocols.protocol import load_protocol

_FORECAST = re.compile(r"\b(?:will|won't|going to|never|can't|would)\b|'ll\b", re.IGNORECASE)
_INNER = re.compile(r"\"([^\"]+?)[.]?\"")
_LEADS_UP = re.compile(
    r"^That (?=(?:I|I'\w+|it's|it is|there's|there is|my|people|nobody|they|we|he|she)\b)"
    r"|^(?:[^.]{0,40}, but )?worst case, "
)
_PROPOSED = re.compile(
    r"^(?:it could be|one would be|another would be|I could say|you'd probably say|maybe|perhaps)(?: that)? ",
    re.IGNORECASE,
)
_PROPOSES = frozenset({"other_readings"})
"""Steps whose answers are proposals: a quotation leaves out that they are."""
_TOPIC = 9
"""Longest focus to be named as the topic of the hour, in words."""
_QUOTE = 16
"""Longest quotation in a reaction, in words."""
_ANSWER = 28
"""Longest quotation out of an answer that was worked for, in words: it is said back whole or not at all."""


def slots(material: Material) -> dict[str, str]:
    """Values for the slots of the phrase banks; what cannot be filled well is absent.

    Always there: `name`, and `task` when there is a plan whose technique sets one. In English, where the client's words
    allow it:

    - `Last`, `last`, `quote`: the clause of the last turn most worth reflecting, in the second person (as a sentence
      starts, and as it goes on) and word for word; one that was said back before is not used again
    - `problem`, `problem_quote`: the same for what brought the client; `written`: what was given as the reason for
      coming, if nothing was said of it; `wrote`: the same while no thought has been told either
    - `thought`, `forecast`: the thought worked on, the second only if it is about the future; `focus`: the
      plan's, and `topic`: the same if it is short
    - `hypothesis`: the belief the plan guesses at
    - `person`, `whose`: someone the client speaks of ("your boss", "your boss's")
    - `rating`, `feeling`, `feeling_noun`, `Feeling_noun`, `bare_feeling`: what the last turn gave
    - `q_<step>`, `n_<step>`: a quotation and a number out of the answer to a step; `from` and `to`, or `same`: the two
      ratings that the technique compares
    """
    plan = material.plan
    task = {"task": task_of(plan.technique)} if plan else {}
    filled: dict[str, str | None] = (
        {**_heard(material), **_told(material), **_worked(material)} if material.english else {}
    )
    return {"name": material.name, **{key: value for key, value in (task | filled).items() if value}}


def _heard(material: Material) -> dict[str, str | None]:
    aloud = material.inward and material.stance not in {"held", "resists"}
    spoken_aloud = (quoted_thought(material.last) or thought_in(material.last)) if aloud else None
    clause = None if spoken_aloud else _clause(material)
    longest = _ANSWER if material.worked else _QUOTE
    quote = _bare(spoken_aloud or clause or quotable(material.last, longest, partial(_not_to_quote, material)))
    reflected = capital(flip(clause)) if clause and material.asked not in _PROPOSES else None
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
        "bare_feeling": noun and noun.removeprefix("the "),
    }


def _clause(material: Material) -> str | None:
    spent = [turn.casefold() for turn in material.own]
    moment = material.asked == "situation"
    skipped = partial(_not_to_quote, material)
    return telling(_belief(material) or material.last, spent, skipped, first=moment)


def _not_to_quote(material: Material, sentence: str) -> bool:
    """Whether there is nothing in a sentence to say back; that something has moved is met, and not repeated."""
    if beside_the_point(sentence) or dark(sentence) or normal(sentence) in _signs_of_moving():
        return True
    approach = material.plan.protocol.approach if material.plan else load_protocol().approach
    return bool(read_markers(approach, [sentence], material.language).helping)


@lru_cache(maxsize=1)
def _signs_of_moving() -> frozenset[str]:
    """Sentences by which this model's client says that the work helps."""
    lines = (line for approach in bank("client/fit").values() for line in approach["helping"])
    return frozenset(normal(sentence) for line in lines for sentence in sentences(line))


def _bare(quote: str | None) -> str | None:
    """A quotation without the words that only lead up to it."""
    return quote and capital(_LEADS_UP.sub("", quote))


def _belief(material: Material) -> str | None:
    """The sentence in which the client says what they take themselves to be; nothing else in a turn weighs as much."""
    protocol = load_protocol()
    if not protocol.discloses_belief(material.last, material.language):
        return None
    told = sentences(material.last)
    return next((sentence for sentence in told if protocol.discloses_belief(sentence, material.language)), None)


def _told(material: Material) -> dict[str, str | None]:
    told, written = problem_told(material.turns), reason_in(material.reason)
    thought = thought_of(material)
    focus, person = _focus(material), last_of(map(person_in, material.said))
    return {
        "problem": told and lower(capital(flip(told))),
        "written": None if told or not written else lower(capital(flip(written))),
        "problem_quote": told and capital(told),
        "wrote": None if told or thought or not written else lower(capital(flip(written))),
        "thought": thought,
        "forecast": thought if thought and _FORECAST.search(thought) else None,
        "focus": focus,
        "topic": focus if focus and len(focus.split()) <= _TOPIC else None,
        "hypothesis": _hypothesis(material.plan),
        "person": person,
        "whose": person and (f"{person}'" if person.endswith("s") else f"{person}'s"),
    }


@lru_cache(maxsize=4096)
def _quoted(answer: str) -> str | None:
    skipped = quotable(answer, _ANSWER, lambda sentence: beside_the_point(sentence) or dark(sentence), first=True)
    return _bare(skipped)


def _worked(material: Material) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for step, answer in material.answers.items():
        number = rating_in(answer, asked=True)
        quote = _quoted(answer)
        found[f"q_{step}"] = quote and capital(_PROPOSED.sub("", quote)) if step in _PROPOSES else quote
        found[f"n_{step}"] = None if number is None else str(number)
    return found | _compared(material.plan, found)


def _compared(plan: Plan | None, found: Mapping[str, str | None]) -> dict[str, str]:
    steps = technique_lines(plan.technique)["measure"] if plan else ()
    numbers = [number for number in (found.get(f"n_{step}") for step in steps) if number]
    if len(numbers) < len(steps) or not numbers:
        return {}
    before, after = numbers
    return {"same": before} if before == after else {"from": before, "to": after}


def thought_of(material: Material) -> str | None:
    """The thought to work with: one told since the plan was made, else the plan's focus if it is one, else any told."""
    told, plan = told_thought(material.turns), material.plan
    if plan is None:
        return told
    since = told_thought([turn for turn in material.turns[plan.made_at :] if turn.asked == "thought"])
    focus = trimmed(plan.focus)
    remembered = material.recalled is not None and same(focus, trimmed(material.recalled.focus)) and sounds(focus)
    return since or (capital(focus) if remembered or is_thought(focus, material.turns) else told)


def _focus(material: Material) -> str | None:
    bare = trimmed(material.plan.focus) if material.plan else ""
    return capital(bare) if bare and '"' not in bare and voiced(bare, material.turns) else None


def _hypothesis(plan: Plan | None) -> str | None:
    found = _INNER.search(plain(plan.hypothesis)) if plan else None
    return found.group(1) if found else None
