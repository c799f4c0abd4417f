"""What a recall reads: all memories of an owner and a client, or, of many, those that Chroma's index finds nearest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from counselgraph.memory import rows
from counselgraph.memory.collection import SharedCollection
from counselgraph.memory.layout import SCOPE
from counselgraph.memory.ranking import Candidates, Scores, Vector, cosines
from counselgraph.memory.record import MemoryRecord, scope


def candidates(
    shared: SharedCollection, owner: str, client_id: str, query: Vector | None, k: int
) -> tuple[Candidates, Scores]:
    """Return the memories among which a recall finds its `k`, and their cosines with the query.

    A query without content is None; all cosines are 0 then.
    """
    shelf = _shelf(shared, owner, client_id)
    if shelf is None:
        # None if another thread has just forgotten the client.
        sample = shared.crowded.get(scope(owner, client_id))
        with shared.use() as collection:
            near = None if query is None else rows.nearest(collection, owner, client_id, query, k, sample)
            if near is not None:
                return near
            shelf = rows.all_of(collection, owner, client_id)
    if query is None:
        return shelf, np.zeros(len(shelf.records))
    return shelf, cosines(shelf.vectors, query)


def everything(shared: SharedCollection, owner: str, client_id: str) -> Sequence[MemoryRecord]:
    """Return all memories of an owner and a client, in no order."""
    if (shelf := _shelf(shared, owner, client_id)) is not None:
        return shelf.records
    with shared.use() as collection:
        return rows.get(collection, where={SCOPE: scope(owner, client_id)})


def _shelf(shared: SharedCollection, owner: str, client_id: str) -> Candidates | None:
    """All memories with their vectors, None if there are more than are ranked exactly."""
    key = scope(owner, client_id)
    if key in shared.crowded:
        return None
    with shared.use() as collection:
        read = partial(rows.all_of, collection, owner, client_id, limit=rows.EXACT + 1)
        shelf = read() if shared.shelves is None else shared.shelves.get(key, read)
    if len(shelf.records) <= rows.EXACT:
        return shelf
    # Memories are only ever added; `forget` empties this.
    shared.crowded[key] = shelf.counts
    return None
