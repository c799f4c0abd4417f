"""Reading and writing rows of the Chroma collection. Blocking; the caller holds the collection's lock for writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from counselgraph.memory.layout import CLIENT, SCOPE, SUBJECT, subject_of, to_metadata, to_records, to_vectors
from counselgraph.memory.ranking import Candidates, Counts, Scores, Vector
from counselgraph.memory.record import MemoryRecord, portrait_id, scope
from counselgraph.memory.revise import is_current_portrait, portrayed, settled

if TYPE_CHECKING:
    from chromadb import Collection

Embed = Callable[[list[str]], npt.NDArray[np.float32]]
Revise = Callable[[list[MemoryRecord]], list[MemoryRecord]]

# Up to so many memories of one owner and client are all ranked; of more, Chroma's index picks the nearest first. The
# index is cheaper from about 200 on, but a course of twenty sessions stays below this, and what is read is kept.
EXACT = 500
_NEAREST = 64
_PAGE = 1000
_TEXTS: list[Any] = ["documents", "metadatas"]


def write(rows: Collection, batch: int, records: Sequence[MemoryRecord], embed: Embed) -> None:
    """Write new memories and let them take the place of those they supersede.

    A memory that is there already stays as it is. Its successor is written before it is marked, so a process killed in
    between leaves both valid until the write is repeated.
    """
    new = [record for record in records if not is_current_portrait(record)]
    vectors = embed([record.text for record in new])
    for part in _slices(len(new), batch):
        rows.add(
            ids=[record.id for record in new[part]],
            embeddings=vectors[part],
            metadatas=[dict(to_metadata(record)) for record in new[part]],
        )
    _settle(rows, batch, {subject_of(record) for record in new if record.subject})
    for portrait in (record for record in records if is_current_portrait(record)):
        _portray(rows, portrait, embed)


def _settle(rows: Collection, batch: int, subjects: set[str]) -> None:
    for subject in sorted(subjects):
        _put(rows, batch, settled(to_records(rows.get(where={SUBJECT: subject}, include=_TEXTS))))


def _portray(rows: Collection, new: MemoryRecord, embed: Embed) -> None:
    found = to_records(rows.get(ids=[portrait_id(new.owner, new.client_id)], include=_TEXTS))
    if written := portrayed(found[0] if found else None, new):
        rows.upsert(  # in one write, so that a killed process leaves either version as the valid one
            ids=[record.id for record in written],
            embeddings=embed([record.text for record in written]),
            metadatas=[dict(to_metadata(record)) for record in written],
        )


def revise(rows: Collection, batch: int, ids: Sequence[str], change: Revise) -> int:
    """Change what became of some memories; what is not there is left out.

    Returns:
        Number of memories changed.
    """
    found = [record for part in _slices(len(ids), batch) for record in get(rows, ids=list(ids[part]))]
    changed = change(found)
    _put(rows, batch, changed)
    return len(changed)


def _put(rows: Collection, batch: int, records: Sequence[MemoryRecord]) -> None:
    for part in _slices(len(records), batch):
        ids = [record.id for record in records[part]]
        rows.update(ids=ids, metadatas=[dict(to_metadata(record)) for record in records[part]])


def get(rows: Collection, **which: Any) -> list[MemoryRecord]:
    """Memories by Chroma's own arguments."""
    return to_records(rows.get(**which, include=_TEXTS))


def pages(rows: Collection, client_id: str | None = None) -> Iterator[list[MemoryRecord]]:
    """All memories, or all of a client, some at a time."""
    ids = rows.get(where={CLIENT: client_id} if client_id is not None else None, include=[])["ids"]
    for part in _slices(len(ids), _PAGE):
        yield get(rows, ids=ids[part])


def delete(rows: Collection, batch: int, client_id: str) -> int:
    """Delete a client's memories and say how many there were."""
    ids = rows.get(where={CLIENT: client_id}, include=[])["ids"]
    for part in _slices(len(ids), batch):
        rows.delete(ids=ids[part])
    return len(ids)


def all_of(rows: Collection, owner: str, client_id: str, *, limit: int | None = None) -> Candidates:
    """All memories of an owner and a client with their vectors, or as many as `limit` says."""
    where: Any = {SCOPE: scope(owner, client_id)}
    found = rows.get(where=where, limit=limit, include=[*_TEXTS, "embeddings"])
    return Candidates.of(to_records(found), to_vectors(found))


def nearest(
    rows: Collection, owner: str, client_id: str, query: Vector, k: int, sample: Counts | None
) -> tuple[Candidates, Scores] | None:
    """Memories of an owner and a client that Chroma's index finds nearest, and their cosines with the query.

    Args:
        rows: The collection.
        owner: Role that kept them.
        client_id: Client they are about.
        query: Vector of the query.
        k: How many are wanted in the end.
        sample: Word stems of memories of theirs, to tell rare words by; None for those of the nearest.

    Returns:
        Several times `k` memories; None if so many are better read than searched, or if the index finds fewer than
        there are: where many memories are nearly alike it loses sight of the others.
    """
    count = max(_NEAREST, 4 * k)
    if count > EXACT:
        return None
    found: Any = rows.query(
        query_embeddings=query.reshape(1, -1),
        where={SCOPE: scope(owner, client_id)},
        n_results=count,
        include=[*_TEXTS, "distances"],
    )
    if len(found["ids"][0]) < count:
        return None
    first = {field: found[field][0] for field in _TEXTS if found[field]}
    return Candidates.of(to_records(first), sample=sample), 1 - np.array(found["distances"][0], np.float64)


def _slices(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, start + size)
