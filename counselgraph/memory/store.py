"""The memory store: what the roles keep of their clients, in one Chroma collection on disk or behind a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from counselgraph.errors import ConfigError
from counselgraph.memory.collection import SharedCollection, closed
from counselgraph.memory.connect import place_of
from counselgraph.memory.commits import GroupCommit
from counselgraph.memory.embed import Embedder, load_embedder
from counselgraph.memory.record import Kind, MemoryRecord

# Similarities are compared to this many decimals, so that the last bits of a sum never decide an order.
_DECIMALS = 6


_OPEN_LOOPS = frozenset({Kind.SUMMARY, Kind.HOMEWORK})


class MemoryStore:
    """What the roles keep of their clients, in one folder or on one Chroma server.

    A memory is read only under the owner and the client it was written for; there is no call that reads across.
    Recall ranks every memory of that owner and client exactly: an approximate index may miss some of them, and its
    answers depend on the order of writing.

    Opening one folder several times in one process gives stores that share it. Another process is refused, because
    Chroma would answer it from a stale index; the refusal ends when the first process closes the folder or dies.
    A server takes any number of processes. Stores may be used from any number of threads, but not in a forked child.

    Blocking. `aremember` and `arecall` are for async nodes; for the other calls, and for `open`, which takes about a
    second the first time, use `asyncio.to_thread`.
    """

    def __init__(self, shared: SharedCollection, embedder: Embedder) -> None:
        self._shared = shared
        self._embedder = embedder
        self._closed = False
        self._commits = GroupCommit(self.remember)

    @classmethod
    def open(cls, place: str | Path, *, embedder: Embedder | None = None) -> Self:
        """Open a memory folder, making it if need be, or the store of a Chroma server.

        Args:
            place: Folder of the database, or the server's URL (`http://host:port`).
            embedder: What turns texts into vectors, the lexical embedder if None. A place remembers its name.

        Raises:
            ConfigError: The folder is a file, is not writable or is open in another process, the URL cannot be used,
                or the place was made with another embedder.
            InfrastructureError: Chroma cannot read what is in the folder, or the server does not answer.
        """
        embedder = embedder or load_embedder()
        return cls(SharedCollection.open(place_of(place), embedder.name), embedder)

    def remember(self, records: Sequence[MemoryRecord]) -> int:
        """Write memories; writing one again changes nothing.

        When this returns, the memories are on disk and survive a killed process.

        Args:
            records: Memories of any owners and clients, any number of them.

        Returns:
            Number of different memories written.

        Raises:
            ConfigError: The store is closed.
            InfrastructureError: The database cannot be written.
        """
        unique = list({record.id: record for record in records}.values())
        if not unique:
            return 0
        vectors = self._embed([record.text for record in unique])
        shared = self._open_shared()
        with shared.use() as rows, shared.writing:
            for start in range(0, len(unique), shared.batch):
                part = unique[start : start + shared.batch]
                rows.upsert(
                    ids=[record.id for record in part],
                    embeddings=vectors[start : start + shared.batch],
                    documents=[record.text for record in part],
                    metadatas=[_to_metadata(record) for record in part],
                )
        return len(unique)

    def recall(
        self, *, owner: str, client_id: str, query: str, k: int = 6, unless: str | None = None
    ) -> tuple[MemoryRecord, ...]:
        """Return the memories of one owner about one client that are nearest to a text.

        Args:
            owner: Role that kept them.
            client_id: Client they are about.
            query: What to look for; without any content every memory is equally near.
            k: Most memories to return; none if it is not positive.
            unless: Session whose memories are left out, so that a session played again does not remember itself.

        Returns:
            Up to `k` memories, the nearest first; of equally near ones the later session first, then by exchange and
            text. The order depends on what is stored, never on when it was written.

        Raises:
            ConfigError: The store is closed.
            InfrastructureError: The database cannot be read.
        """
        if k <= 0:
            return ()
        with self._open_shared().use() as rows:
            found = rows.get(where=_scope(owner, client_id), include=["documents", "metadatas", "embeddings"])
        records = _to_records(found)
        if not records:
            return ()
        nearness = self._nearness(query, _vectors(found["embeddings"]))
        ranked = sorted(
            zip(nearness, records, strict=True),
            key=lambda pair: (-pair[0], -pair[1].session_number, pair[1].exchange, pair[1].text, pair[1].id),
        )
        return tuple(record for _, record in ranked if record.session != unless)[:k]

    def brief(
        self, *, owner: str, client_id: str, query: str, k: int = 6, unless: str | None = None
    ) -> tuple[MemoryRecord, ...]:
        """Return what an owner should have in mind when the next session begins.

        That is the last session's summary and homework, whatever the query, and beside them what is nearest to it.

        Args:
            owner: Role that kept them.
            client_id: Client they are about.
            query: What the next session is likely about.
            k: Most memories to return besides those of the last session.
            unless: Session whose memories are left out.

        Returns:
            Memories in the order they come from.
        """
        kept = [record for record in self.history(owner=owner, client_id=client_id) if record.session != unless]
        latest = max((record.session_number for record in kept), default=0)
        last = {record for record in kept if record.session_number == latest and record.kind in _OPEN_LOOPS}
        near = set(self.recall(owner=owner, client_id=client_id, query=query, k=k, unless=unless))
        return tuple(record for record in kept if record in last | near)

    async def abrief(
        self, *, owner: str, client_id: str, query: str, k: int = 6, unless: str | None = None
    ) -> tuple[MemoryRecord, ...]:
        """Call `brief` in a thread."""
        return await asyncio.to_thread(self.brief, owner=owner, client_id=client_id, query=query, k=k, unless=unless)

    async def aremember(self, records: Sequence[MemoryRecord]) -> int:
        """Call `remember` in a thread, together with what other tasks write at the same time."""
        return await self._commits.add(records) if records else 0

    async def arecall(
        self, *, owner: str, client_id: str, query: str, k: int = 6, unless: str | None = None
    ) -> tuple[MemoryRecord, ...]:
        """Call `recall` in a thread."""
        return await asyncio.to_thread(self.recall, owner=owner, client_id=client_id, query=query, k=k, unless=unless)

    async def asessions(self, client_id: str, *, unless: str | None = None) -> int:
        """Call `sessions` in a thread."""
        return await asyncio.to_thread(self.sessions, client_id, unless=unless)

    def history(self, *, owner: str, client_id: str, kinds: Collection[Kind] | None = None) -> tuple[MemoryRecord, ...]:
        """Return all memories of one owner about one client, in the order they come from.

        Args:
            owner: Role that kept them.
            client_id: Client they are about.
            kinds: Kinds to return, all if None.

        Returns:
            Memories by session number, exchange and text.
        """
        with self._open_shared().use() as rows:
            found = rows.get(where=_scope(owner, client_id), include=["documents", "metadatas"])
        wanted = [record for record in _to_records(found) if kinds is None or record.kind in kinds]
        return tuple(
            sorted(wanted, key=lambda record: (record.session_number, record.exchange, record.text, record.id))
        )

    def sessions(self, client_id: str, *, unless: str | None = None) -> int:
        """Return the highest session number that any owner remembers of a client, 0 if there is none.

        The client's next session has this number plus one, also if a session in between left no memory. Memories of
        the session `unless` do not count.
        """
        with self._open_shared().use() as rows:
            found: Mapping[str, Any] = rows.get(where={"client_id": client_id}, include=["metadatas"])
        told = [metadata for metadata in found["metadatas"] or [] if metadata["session"] != unless]
        return max((metadata["session_number"] for metadata in told), default=0)

    def forget(self, client_id: str) -> int:
        """Delete every owner's memories of a client.

        No call returns them any more. Chroma's log may keep their bytes in the database file for a while; delete the
        folder where that matters.

        Returns:
            Number of memories deleted.
        """
        shared = self._open_shared()
        with shared.use() as rows, shared.writing:
            ids = rows.get(where={"client_id": client_id}, include=[])["ids"]
            for start in range(0, len(ids), shared.batch):
                rows.delete(ids=ids[start : start + shared.batch])
        return len(ids)

    def close(self) -> None:
        """Close this store; a folder is free when all stores on it are closed. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._shared.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_shared(self) -> SharedCollection:
        if self._closed:
            raise ConfigError(closed(self._shared.place))
        return self._shared

    def _embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        vectors = self._embedder(texts)
        if vectors.ndim != 2 or len(vectors) != len(texts):  # noqa: PLR2004 - rows and columns
            raise ConfigError(
                f"embedder {self._embedder.name!r} made an array of shape {vectors.shape} of {len(texts)} texts. "
                "Fix: return one row per text."
            )
        return vectors

    def _nearness(self, query: str, vectors: npt.NDArray[np.float64]) -> list[float]:
        if not query.strip():
            return [0.0] * len(vectors)
        # Row by row, not as a matrix product, whose last bits depend on where in the matrix a row stands.
        products = (vectors * self._embed([query])[0]).sum(axis=1)
        return [float(product) for product in products.round(_DECIMALS)]


def _scope(owner: str, client_id: str) -> dict[str, Any]:
    # One field for the pair: with two, Chroma would collect half of all rows for the owner before it drops them again.
    # JSON, because no two pairs may ever be written alike.
    return {"scope": json.dumps([owner, client_id])}


def _vectors(found: Any) -> npt.NDArray[np.float64]:
    # A server writes vectors as text and the reader makes doubles of it: through float32 they are what was stored.
    return np.asarray(found, dtype=np.float32).astype(np.float64)


def _to_metadata(record: MemoryRecord) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude={"text"}) | _scope(record.owner, record.client_id)


def _to_records(found: Mapping[str, Any]) -> list[MemoryRecord]:
    rows = zip(found["documents"] or [], found["metadatas"] or [], strict=True)
    return [
        MemoryRecord(text=text, **{field: value for field, value in metadata.items() if field != "scope"})
        for text, metadata in rows
    ]
