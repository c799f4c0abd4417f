"""What a format is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from counselgraph.dialogues.dialogue import Dialogue, Id
from counselgraph.dialogues.fields import kind, loads
from counselgraph.dialogues.source import Source
from counselgraph.errors import InputError
from counselgraph.said import Said

_EXACT = 2.0**53
"""From here on floats leave whole numbers out; JSON numbers of more than 64 bits are read as floats."""

Read: TypeAlias = Dialogue | InputError
"""A record: a dialogue, or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way of writing dialogues down.

    Attributes:
        name: As written in `format=`.
        read: The records of a file in order; one that cannot be used gives its error instead.
        fits: Whether a file is of this format: given its first JSON record, or for other files its first line.
    """

    name: str
    read: Callable[[Source], Iterator[Read]]
    fits: Callable[[Any], bool]


def record_format(
    name: str,
    *,
    fits: Callable[[Any], bool],
    turns: Callable[[Any], tuple[Said, ...]],
    under: str | None = None,
    id_fields: tuple[str, ...] = ("id",),
) -> Format:
    """A format whose records are JSON values: one a line, a list of them, or a single one.

    Args:
        name: Name of the format.
        fits: Whether a record is of this format.
        turns: The turns of a record; raises an `InputError` with field and fix for a bad one.
        under: Field of a document that lists its records.
        id_fields: Where a record may have its id.
    """

    def read(source: Source) -> Iterator[Read]:
        for place, number, record in records(source, fits, under):
            try:
                if isinstance(record, InputError):
                    raise record
                yield Dialogue(_id(record, id_fields, number), turns(record))
            except InputError as error:
                yield error_at(error, source, **place)

    return Format(name, read, fits)


def records(
    source: Source, fits: Callable[[Any], bool], under: str | None = None
) -> Iterator[tuple[dict[str, int], Id, Any]]:
    """Place, default id and value of every record of a JSON file; the error of a line instead of a value."""
    if source.is_lines:
        for number, line in source.lines():
            yield {"line": number}, number, _parsed(line)
        return
    found = listed(source.document, fits, under)
    for number, record in enumerate(found, 1):
        only = len(found) == 1 and source.stem
        yield {"record": number}, source.stem if only else number, record


def listed(value: Any, fits: Callable[[Any], bool], under: str | None = None) -> list[Any]:
    """The records of a document."""
    if under and isinstance(value, dict) and isinstance(value.get(under), list):
        return list(value[under])
    # A list of turns or lines is one record; other lists hold records.
    return value if isinstance(value, list) and not fits(value) else [value]


def error_at(error: InputError, source: Source, *, line: int | None = None, record: int | None = None) -> InputError:
    """An error with the place it belongs to."""
    file = source.name if line is None else f"{source.name}, line {line}"
    return InputError(error.problem, file=file, record=record, field=error.field, fix=error.fix)


def _parsed(line: bytes) -> Any:
    try:
        return loads(line)
    except InputError as error:
        return error


def _id(record: Any, fields: tuple[str, ...], number: Id) -> Id:
    if not isinstance(record, dict):
        return number
    for field in fields:
        given = record.get(field)
        if given is not None:
            if isinstance(given, bool) or not isinstance(given, str | int | float):
                problem = f"a text or a number was expected, not {kind(given)}."
                raise InputError(problem, field=field, fix="change it, or leave it out.")
            if isinstance(given, float) and abs(given) >= _EXACT:
                raise InputError("so large a number loses digits.", field=field, fix="put quotes around it.")
            return given
    return number
