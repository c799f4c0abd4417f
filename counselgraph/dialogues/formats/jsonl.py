"""Records of our own making: `id` and `content`, which is a string or a list of turns with `role` and `text`."""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.dialogue import UNNAMED
from counselgraph.dialogues.fields import Keys, kind, said_in
from counselgraph.dialogues.formats.form import record_format
from counselgraph.errors import InputError
from counselgraph.said import Said

_FIELDS = ("content", "turns")


def fits(record: Any) -> bool:
    """A mapping with `content`, or with the `turns` of an export of ours; a bare list of turns."""
    if isinstance(record, list):
        return bool(record) and all(isinstance(turn, dict) and "role" in turn for turn in record)
    return isinstance(record, dict) and any(field in record for field in _FIELDS)


def turns(record: Any) -> tuple[Said, ...]:
    """A string is one turn of the side it is read for."""
    field, content = _content(record)
    if isinstance(content, str):
        return (Said(UNNAMED, content),)
    if isinstance(content, list):
        return said_in(content, field, Keys())
    problem = f"text or a list of turns was expected, not {kind(content)}."
    raise InputError(problem, field=field, fix='write "..." or [{"role": "client", "text": "..."}, ...].')


def _content(record: Any) -> tuple[str, Any]:
    if isinstance(record, list):
        return "content", record
    if not isinstance(record, dict):
        raise InputError(f"a mapping was expected, not {kind(record)}.", fix='write {"id": ..., "content": ...}.')
    field = next((field for field in _FIELDS if field in record), None)
    if field is None:
        raise InputError("it is missing.", field="content", fix="add it: a string or a list of turns.")
    return field, record[field]


JSONL = record_format("jsonl", fits=fits, turns=turns)
