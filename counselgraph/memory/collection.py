"""The Chroma collection of one memory folder: opened once per process, shared, and refused to other processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.memory.lock import FolderLock

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

_NAME = "memories"
_EMBEDDER = "embedder"
# Rows after which Chroma folds its log into the index. Sessions write a few memories at a time, and every write reads
# the log: at Chroma's own 1000, such a write takes twice as long and the folder twice the space.
_SYNC_EVERY = 100

_guard = threading.Lock()
_opened: dict[tuple[int, Path], SharedCollection] = {}


class SharedCollection:
    """A folder's collection, closed when the last of its users has let it go.

    Every open store and every call in flight is a user, so closing a store never pulls the database from under a call
    that still runs in another thread.

    Attributes:
        folder: Absolute path of the folder.
        rows: The Chroma collection; reads may run side by side.
        writing: Held by whoever writes; SQLite has one writer, and a queue in here is cheaper than its retries.
        batch: Most rows that Chroma takes in one write.
    """

    def __init__(self, folder: Path, embedder: str) -> None:
        self.folder = folder
        self.writing = threading.Lock()
        self._process = os.getpid()
        self._users = 0
        with ExitStack() as undo:
            lock = FolderLock(folder)
            undo.callback(lock.release)
            client = _connect(folder)
            undo.callback(client.close)
            self.rows = _collection(client, folder, embedder)
            self.batch = client.get_max_batch_size()
            self._check(embedder)
            self._close = undo.pop_all().close

    def _check(self, embedder: str) -> None:
        made_with = (self.rows.metadata or {}).get(_EMBEDDER)
        if made_with != embedder:
            raise ConfigError(
                f"memory folder {str(self.folder)!r} was made with the embedder {made_with!r}, not {embedder!r}, and "
                f"their vectors cannot be compared. Fix: use the embedder {made_with!r}, or another folder."
            )

    @classmethod
    def open(cls, folder: Path, embedder: str) -> SharedCollection:
        """Open a folder's collection, or share the one this process has open already; the caller is its user.

        Args:
            folder: Made if it is not there.
            embedder: Name of the embedder that makes the vectors.

        Raises:
            ConfigError: The folder is a file, is not writable, is open in another process, or has another embedder.
            InfrastructureError: Chroma cannot read what is in the folder.
        """
        _make(folder)
        key = (os.getpid(), folder.resolve())
        with _guard:
            shared = _opened.get(key)
            if shared is None:
                shared = cls(key[1], embedder)
                _opened[key] = shared
            shared._check(embedder)
            shared._users += 1
        return shared

    def leave(self) -> None:
        """Stop being a user; the last one closes the database and releases the folder."""
        with _guard:
            self._users -= 1
            if self._users == 0:
                del _opened[self._process, self.folder]
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
                raise ConfigError(f"the memory store in {str(self.folder)!r} is closed. Fix: open it again.")
            self._users += 1
        try:
            with _translated(self.folder):
                yield self.rows
        finally:
            self.leave()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"memory folder {str(folder)!r} cannot be made ({error.strerror}). Fix: choose a folder, not a file, in a "
            "place you can write to."
        ) from error


def _connect(folder: Path) -> Client:
    import chromadb  # noqa: PLC0415 - about a second to import, and only a session with memory needs it
    from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415
    from chromadb.config import Settings  # noqa: PLC0415
    from chromadb.errors import ChromaError  # noqa: PLC0415

    # Given here because Chroma would take them from the environment or from `.env`, and talk to a server instead.
    settings = Settings(
        _env_file=None,
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
    )
    with _translated(folder):
        try:
            return cast("Client", chromadb.PersistentClient(path=str(folder), settings=settings))
        except ChromaError:
            # Chroma keeps the system that failed to start and would hand it out again, even after a repair.
            SharedSystemClient._identifier_to_system.pop(str(folder), None)  # noqa: SLF001 - no public way to drop one
            raise


def _collection(client: Client, folder: Path, embedder: str) -> Collection:
    from chromadb.errors import NotFoundError  # noqa: PLC0415 - see `_connect`

    with _translated(folder):
        try:
            return client.get_collection(_NAME, embedding_function=None)
        except NotFoundError:
            return client.create_collection(
                _NAME,
                embedding_function=None,
                metadata={_EMBEDDER: embedder},
                configuration={"hnsw": {"space": "ip", "sync_threshold": _SYNC_EVERY}},
            )


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    from chromadb.errors import ChromaError  # noqa: PLC0415 - see `_connect`

    try:
        yield
    except ChromaError as error:
        raise InfrastructureError(f"the memory store in {str(folder)!r} failed: {error}") from error
