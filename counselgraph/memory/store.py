"""The memory store: what the roles keep of their clients, in one Chroma collection on disk or behind a server."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from counselgraph.errors import ConfigError
from counselgraph.memory import revise, rows
from counselgraph.memory.collection import SharedCollection, closed
from counselgraph.memory.commits import GroupCommit
from counselgraph.memory.connect import place_of
from counselgraph.memory.embed import Embedder, load_embedder
from counselgraph.memory.forgetting import Forgetting
from counselgraph.memory.layout import CLIENT, to_session
from counselgraph.memory.ranking import Sight, Vector, Weights, rank
from counselgraph.memory.reading import candidates, everything
from counselgraph.memory.record import Kind, MemoryRecord, Moment, order, scope

_OF_LAST_SESSION = frozenset({Kind.SUMMARY, Kind.HOMEWORK})


class MemoryStore:
    """What the roles keep of their clients, in one folder or on one Chroma server.

    A memory is read only under the owner and the client it was written for; there is no call that reads across but
    `records`, which is for looking after a store.

    Recall ranks every memory of that owner and client exactly up to 500 of them; beyond, Chroma's index picks the
    nearest ones first. Where a call takes `at`, it answers as of the beginning of that session: what was learned,
    recalled, settled or superseded in it or later is not known yet.

    Opening one folder several times in one process gives stores that share it. Another process is refused, because
    Chroma would answer it from a stale index; the refusal ends when the first process closes the folder or dies.
    A server takes any number of processes. Stores may be used from any number of threads, but not in a forked child.

    Blocking. The calls that begin with `a` are for async nodes; for the others, and for `open`, which takes about a
    second the first time, use `asyncio.to_thread`.
    """

    def __init__(
        self,
        shared: SharedCollection,
        embedder: Embedder | None,
        *,
        forgetting: Forgetting | None = None,
        weights: Weights | None = None,
    ) -> None:
        self._shared = shared
        self._embedder = embedder
        self._forgetting = forgetting
        self._weights = weights or Weights()
        self._closed = False
        self._commits = GroupCommit(self.remember)

    @classmethod
    def open(
        cls,
        place: str | Path,
        *,
        embedder: Embedder | None = None,
        forgetting: Forgetting | None = None,
        weights: Weights | None = None,
    ) -> Self:
        """Open a memory folder, making it if need be, or the store of a Chroma server.

        Args:
            place: Folder of the database, or the server's URL (`http://host:port`).
            embedder: What turns texts into vectors, the lexical embedder if None. A place remembers its name.
            forgetting: How memories fade out of reach of `recall` and `brief`; None: they never do.
            weights: What counts how much in recall.

        Raises:
            ConfigError: The folder is a file, is not writable or is open in another process, the URL cannot be used,
                or the place was made with another embedder.
            InfrastructureError: Chroma cannot read what is in the folder, or the server does not answer.
        """
        embedder = embedder or load_embedder()
        shared = SharedCollection.open(place_of(place), embedder)
        return cls(shared, embedder, forgetting=forgetting, weights=weights)

    @classmethod
    def inspect(cls, place: str | Path) -> Self:
        """Open a store that is there, whatever embedder it was made with, to read it or to delete from it.

        What needs an embedder, `remember` and `recall` with a query among them, raises ConfigError.

        Raises:
            ConfigError: There is no store, or another process has it open.
            InfrastructureError: Chroma cannot read what is there, or the server does not answer.
        """
        return cls(SharedCollection.open(place_of(place), None), None)

    @property
    def embedder(self) -> str:
        """Name of the embedder that the place was made with."""
        return self._shared.embedder

    def remember(self, records: Sequence[MemoryRecord]) -> int:
        """Write memories; writing one again changes nothing.

        A memory with a subject takes the place of the valid one with that subject, and a portrait that of the valid
        portrait; what they supersede stays in the history. When this returns, the memories are on disk and survive a
        killed process.

        Args:
            records: Memories of any owners and clients, any number of them.

        Returns:
            Number of different memories among `records`.

        Raises:
            ConfigError: The store is closed.
            InfrastructureError: The database cannot be written.
        """
        unique = list({record.id: record for record in records}.values())
        shared = self._open_shared()
        if unique:
            with shared.write({scope(record.owner, record.client_id) for record in unique}) as collection:
                rows.write(collection, shared.batch, unique, self._embed)
        return len(unique)

    def recall(
        self,
        *,
        owner: str,
        client_id: str,
        query: str,
        k: int = 6,
        unless: str | None = None,
        at: Moment | None = None,
    ) -> tuple[MemoryRecord, ...]:
        """Return the valid memories of one owner about one client that matter most for a text.

        Args:
            owner: Role that kept them.
            client_id: Client they are about.
            query: What to look for; without any content only recency, importance and what is owed count.
            k: Most memories to return; none if it is not positive.
            unless: Session whose memories are left out, so that a session played again does not remember itself.
            at: Session at hand; None for all that is known, on the day of the latest.

        Returns:
            Up to `k` memories, the best first; of equal ones the later session first, then by exchange and text. The
            order depends on what is stored, never on when it was written.

        Raises:
            ConfigError: The store is closed.
            InfrastructureError: The database cannot be read.
        """
        if k <= 0:
            return ()
        found, meaning = candidates(self._open_shared(), owner, client_id, self._vector(query), k)
        return rank(found, meaning, query, Sight(at, unless, self._forgetting), self._weights)[:k]

    def brief(
        self,
        *,
        owner: str,
        client_id: str,
        query: str,
        k: int = 6,
        unless: str | None = None,
        at: Moment | None = None,
    ) -> tuple[MemoryRecord, ...]:
        """Return what an owner should have in mind when the next session begins.

        That is the portrait, the last session's summary and homework and all that is still owed, whatever the query,
        and beside them what `recall` returns.

        Args:
            owner: Role that kept them.
            client_id: Client they are about.
            query: What the next session is likely about.
            k: Most memories to return besides the others.
            unless: Session whose memories are left out.
            at: Session at hand; None for all that is known.

        Returns:
            Memories in the order they come from.
        """
        sight = Sight(at, unless, None)
        kept = self.history(owner=owner, client_id=client_id)
        known = [record for record in kept if sight.sees(record, sight.now(kept))]
        latest = max((record.session_number for record in known), default=0)
        always = {
            record
            for record in known
            if (record.session_number == latest and record.kind in _OF_LAST_SESSION)
            or record.kind is Kind.PORTRAIT
            or record.open_at(at)
        }
        near = set(self.recall(owner=owner, client_id=client_id, query=query, k=k, unless=unless, at=at))
        return tuple(record for record in known if record in always | near)

    def portrait(self, *, owner: str, client_id: str, at: Moment | None = None) -> MemoryRecord | None:
        """Return an owner's portrait of a client as it is valid, None if there is none."""
        versions = self.history(owner=owner, client_id=client_id, kinds={Kind.PORTRAIT})
        return next((record for record in versions if record.known_at(at) and record.valid_at(at)), None)

    def history(self, *, owner: str, client_id: str, kinds: Collection[Kind] | None = None) -> tuple[MemoryRecord, ...]:
        """Return all memories of one owner about one client, superseded ones too, in the order they come from.

        Args:
            owner: Role that kept them.
            client_id: Client they are about.
            kinds: Kinds to return, all if None.

        Returns:
            Memories by session number, exchange and text.
        """
        kept = everything(self._open_shared(), owner, client_id)
        return tuple(sorted((record for record in kept if kinds is None or record.kind in kinds), key=order))

    def sessions(self, client_id: str, *, unless: str | None = None) -> int:
        """Return the highest session number that any owner remembers of a client, 0 if there is none.

        The client's next session has this number plus one, also if a session in between left no memory. Memories of
        the session `unless` do not count.
        """
        with self._open_shared().use() as collection:
            found = collection.get(where={CLIENT: client_id}, include=["metadatas"])
        told = map(to_session, found["metadatas"] or [])
        return max((number for session, number in told if session != unless), default=0)

    def strengthen(self, records: Sequence[MemoryRecord], *, day: float) -> int:
        """Note that memories were recalled on a day; noting it again changes nothing.

        Recall itself writes nothing, so that looking at memories does not change them: call this once for what a role
        was given to work with, when its session ends.

        Args:
            records: What `recall` or `brief` returned; any owners and clients.
            day: Day of the session that recalled them.

        Returns:
            Number of memories for which this is new.
        """
        return self._revise(records, partial(revise.strengthened, day=day))

    def close_loops(self, records: Sequence[MemoryRecord], *, session_number: int) -> int:
        """Note that nothing is owed any more: the homework was asked about, the promise was kept.

        Args:
            records: Open memories.
            session_number: Session in which it happened; the earliest counts.

        Returns:
            Number of memories changed.
        """
        return self._revise(records, partial(revise.closed, session_number=session_number))

    def supersede(self, older: MemoryRecord, newer: MemoryRecord) -> None:
        """Write a memory that takes the place of another, whether they share a subject or not.

        Raises:
            ConfigError: They are not of one owner and client.
        """
        if scope(older.owner, older.client_id) != scope(newer.owner, newer.client_id):
            raise ConfigError(
                "a memory cannot supersede one of another owner or client. Fix: give both one owner and client_id."
            )
        self.remember([newer])
        self._revise(
            [older], lambda found: [revise.superseded(record, newer) for record in found if not record.superseded_by]
        )

    def forget(self, client_id: str, *, purge: bool = False) -> int:
        """Delete every owner's memories of a client.

        No call returns them any more. Without `purge` their bytes stay in the files until Chroma needs the place.

        Args:
            client_id: The client.
            purge: Write the folder's files anew, without a trace of what was deleted. Takes as long as writing all
                other memories again, about a second for 1,000, and keeps other calls waiting. Repeat it if the
                process is killed meanwhile.

        Returns:
            Number of memories deleted.

        Raises:
            ConfigError: `purge` is wanted of a server, whose files are not ours; nothing is deleted then.
        """
        shared = self._open_shared()
        if purge:
            shared.require_files()
        with shared.write(None) as collection:
            count = rows.delete(collection, shared.batch, client_id)
        if purge:
            shared.purge()
        return count

    def records(self, *, owner: str | None = None, client_id: str | None = None) -> tuple[MemoryRecord, ...]:
        """Return what is in the store, for looking after it; no role may be given this.

        Returns:
            Memories by client, owner, session number, exchange and text.
        """
        with self._open_shared().use() as collection:
            found = [record for page in rows.pages(collection, client_id) for record in page]
        wanted = (record for record in found if owner in {None, record.owner})
        return tuple(sorted(wanted, key=lambda record: (record.client_id, record.owner, *order(record))))

    async def aremember(self, records: Sequence[MemoryRecord]) -> int:
        """Call `remember` in a thread, together with what other tasks write at the same time."""
        return await self._commits.add(records) if records else 0

    async def arecall(
        self,
        *,
        owner: str,
        client_id: str,
        query: str,
        k: int = 6,
        unless: str | None = None,
        at: Moment | None = None,
    ) -> tuple[MemoryRecord, ...]:
        """Call `recall` in a thread."""
        return await asyncio.to_thread(
            self.recall, owner=owner, client_id=client_id, query=query, k=k, unless=unless, at=at
        )

    async def abrief(
        self,
        *,
        owner: str,
        client_id: str,
        query: str,
        k: int = 6,
        unless: str | None = None,
        at: Moment | None = None,
    ) -> tuple[MemoryRecord, ...]:
        """Call `brief` in a thread."""
        return await asyncio.to_thread(
            self.brief, owner=owner, client_id=client_id, query=query, k=k, unless=unless, at=at
        )

    async def asessions(self, client_id: str, *, unless: str | None = None) -> int:
        """Call `sessions` in a thread."""
        return await asyncio.to_thread(self.sessions, client_id, unless=unless)

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

    def _revise(self, records: Sequence[MemoryRecord], change: rows.Revise) -> int:
        shared, scopes = self._open_shared(), {scope(record.owner, record.client_id) for record in records}
        with shared.write(scopes) as collection:
            return rows.revise(collection, shared.batch, sorted({record.id for record in records}), change)

    def _vector(self, query: str) -> Vector | None:
        if not query.strip():
            return None
        vector: Vector = self._embed([query])[0]
        return vector

    def _embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        if self._embedder is None:
            raise ConfigError(
                f"the memory store was opened without an embedder. Fix: open it with the one it was made with, "
                f"{self._shared.embedder!r}."
            )
        vectors = self._embedder(texts)
        if vectors.ndim != 2 or len(vectors) != len(texts):  # noqa: PLR2004 - rows and columns
            raise ConfigError(
                f"embedder {self._embedder.name!r} made an array of shape {vectors.shape} of {len(texts)} texts. "
                "Fix: return one row per text."
            )
        return vectors
