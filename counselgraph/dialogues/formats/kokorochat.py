"""KokoroChat: a mapping with `dialogue`, a list of `role` and `utterance`, or several `utterances` of one speaker."""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.fields import Keys, kind, said_in
from counselgraph.dialogues.formats.form import record_format
from counselgraph.errors import InputError
from counselgraph.said import Said

_KEYS = Keys(("role", "speaker"), ("utterance", "text", "message"))


def fits(record: Any) -> bool:
    """A mapping whose `dialogue` has utterances."""
    items = record.get("dialogue") if isinstance(record, dict) else None
    return isinstance(items, list) and any(
        isinstance(item, dict) and ("utterance" in item or "utterances" in item) for item in items
    )


def turns(record: Any) -> tuple[Said, ...]:
    """Each utterance as a turn of its own."""
    if not isinstance(record, dict):
        raise InputError(f"a mapping was expected, not {kind(record)}.", fix="write it as { ... } with `dialogue`.")
    items = record.get("dialogue")
    apart = [one for item in items for one in _apart(item)] if isinstance(items, list) else items
    return said_in(apart, "dialogue", _KEYS)


def _apart(item: Any) -> list[Any]:
    """A turn of several utterances as several turns."""
    several = item.get("utterances") if isinstance(item, dict) else None
    if isinstance(several, str):
        return [{**item, "utterance": several}]
    return [{**item, "utterance": one} for one in several] if isinstance(several, list) else [item]


KOKOROCHAT = record_format("kokorochat", fits=fits, turns=turns)
