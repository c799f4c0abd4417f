"""Rows for training: `messages` (ChatML) and `conversations` (ShareGPT), as `counselgraph export` writes them."""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.dialogue import CLIENT, COUNSELOR
from counselgraph.dialogues.fields import Keys, kind, said_in
from counselgraph.dialogues.formats.form import Format, record_format
from counselgraph.errors import InputError
from counselgraph.said import Said

_CLIENTS_SEAT = "You are the client in a simulated counseling session."
_SWAPPED = {CLIENT: COUNSELOR, COUNSELOR: CLIENT}


def _rows(name: str, field: str, keys: Keys) -> Format:
    def fits(record: Any) -> bool:
        return isinstance(record, dict) and field in record

    def turns(record: Any) -> tuple[Said, ...]:
        if not isinstance(record, dict) or field not in record:
            problem = "it is missing." if isinstance(record, dict) else f"the record is {kind(record)}."
            raise InputError(problem, field=field, fix="write a mapping with this field.")
        said = said_in(record[field], field, keys)
        if not _is_clients(record, record[field], keys):
            return said
        return tuple(Said(_SWAPPED.get(turn.role, turn.role), turn.text) for turn in said)

    return record_format(name, fits=fits, turns=turns, id_fields=("id", "session"))


def _is_clients(record: dict[str, Any], items: list[dict[str, Any]], keys: Keys) -> bool:
    """Whether the assistant is the client: the row says so, or its first message does."""
    if "seat" in record:
        return bool(record["seat"] == CLIENT)
    return any(items[0].get(name) == _CLIENTS_SEAT for name in keys.words)


CHATML = _rows("chatml", "messages", Keys(("role",), ("content",)))
SHAREGPT = _rows("sharegpt", "conversations", Keys(("from", "role"), ("value", "content")))
