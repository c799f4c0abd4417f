"""Reads a free-text intake form into the persona's fields, and loses no sentence of it.

A form has a head of `Key: value` lines and sections under headings. Headings vary, so they are recognised tolerantly
(`form_headings`); what stands under a heading that no field stands for goes to `other`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from counselgraph.errors import InputError
from counselgraph.personas.conceptualize import conceptualize, goals_in
from counselgraph.personas.cues import functioning_of, history_of, problem_of
from counselgraph.personas.form_headings import HEAD, SECTIONS, find_heading
from counselgraph.personas.persona import Attitude, Demographics, Persona, PresentingProblem, Style
from counselgraph.personas.sentences import is_unknown, join, language_of, sentences, without_bullet

RECEPTIVITY = {Attitude.POSITIVE: 0.8, Attitude.NEUTRAL: 0.5, Attitude.NEGATIVE: 0.2}
VERBOSITY = {Attitude.POSITIVE: 3, Attitude.NEUTRAL: 2, Attitude.NEGATIVE: 1}
_OLDEST = 120
_AGE = re.compile(
    r"(?:aged? )?(?P<years>-?\d{1,6})\s*(?:-?\s*years?(?:[ -]old| of age)?|yrs?|y/?o|周?岁|años|سال)?\.?", re.IGNORECASE
)
_SHORT = {"name", "age", "attitude", "language"}
_AREAS = ("work", "relationships", "daily_life")
_UNHEADED = "Notes"


@dataclass
class Form:
    """An intake form by its headings.

    Attributes:
        text: The form as given.
        head: Facts of the head, by key of `form_headings.HEAD`; unknown ones are left out.
        sections: Lines of each section, by key of `form_headings.SECTIONS`.
        other: Everything else, heading to text.
    """

    text: str
    head: dict[str, str] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)

    def keep(self, title: str, text: str) -> None:
        """Keep text that no field stands for."""
        if text or title != _UNHEADED:
            self.other[title] = "\n".join(part for part in (self.other.get(title, ""), text) if part)

    def section(self, key: str) -> list[str]:
        """The sentences of a section."""
        return sentences(self.sections.get(key, []))


def parse_form(text: str) -> Form:
    """The form by its headings.

    Args:
        text: Any text; what cannot be placed ends in `Form.other`.
    """
    form = Form(text)
    for key, title, lines in _blocks(text):
        if key in SECTIONS:
            form.sections.setdefault(key, []).extend(lines)
        elif key in HEAD:
            _fill_head(form, key, title, lines)
        else:
            form.keep(title, "\n".join(line.strip() for line in lines if line.strip()))
    return form


def persona_from(form: Form, *, id: str, attitude: Attitude, **given: Any) -> Persona:  # noqa: A002 - the field's name
    """The persona a form describes.

    Args:
        form: The parsed form.
        id: Identifier of the persona.
        attitude: How the client meets counseling.
        given: Further fields of the persona, which win over what the form says.

    Raises:
        InputError: The form has no name, no presenting problem or an impossible age; `field` is the form's heading.
        pydantic.ValidationError: A given field does not fit the persona.
    """
    name, texts = name_of(form), form.section("problem")
    if not texts:
        raise InputError(
            "the form has no presenting problem.",
            field="Presenting Problem",
            fix="add a line `Presenting Problem` and the client's own words under it.",
        )
    problem = problem_of(texts)
    language = given.get("language", language_of(form.text))
    fields = {
        "id": id,
        "name": name,
        "language": language,
        "demographics": _demographics(form),
        "presenting_problem": problem,
        "reason_for_counseling": join(form.section("reason")),
        "history": history_of(
            form.section("history"), treatment=form.section("treatment"), medical=form.section("medical")
        ),
        "functioning": functioning_of(form.section("functioning"), **{key: form.section(key) for key in _AREAS}),
        "supports": tuple(form.section("supports")),
        "attitude": attitude,
        "receptivity": RECEPTIVITY[attitude],
        "style": Style(verbosity=VERBOSITY[attitude]),
        "other": form.other | _unused(form, attitude=attitude, language=language),
    }
    derived = _derived(form, texts, problem) if language == "en" else {}
    return Persona(**(fields | derived | given))


def _derived(form: Form, texts: list[str], problem: PresentingProblem) -> dict[str, Any]:
    life = [text for key in ("functioning", *_AREAS) for text in form.section(key)]
    return {
        "conceptualization": conceptualize(texts, life, sentences([problem.triggers])),
        "goals": goals_in(form.section("reason")),
    }


def name_of(form: Form) -> str:
    """The client's name.

    Raises:
        InputError: The form has none.
    """
    name = form.head.get("name", "")
    if not name:
        raise InputError("the form has no name.", field="Name", fix="add a line `Name: ...` at the top of the form.")
    return name


def _blocks(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Key, title and lines of every part of the form, in order; the key is empty where no field fits."""
    key, title, lines, in_head = "", _UNHEADED, list[str](), True
    for raw in text.replace("\ufeff", "").splitlines():
        line = raw.replace("**", "").replace("__", "").strip().lstrip("#").replace("\xa0", " ").strip()
        heading = find_heading(line, in_head=in_head) if line else None
        if heading is not None:
            yield key, title, lines
            key, title, lines = heading.key or "", heading.title, [heading.rest] if heading.rest else []
            in_head = in_head and key not in SECTIONS
        elif not line and key in HEAD and any(lines):
            yield key, title, lines
            key, title, lines = "", _UNHEADED, []
        else:
            lines.append(line)
    yield key, title, lines


def _fill_head(form: Form, key: str, title: str, lines: list[str]) -> None:
    values = [" ".join(value.split()) for line in lines if (value := without_bullet(line))]
    if key in _SHORT:
        values, more = values[:1], values[1:]
        if more:
            form.keep(title, "\n".join(more))
    value = "; ".join(values)
    if is_unknown(value):
        return
    if key in form.head:
        form.keep(title, value)
    else:
        form.head[key] = value
        if key == "age" and _AGE.fullmatch(value) is None:
            form.keep(title, value)


def _unused(form: Form, **used: str) -> dict[str, str]:
    """Facts of the head that the persona has from elsewhere, where the form says something different."""
    facts = {key: form.head.get(key, "") for key in used}
    return {key.capitalize(): fact for key, fact in facts.items() if fact and fact.lower() != used[key]}


def _demographics(form: Form) -> Demographics:
    facts = {key: value for key, value in form.head.items() if key in Demographics.model_fields and key != "age"}
    return Demographics(age=_age(form.head.get("age", "")), **facts)


def _age(text: str) -> int | None:
    match = _AGE.fullmatch(text)
    if match is None:
        return None
    years = int(match["years"])
    if not 0 <= years <= _OLDEST:
        raise InputError(
            f"the form's age is {years}.", field="Age", fix=f"give an age from 0 to {_OLDEST}, or leave it out."
        )
    return years
