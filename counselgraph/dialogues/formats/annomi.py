"""AnnoMI: a CSV table with one utterance a row; `transcript_id` holds a session together."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from counselgraph.dialogues.dialogue import Dialogue, role_of
from counselgraph.dialogues.formats.form import Format, Read, error_at
from counselgraph.dialogues.source import Source, decoded
from counselgraph.errors import InputError
from counselgraph.said import Said

COLUMNS = ("transcript_id", "utterance_id", "interlocutor", "utterance_text")
Row = dict[str, Any]


def fits(head: str) -> bool:
    """A first line that names the columns."""
    return set(COLUMNS) <= {column.strip().strip('"') for column in head.split(",")}


def read(source: Source) -> Iterator[Read]:
    """The sessions in the order in which they begin; the whole table is read first, since rows need not be in order."""
    sessions: dict[str, list[tuple[int, Row]]] = {}
    try:
        for number, row in _rows(source):
            sessions.setdefault(row["transcript_id"] or "", []).append((number, row))
    except (csv.Error, InputError) as error:
        problem = (
            error
            if isinstance(error, InputError)
            else InputError(f"this is not a table: {error}.", fix="save it as CSV.")
        )
        yield error_at(problem, source)
        return
    for session, rows in sessions.items():
        try:
            yield Dialogue(session, tuple(_turns(rows)))
        except InputError as error:
            yield error_at(error, source, record=error.record)


def _rows(source: Source) -> Iterator[tuple[int, Row]]:
    table = csv.DictReader(_text(source.raw()))
    missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
    if missing:
        raise InputError("this column is missing.", field=missing[0], fix=f"give a table with {', '.join(COLUMNS)}.")
    yield from enumerate(table, 1)


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        yield decoded(line)


def _turns(rows: list[tuple[int, Row]]) -> Iterator[Said]:
    """The turns of one session, ordered by the number of the utterance."""
    for number, row in sorted(rows, key=_place):
        if not (row["interlocutor"] or "").strip():
            raise InputError("it is empty.", record=number, field="interlocutor", fix="say who speaks.")
        if row["utterance_text"] is None:
            raise InputError("it is missing.", record=number, field="utterance_text", fix="complete the row.")
        yield Said(role_of(row["interlocutor"]), row["utterance_text"])


def _place(numbered: tuple[int, Row]) -> int:
    number, row = numbered
    try:
        return int(row["utterance_id"])
    except (TypeError, ValueError):
        problem = "a whole number was expected."
        raise InputError(problem, record=number, field="utterance_id", fix="number the utterances.") from None


ANNOMI = Format("annomi", read, fits)
