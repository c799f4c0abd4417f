"""Plain text: one turn a line, of the side it is read for."""

from __future__ import annotations

from collections.abc import Iterator

from counselgraph.dialogues.dialogue import UNNAMED, Dialogue
from counselgraph.dialogues.formats.form import Format, Read, error_at
from counselgraph.dialogues.source import Source, decoded
from counselgraph.errors import InputError
from counselgraph.said import Said


def read(source: Source) -> Iterator[Read]:
    """Every line that is not blank, under its number."""
    for number, line in source.lines():
        try:
            yield Dialogue(number, (Said(UNNAMED, decoded(line)),))
        except InputError as error:
            yield error_at(error, source, line=number)


TEXT = Format("text", read, lambda _: True)
