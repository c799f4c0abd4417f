"""Plain-text intake forms: one client a file, or several set apart by a line of dashes (`---`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.personas.files import read_text
from counselgraph.personas.form_parser import Form, name_of, parse_form, persona_from
from counselgraph.personas.invalid import explain
from counselgraph.personas.persona import Attitude, Persona, Source
from counselgraph.personas.sentences import language_of, slug

NAME = "form"
SUFFIXES: tuple[str, ...] = (".txt",)
_BETWEEN = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.MULTILINE)


def detect(path: Path, head: str) -> bool:  # noqa: ARG001 - every importer has this signature
    """A text file."""
    return path.suffix.lower() in SUFFIXES


def read(path: Path) -> Iterator[Persona | InputError]:
    """The clients of the file, in order.

    Raises:
        InputError: Not readable.
    """
    forms = [text for text in _BETWEEN.split(read_text(path)) if text.strip()]
    if not forms:
        raise InputError("the file holds no form.", file=str(path), fix="put at least one intake form into it.")
    for number, text in enumerate(forms, start=1):
        try:
            yield _persona(text, path, number)
        except InputError as error:
            yield InputError(error.problem, file=str(path), record=number, field=error.field, fix=error.fix)
        except ValidationError as error:
            yield from explain(error, file=str(path), record=number)


def _persona(text: str, path: Path, number: int) -> Persona:
    form = parse_form(text)
    attitude = _attitude(form)
    return persona_from(
        form,
        id=f"{number:03d}-{slug(name_of(form))}-{attitude}",
        attitude=attitude,
        language=form.head.get("language", "") or language_of(text),
        source=Source(format=NAME, file=path.name, record=number, data={"intake_form": text}),
    )


def _attitude(form: Form) -> Attitude:
    given = form.head.get("attitude", Attitude.NEUTRAL).lower()
    if given not in list(Attitude):
        raise InputError(
            f"{given!r} is no attitude.",
            field="Attitude",
            fix=f"use one of {', '.join(Attitude)}, or leave the line out.",
        )
    return Attitude(given)
