"""CPsyCounE: a list of strings, each with its speaker (求助者, 支持者) and a colon before it; one file a dialogue."""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.fields import kind
from counselgraph.dialogues.formats.form import record_format
from counselgraph.dialogues.formats.labelled import said_in_text
from counselgraph.errors import InputError
from counselgraph.said import Said


def fits(record: Any) -> bool:
    """A list of strings."""
    return isinstance(record, list) and bool(record) and all(isinstance(line, str) for line in record)


def turns(record: Any) -> tuple[Said, ...]:
    """One turn a string; a string that names a second speaker holds a turn of theirs as well."""
    if not isinstance(record, list) or not record:
        what = "an empty list" if record == [] else kind(record)
        raise InputError(f"a list of lines was expected, not {what}.", fix="write it as [ ... ].")
    return tuple(said for number, line in enumerate(record, 1) for said in _turns(line, str(number)))


def _turns(line: Any, field: str) -> tuple[Said, ...]:
    if not isinstance(line, str):
        raise InputError(f"text was expected, not {kind(line)}.", field=field, fix="put quotes around it.")
    return said_in_text(line, field)


CPSYCOUNE = record_format("cpsycoune", fits=fits, turns=turns)
