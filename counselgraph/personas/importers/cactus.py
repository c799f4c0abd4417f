"""Cactus intake records: a JSON list of forms with an attitude, the counselor's part and gold technique labels.

The counselor's part and the labels never reach the client: they go to `Persona.intake` and `Persona.source`, which
`Persona.for_client` leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.personas.files import kind, read_records
from counselgraph.personas.form_parser import name_of, parse_form, persona_from
from counselgraph.personas.invalid import explain
from counselgraph.personas.persona import Attitude, Intake, Persona, Source
from counselgraph.personas.sentences import language_of, slug

NAME = "cactus"
SUFFIXES: tuple[str, ...] = (".json",)
_FIELDS = ('"AI_client"', '"AI_counselor"', '"intake_form"', '"ground_truth_CBT"')
_TURN = re.compile(
    r"^\s*(?:(?P<client>client|patient|来访者|求助者)|counsell?or|therapist|心理咨询师|咨询师|治疗师)\s*[:\uff1a]\s*",
    re.IGNORECASE | re.MULTILINE,
)
_CUT_MARK = re.compile(r"(?:c?l)?i?ent\s*:", re.IGNORECASE)
Record: TypeAlias = dict[str, Any]


def detect(path: Path, head: str) -> bool:
    """A JSON file with one of the fields of a Cactus record."""
    return path.suffix.lower() in SUFFIXES and any(field in head for field in _FIELDS)


def read(path: Path) -> Iterator[Persona | InputError]:
    """The clients of the file, in order.

    Raises:
        InputError: Not readable, not JSON, not a list, or an empty one.
    """
    for number, record in enumerate(read_records(path), start=1):
        try:
            yield _persona(record, path, number)
        except InputError as error:
            yield InputError(error.problem, file=str(path), record=number, field=error.field, fix=error.fix)
        except ValidationError as error:
            yield from explain(error, file=str(path), record=number)


def gold_techniques(persona: Persona) -> tuple[str, ...]:
    """The technique labels of the record as spelled there; none where the record has none.

    Args:
        persona: A persona read by this importer, with its source.
    """
    labels = persona.source.data.get("ground_truth_CBT") if persona.source else None
    given = [labels] if isinstance(labels, str) else labels
    return tuple(label.strip() for label in given if isinstance(label, str)) if isinstance(given, list) else ()


def turns_of(dialogue: str, *, client: bool) -> str:
    """What one side says in a dialogue of `Client: ...` and `Counselor: ...` lines; empty if it says nothing."""
    marks = list(_TURN.finditer(dialogue))
    ends = [mark.start() for mark in marks[1:]] + [len(dialogue)]
    said = [
        dialogue[mark.end() : end]
        for mark, end in zip(marks, ends, strict=False)
        if (mark["client"] is not None) is client
    ]
    return " ".join(" ".join(said).split())


def _persona(record: Any, path: Path, number: int) -> Persona:
    if not isinstance(record, dict):
        raise InputError(f"a record was expected, not {kind(record)}.", fix="write it as { ... } with `AI_client`.")
    client = _part(record, "AI_client", required=True)
    form = parse_form(_text(client, "AI_client.intake_form", required=True))
    attitude = _attitude(client)
    language = language_of(form.text)
    instruction = _text(client, "AI_client.attitude_instruction")
    dialogue = _text(client, "AI_client.dialogue_history_init")
    try:
        persona = persona_from(
            form,
            id=f"{number:03d}-{slug(name_of(form))}-{attitude}",
            attitude=attitude,
            language=language,
            attitude_instruction=instruction,
            opening=_in_language(turns_of(dialogue, client=True), language),
            source=Source(format=NAME, file=path.name, record=number, data=record),
        )
    except InputError as error:
        raise InputError(error.problem, field="AI_client.intake_form", fix=error.fix) from None
    return persona.model_copy(update={"intake": _intake(persona, record, dialogue)})


def _intake(persona: Persona, record: Record, dialogue: str) -> Intake:
    """What the record tells the counselor; what it leaves out is taken from the form."""
    told = _part(_part(record, "AI_counselor"), "AI_counselor.CBT")
    derived = persona.for_counselor()
    openings = [_text(told, "AI_counselor.CBT.init_history_counselor"), _counselor_first(dialogue)]
    return Intake(
        name=persona.name,
        client_information=_text(told, "AI_counselor.CBT.client_information") or derived.client_information,
        reason_for_counseling=_text(told, "AI_counselor.CBT.reason_counseling") or derived.reason_for_counseling,
        opening=next((text for text in openings if _is_counselors(text) and _in_language(text, persona.language)), ""),
    )


def _counselor_first(dialogue: str) -> str:
    """The counselor's words if the counselor speaks first; later ones answer the client and open nothing."""
    mark = _TURN.search(dialogue)
    return turns_of(dialogue, client=False) if mark and mark["client"] is None else ""


def _is_counselors(text: str) -> bool:
    """Whether these are the counselor's words: some records were cut inside `Client:` and hold the client's instead."""
    return bool(text) and _CUT_MARK.match(text) is None


def _in_language(text: str, language: str) -> str:
    """The text if it is in the persona's language, else nothing: one session is held in one language."""
    return text if language_of(text) == language else ""


def _attitude(client: Record) -> Attitude:
    given = _text(client, "AI_client.attitude", required=True).lower()
    if given not in list(Attitude):
        raise InputError(
            f"{given!r} is no attitude.", field="AI_client.attitude", fix=f"use one of {', '.join(Attitude)}."
        )
    return Attitude(given)


def _part(record: Record, field: str, *, required: bool = False) -> Record:
    value = record.get(field.rpartition(".")[2])
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        problem = "it is missing." if value is None else f"a mapping was expected, not {kind(value)}."
        raise InputError(problem, field=field, fix="write it as { ... }.")
    return value


def _text(record: Record, field: str, *, required: bool = False) -> str:
    value = record.get(field.rpartition(".")[2])
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        problem = "it is missing." if value is None else f"text was expected, not {kind(value)}."
        raise InputError(problem, field=field, fix="give it as text.")
    if required and not value.strip():
        raise InputError("it is empty.", field=field, fix="fill it in.")
    return value.strip()
