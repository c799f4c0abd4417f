"""The Chroma collection of one place: opened once per process and shared; a folder is refused to other processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from counselgraph.errors import ConfigError
from counselgraph.memory.connect import (
    EMBEDDER,
    Place,
    collection_of,
    connect,
    described,
    disconnect,
    rows_a_write,
    translated,
)
from counselgraph.memory.lock import FolderLock

if TYPE_CHECKING:
    from chromadb import Collection

_guard = threading.Lock()
_opened: dict[tuple[int, Place], SharedCollection] = {}


class SharedCollection:
    """A place's collection, closed when the last of its users has let it go.

    Every open store and every call in flight is a user, so closing a store never pulls the database from under a call
    that still runs in another thread.

    Attributes:
        place: Absolute path of the folder, or the server's URL.
        rows: The Chroma collection; reads may run side by side.
        writing: Held by whoever writes; SQLite has one writer, and a queue in here is cheaper than its retries.
        batch: Most rows that Chroma takes in one write.
    """

    def __init__(self, place: Place, embedder: str) -> None:
        self.place = place
        self.writing = threading.Lock()
        self._process = os.getpid()
        self._users = 0
        with ExitStack() as undo:
            if isinstance(place, Path):
                undo.callback(FolderLock(place).release)
            client = connect(place)
            undo.callback(disconnect, client)
            self.rows = collection_of(client, place, embedder)
            self.batch = rows_a_write(client, place)
            self._check(embedder)
            self._close = undo.pop_all().close

    def _check(self, embedder: str) -> None:
        made_with = (self.rows.metadata or {}).get(EMBEDDER)
        if made_with != embedder:
            other = "folder" if isinstance(self.place, Path) else "server"
            raise ConfigError(
                f"{described(self.place)} was made with the embedder {made_with!r}, not {embedder!r}, and "
                f"their vectors cannot be compared. Fix: use the embedder {made_with!r}, or another {other}."
            )

    @classmethod
    def open(cls, place: Place, embedder: str) -> SharedCollection:
        """Open a place's collection, or share the one this process has open already; the caller is its user.

        Args:
            place: A server's URL, or an absolute path with its links resolved; a folder is made if it is not there.
            embedder: Name of the embedder that makes the vectors.

        Raises:
            ConfigError: The folder is a file, is not writable, is open in another process, or the place has another
                embedder.
            InfrastructureError: Chroma cannot read what is in the folder, or the server does not answer.
        """
        if isinstance(place, Path):
            _make(place)
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
        try:
            with translated(self.place):
                yield self.rows
        finally:
            self.leave()


def closed(place: Place) -> str:
    """What a closed store says."""
    return f"the memory store in {str(place)!r} is closed. Fix: open it again."


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"memory folder {str(folder)!r} cannot be made ({error.strerror}). Fix: choose a folder, not a file, in a "
            "place you can write to."
        ) from error
