"""What an importer made of a record: which fields were mapped, which were only kept, which could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from counselgraph.personas.part import Line, Part, Text


class Fate(StrEnum):
    """What became of the values of a field."""

    MAPPED = "mapped"
    """Word for word in a field of the persona."""
    REWORDED = "reworded"
    """In a field of the persona in another form: the first person, a number, one of a closed list."""
    OTHER = "other"
    """Word for word in `other`, or among the disclosures: the client knows it, but no field stands for it."""
    SOURCE = "source"
    """Only in the source record, where nobody in a session sees it: labels, scores, notes of other people."""
    UNREAD = "unread"
    """Meant for a field that cannot hold it; kept in `other` as it is written."""
    BLANK = "blank"
    """Says nothing: empty, or a way of writing "not known"."""


class Loss(Part):
    """What became of one field of a record.

    Attributes:
        field: Dotted path in the record, without the numbers of list items.
        fate: What became of it.
        to: Dotted name of the persona's field it went to, or was meant for; empty where it stays in the source.
        values: How many values of the field this holds for.
    """

    field: Line
    fate: Fate
    to: Text = ""
    values: int = Field(default=1, ge=1)


class Report(Part):
    """The fields of a record, or of all records of a file, with what became of each; never any text of theirs.

    Attributes:
        losses: One entry for each field, fate and place it went to, in the order of the record.
        notes: What a user should know of the format.
    """

    losses: tuple[Loss, ...] = ()
    notes: tuple[Line, ...] = ()

    def fields(self, fate: Fate) -> tuple[str, ...]:
        """Names of the fields with that fate."""
        return tuple(dict.fromkeys(loss.field for loss in self.losses if loss.fate is fate))

    def values(self, fate: Fate) -> int:
        """Number of values with that fate."""
        return sum(loss.values for loss in self.losses if loss.fate is fate)


def merge(reports: Iterable[Report]) -> Report:
    """One report for several records: fields in the order they first occur, values added up."""
    counts: Counter[tuple[str, Fate, str]] = Counter()
    notes: dict[str, None] = {}
    for report in reports:
        for loss in report.losses:
            counts[loss.field, loss.fate, loss.to] += loss.values
        notes |= dict.fromkeys(report.notes)
    losses = (Loss(field=field, fate=fate, to=to, values=values) for (field, fate, to), values in counts.items())
    return Report(losses=tuple(losses), notes=tuple(notes))
