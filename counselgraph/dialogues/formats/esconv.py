"""ESConv: mappings with `dialog`, a list of `speaker` and `content`; the seeker may be called "speaker"."""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.dialogue import CLIENT, COUNSELOR
from counselgraph.dialogues.fields import Keys, kind, said_in
from counselgraph.dialogues.formats.form import record_format
from counselgraph.errors import InputError
from counselgraph.said import Said

_KEYS = Keys(("speaker", "role"), ("content", "text"))
_SEATS = {"speaker": CLIENT, "listener": COUNSELOR}


def fits(record: Any) -> bool:
    """A mapping with `dialog`."""
    return isinstance(record, dict) and "dialog" in record


def turns(record: Any) -> tuple[Said, ...]:
    """The turns of seeker and supporter."""
    if not isinstance(record, dict):
        raise InputError(f"a mapping was expected, not {kind(record)}.", fix="write it as { ... } with `dialog`.")
    said = said_in(record.get("dialog"), "dialog", _KEYS)
    return tuple(Said(_SEATS.get(turn.role, turn.role), turn.text) for turn in said)


ESCONV = record_format("esconv", fits=fits, turns=turns)
