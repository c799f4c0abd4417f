"""Sessions of Cactus and of those that follow it, MAGneT among them.

The turns are under `dialogue` or `history`, as a list of `role` and `message` or as one text with `Counselor:` and
`Client:` before every turn. An intake record has no session yet: its opening pair is read instead.
"""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.fields import Keys, kind, said_in
from counselgraph.dialogues.formats.form import record_format
from counselgraph.dialogues.formats.labelled import said_in_text
from counselgraph.errors import InputError
from counselgraph.said import Said

_KEYS = Keys(("role", "speaker"), ("message", "text", "content"))
_FIELDS = ("dialogue", "history", "AI_client.dialogue_history", "AI_client.dialogue_history_init")


def fits(record: Any) -> bool:
    """A mapping with one of the fields."""
    return isinstance(record, dict) and any(field.partition(".")[0] in record for field in _FIELDS)


def turns(record: Any) -> tuple[Said, ...]:
    """The session, or the opening pair of an intake record."""
    if not isinstance(record, dict):
        raise InputError(f"a mapping was expected, not {kind(record)}.", fix="write it as { ... } with `dialogue`.")
    for field in _FIELDS:
        value = _at(record, field)
        if isinstance(value, str) and value.strip():
            return said_in_text(value, field)
        if value not in (None, ""):
            return said_in(value, field, _KEYS)
    raise InputError("there is no dialogue.", field="dialogue", fix="add the turns, or leave the record out.")


def _at(record: dict[str, Any], field: str) -> Any:
    value: Any = record
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


CACTUS = record_format("cactus", fits=fits, turns=turns)
MAGNET = record_format("magnet", fits=fits, turns=turns)
