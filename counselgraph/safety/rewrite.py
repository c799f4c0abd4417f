"""Guidance for a counselor's model: what to mend in a draft that may not be said, and how to check in at R1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from counselgraph.languages import language_name
from counselgraph.safety.fold import fold
from counselgraph.safety.levels import Category, Frozen, Level, Risk, Verdict
from counselgraph.safety.replies import Topic, topic_of
from counselgraph.safety.reply import asks_directly
from counselgraph.safety.resources import resources_for
from counselgraph.safety.rules import DEFAULT_LANGUAGE, language_of, languages, load_book
from counselgraph.yaml_text import load_yaml

# A note on everything is a note on nothing.
_MOST = 4


class Guidance(Frozen):
    """The content of `rewrite.yaml`.

    Attributes:
        opening: What comes before the notes of a rewrite.
        closing: What comes after them.
        question: What to ask about, by what the risk is about.
        notes: What to mend, by category.
        check_in: How to check in at R1, by what the risk is about.
        again: What to add where the counselor has checked in before.
    """

    opening: str
    closing: str
    question: dict[Topic, str]
    notes: dict[Category, str]
    check_in: dict[Topic, str]
    again: str


def rewrite_note(verdict: Verdict, *, risk: Risk, locale: str, language: str = DEFAULT_LANGUAGE) -> str:
    """One short guidance that tells a counselor's model what to mend in its draft.

    It names categories of fault, gravest first and four at most, and never quotes the draft: what must not be said
    does not come back by way of the note.

    Args:
        verdict: What `screen_reply` said of the draft.
        risk: The standing risk of the client.
        locale: Country whose service is named where one is missing.
        language: Language code of the session; the note itself is English.

    Returns:
        The guidance; "" if nothing in the verdict needs mending.
    """
    grave = [finding.category for finding in verdict.findings if finding.level >= Level.ACTIVE]
    faults = [category for category in dict.fromkeys(grave) if category in guidance().notes][:_MOST]
    if not faults:
        return ""
    line = resources_for(locale).first
    given = {"line": f"{line.name}, {line.contact} ({line.hours})", "question": guidance().question[topic_of(risk)]}
    notes = [f"- {guidance().notes[category].format(**given)}" for category in faults]
    opening = guidance().opening.format(language=language_name(language))
    return "\n".join([opening, *notes, guidance().closing])


def check_in(risk: Risk, said: Sequence[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Guidance for the turn after a client turn at R1: take it up gently, before the plan's step.

    Args:
        risk: The standing risk of the client.
        said: What the counselor has said so far; who has asked directly before only remembers.
        language: Language code, to tell whether the counselor has asked.

    Returns:
        The guidance; "" if the client's last turn calls for none.
    """
    if risk.turn_level != Level.CONCERN:
        return ""
    first = guidance().check_in[topic_of(risk)]
    codes = {language_of(language), DEFAULT_LANGUAGE} & set(languages())
    asked = any(asks_directly(fold(text), load_book(code)) for text in said for code in codes)
    return f"{first} {guidance().again}" if asked else first


@lru_cache(maxsize=1)
def guidance() -> Guidance:
    """The content of `rewrite.yaml`, read once."""
    path = files("counselgraph.safety") / "rewrite.yaml"
    return Guidance.model_validate(load_yaml(path.read_text(encoding="utf-8")))
