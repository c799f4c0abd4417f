"""How memories lie in Chroma: a vector and three or four metadata fields, everything else in one of them as JSON.

Chroma keeps a row and an index entry for every metadata field, and a trigram index of every document; only what is
filtered on has a field of its own. Stores of the first layout, one field for each of a record's, are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from counselgraph.memory.record import MemoryRecord, scope

DATA, SCOPE, CLIENT, SUBJECT = "data", "scope", "client_id", "subject"
Metadata = dict[str, str]


def to_metadata(record: MemoryRecord) -> Metadata:
    """A record as Chroma keeps it, without its vector."""
    data = record.model_dump_json(exclude_defaults=True)
    fields = {SCOPE: scope(record.owner, record.client_id), CLIENT: record.client_id, DATA: data}
    return fields | ({SUBJECT: subject_of(record)} if record.subject else {})


def subject_of(record: MemoryRecord) -> str:
    """Owner, client and subject in one word."""
    return json.dumps([record.owner, record.client_id, record.subject])


def to_records(found: Mapping[str, Any]) -> list[MemoryRecord]:
    """Records of what `get` returned, documents of the first layout included."""
    metadatas: Sequence[Mapping[str, Any]] = found["metadatas"] or []
    documents: Sequence[str | None] = found.get("documents") or [None] * len(metadatas)
    return [_to_record(metadata, text) for metadata, text in zip(metadatas, documents, strict=True)]


def _to_record(metadata: Mapping[str, Any], text: str | None) -> MemoryRecord:
    if DATA in metadata:
        return MemoryRecord.model_validate_json(metadata[DATA])
    return MemoryRecord(text=text or "", **{field: value for field, value in metadata.items() if field != SCOPE})


def to_session(metadata: Mapping[str, Any]) -> tuple[str, int]:
    """Id and number of the session that a row comes from."""
    fields = orjson.loads(metadata[DATA]) if DATA in metadata else metadata
    return fields["session"], fields.get("session_number", 1)


def to_vectors(found: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """Vectors of what `get` returned, as they were stored: a server writes them as text, and they come as doubles."""
    return np.asarray(found["embeddings"], dtype=np.float32)
