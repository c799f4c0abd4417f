"""A store as one file: a line of JSON about the store, then a line for every memory. No vectors: they are made anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.memory.record import MemoryRecord
from counselgraph.memory.store import MemoryStore

_FORMAT, _VERSION = "counselgraph memories", 1
_AT_ONCE = 1000


def export_store(store: MemoryStore, file: Path) -> int:
    """Write every memory of a store into a file, in an order that depends on nothing but the memories.

    Returns:
        Number of memories written.

    Raises:
        InputError: The file cannot be written.
        InfrastructureError: The store cannot be read.
    """
    records = store.records()
    header = {"format": _FORMAT, "version": _VERSION, "embedder": store.embedder, "memories": len(records)}
    try:
        with file.open("w", encoding="utf-8") as lines:
            lines.write(json.dumps(header) + "\n")
            lines.writelines(record.model_dump_json(exclude_defaults=True) + "\n" for record in records)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror}).", file=str(file), fix="choose another file") from error
    return len(records)


def import_store(file: Path, store: MemoryStore) -> int:
    """Write every memory of a file into a store; what is there already stays as it is.

    The whole file is read before anything is written.

    Returns:
        Number of memories in the file.

    Raises:
        InputError: The file is no export, or a line of it is damaged.
        InfrastructureError: The store cannot be written.
    """
    records = iter(list(_read(file)))
    count = 0
    while part := list(islice(records, _AT_ONCE)):
        count += store.remember(part)
    return count


def _read(file: Path) -> Iterator[MemoryRecord]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}.", file=str(file), fix="give a file of `memory export`") from error
    header = _header(file, lines[0])
    whole = [(number, line) for number, line in enumerate(lines[1:], 1) if line]
    if len(whole) != header.get("memories"):
        raise InputError(
            f"it should hold {header.get('memories')} memories and holds {len(whole)}.",
            file=str(file),
            fix="export again",
        )
    for number, line in whole:
        try:
            yield MemoryRecord.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"is no memory: {error.errors()[0]['msg']}.", file=str(file), record=number, fix="export again"
            ) from error


def _header(file: Path, line: str) -> dict[str, Any]:
    try:
        header: Any = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != _FORMAT or header.get("version") != _VERSION:
        raise InputError(
            f"is no memory export of version {_VERSION}.", file=str(file), fix="give a file of `memory export`"
        )
    return header
