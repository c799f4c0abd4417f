"""The Chroma collection of one place: opened once per process and shared; a folder is refused to other processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from counselgraph.errors import ConfigError
from counselgraph.memory.connect import (
    EMBEDDER,
    NAME,
    Place,
    collection_of,
    connect,
    create_collection,
    described,
    disconnect,
    rows_a_write,
    translated,
)
from counselgraph.memory.embed import Embedder, load_embedder
from counselgraph.memory.lock import FolderLock
from counselgraph.memory.purge import blank, rebuild, recover, scrub
from counselgraph.memory.ranking import Counts
from counselgraph.memory.shelves import Shelves
from counselgraph.memory.torn import DATABASE, discard_torn, is_marked

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

_guard = threading.Lock()
_opened: dict[tuple[int, Place], SharedCollection] = {}


class SharedCollection:
    """A place's collection, closed when the last of its users has let it go.

    Every open store and every call in flight is a user, so closing a store never pulls the database from under a call
    that still runs in another thread.

    Attributes:
        place: Absolute path of the folder, or the server's URL.
        embedder: Name of the embedder that the place was made with.
        rows: The Chroma collection; reads may run side by side.
        writing: Held by whoever writes; SQLite has one writer, and a queue in here is cheaper than its retries.
        batch: Most rows that Chroma takes in one write.
        shelves: What was read lately; None behind a server, where others write as well.
        crowded: Scopes known to hold more memories than a recall ranks exactly, with the words of some of them.
    """

    def __init__(self, place: Place, embedder: Embedder | None) -> None:
        self.place = place
        self.writing = threading.Lock()
        self.shelves = Shelves() if isinstance(place, Path) else None
        self.crowded: dict[str, Counts] = {}
        self._process = os.getpid()
        self._users = 0
        self._calls = 0
        self._paused = False
        self._changed = threading.Condition(_guard)
        with ExitStack() as undo:
            if isinstance(place, Path):
                undo.callback(FolderLock(place).release)
            self._client = self._connect(embedder)
            undo.callback(self._disconnect)
            self.batch = rows_a_write(self._client, place)
            self.embedder = str((self.rows.metadata or {}).get(EMBEDDER))
            self._check(embedder)
            if isinstance(place, Path) and is_marked(self.rows):
                self._repair(embedder)
            self._close = undo.pop_all().close

    def _connect(self, embedder: Embedder | None) -> Client:
        if isinstance(self.place, Path):
            discard_torn(self.place)
        client = connect(self.place)
        try:
            if isinstance(self.place, Path):
                with translated(self.place):
                    recover(client, NAME)
            self.rows = collection_of(client, self.place, None if embedder is None else embedder.name)
        except BaseException:
            disconnect(client)
            raise
        return client

    def _repair(self, embedder: Embedder | None) -> None:
        """Make the vectors anew that went with a half-written index."""
        lexical = load_embedder()
        if embedder is None and self.embedder == lexical.name:
            embedder = lexical
        if embedder is None:
            raise ConfigError(
                f"{described(self.place)} was left with a half-written index by a process that was killed. Fix: open "
                f"it once with its embedder, {self.embedder!r}, which makes the index anew."
            )
        with translated(self.place):
            rebuild(self._client, NAME, self._new_rows, embedder)
            self.rows = self._client.get_collection(NAME, embedding_function=None)

    def _new_rows(self, name: str) -> Collection:
        return create_collection(self._client, name, self.embedder)

    def _disconnect(self) -> None:
        disconnect(self._client)
        if isinstance(self.place, Path):
            blank(self.place)

    def _check(self, embedder: Embedder | None) -> None:
        if embedder is not None and embedder.name != self.embedder:
            other = "folder" if isinstance(self.place, Path) else "server"
            raise ConfigError(
                f"{described(self.place)} was made with the embedder {self.embedder!r}, not {embedder.name!r}, and "
                f"their vectors cannot be compared. Fix: use the embedder {self.embedder!r}, or another {other}."
            )

    @classmethod
    def open(cls, place: Place, embedder: Embedder | None) -> SharedCollection:
        """Open a place's collection, or share the one this process has open already; the caller is its user.

        Args:
            place: A server's URL, or an absolute path with its links resolved; a folder is made if it is not there.
            embedder: What makes the vectors; None to take what is there, whatever made it.

        Raises:
            ConfigError: The folder is a file, is not writable, is open in another process, or the place has another
                embedder; without one, also if there is no store.
            InfrastructureError: Chroma cannot read what is in the folder, or the server does not answer.
        """
        if isinstance(place, Path):
            _require(place) if embedder is None else _make(place)
        key = (os.getpid(), place)
        with _guard:
            shared = _opened.get(key)
            if shared is None:
                shared = cls(place, embedder)
                _opened[key] = shared
            shared._check(embedder)
            shared._users += 1
        return shared

    def leave(self) -> None:
        """Stop being a user; the last one closes the database and releases the folder."""
        with _guard:
            self._users -= 1
            if self._users == 0:
                del _opened[self._process, self.place]
                self._close()

    @contextmanager
    def use(self) -> Iterator[Collection]:
        """Be a user for the length of one call, with Chroma's errors turned into InfrastructureError."""
        if os.getpid() != self._process:
            raise ConfigError(
                "a memory store cannot be used in a forked process. Fix: start workers with `spawn` and open it there."
            )
        with _guard:
            if self._users == 0:
                raise ConfigError(closed(self.place))
            self._users += 1
            self._changed.wait_for(lambda: not self._paused)
            self._calls += 1
        try:
            with translated(self.place):
                yield self.rows
        finally:
            with _guard:
                self._calls -= 1
                self._changed.notify_all()
            self.leave()

    @contextmanager
    def write(self, scopes: Iterable[str] | None) -> Iterator[Collection]:
        """Be the one who writes memories of some scopes, of any if None."""
        with self.use() as rows, self.writing:
            try:
                yield rows
            finally:
                if self.shelves is not None:
                    self.shelves.drop(scopes)
                if scopes is None:
                    self.crowded.clear()

    def purge(self) -> None:
        """Write a folder's database anew, without a trace of what was deleted. Other calls wait meanwhile.

        Raises:
            ConfigError: The place is a server, whose files are not ours.
            InfrastructureError: The database cannot be read or written.
        """
        folder = self.require_files()
        with self._alone():
            with translated(folder):
                rebuild(self._client, NAME, self._new_rows)
            self._disconnect()
            try:
                scrub(folder)
            finally:
                self._client = self._connect(None)

    def require_files(self) -> Path:
        """The folder, if the place is one.

        Raises:
            ConfigError: It is a server.
        """
        if isinstance(self.place, Path):
            return self.place
        raise ConfigError(
            f"{described(self.place)} has its files open, so deleted memories stay in them. Fix: forget without "
            "purging, or stop the server and purge its folder."
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out every call, once those in flight have ended."""
        with _guard:
            self._changed.wait_for(lambda: not self._paused)
            self._users += 1
            self._paused = True
            self._changed.wait_for(lambda: not self._calls)
        try:
            yield
        finally:
            with _guard:
                self._paused = False
                self._changed.notify_all()
            self.leave()


def closed(place: Place) -> str:
    """What a closed store says."""
    return f"the memory store in {str(place)!r} is closed. Fix: open it again."


def _require(folder: Path) -> None:
    if not (folder / DATABASE).is_file():
        raise ConfigError(
            f"{described(folder)} holds no memory store. Fix: name the folder of one, such as RUN/memory, or a server."
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"memory folder {str(folder)!r} cannot be made ({error.strerror}). Fix: choose a folder, not a file, in a "
            "place you can write to."
        ) from error
