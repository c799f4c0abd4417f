"""Connections to Chroma: a database in a folder of this machine, or a server that has one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from counselgraph.errors import ConfigError, InfrastructureError

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client
    from chromadb.config import Settings

Place = Path | str
"""Where memories are: the folder of a database, or the URL of a Chroma server."""

EMBEDDER = "embedder"
NAME = "memories"
# Rows after which Chroma folds its log into the index. Sessions write a few memories at a time, and every write reads
# the log: at Chroma's own 1000, such a write takes twice as long and the folder twice the space.
_SYNC_EVERY = 100
_ANSWER_S = 60.0
# Vectors travel as text: so many rows are about 3 MB, and a server takes 40 MB at once.
_ROWS_A_REQUEST = 500
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_environment = threading.Lock()


def is_url(place: Place) -> bool:
    """Whether a place is a server."""
    return isinstance(place, str) and place.startswith(("http://", "https://"))


def place_of(name: str | Path) -> Place:
    """What somebody wrote as a place: a URL without its last slash, or an absolute path with its links resolved.

    Raises:
        ConfigError: The URL names no host, or carries a password.
    """
    if not (isinstance(name, str) and is_url(name)):
        return Path(name).resolve()
    parts = urlsplit(name)
    if parts.username is not None or parts.password is not None:
        raise ConfigError("the URL of the memory server carries a password, and URLs are written to logs.")
    if not parts.hostname:
        raise ConfigError(f"memory server {name!r} has no host. Fix: write http://host:port.")
    return name.rstrip("/")


def described(place: Place) -> str:
    """A place as messages call it."""
    return f"memory server {place!r}" if is_url(place) else f"memory folder {str(place)!r}"


def connect(place: Place) -> Client:
    """A client of the database in a folder, or of a server.

    Raises:
        InfrastructureError: Chroma cannot read what is in the folder, or the server does not answer.
    """
    with translated(place):
        return _to_server(str(place)) if is_url(place) else _to_folder(str(place))


def disconnect(client: Client) -> None:
    """Close a client and its connections."""
    client.close()
    for session in _http_sessions(client):
        session.close()


def rows_a_write(client: Client, place: Place) -> int:
    """Most rows one write may hold."""
    with translated(place):
        most: int = client.get_max_batch_size()
    return min(most, _ROWS_A_REQUEST) if is_url(place) else most


def collection_of(client: Client, place: Place, embedder: str | None) -> Collection:
    """The collection of memories, made if it is not there and an embedder is given.

    Raises:
        ConfigError: It is not there, and there is no embedder to make it for.
        InfrastructureError: Chroma failed.
    """
    from chromadb.errors import ChromaError, NotFoundError  # noqa: PLC0415 - see `_to_folder`

    with translated(place):
        with suppress(NotFoundError):
            return client.get_collection(NAME, embedding_function=None)
        if embedder is None:
            raise ConfigError(f"{described(place)} holds no memories. Fix: name the place of a memory store.")
        try:
            return create_collection(client, NAME, embedder)
        except ChromaError:  # another user of the server made it a moment ago, or something is wrong with it
            return client.get_collection(NAME, embedding_function=None)


def create_collection(client: Client, name: str, embedder: str) -> Collection:
    """A new collection for vectors of an embedder."""
    return client.create_collection(
        name,
        embedding_function=None,
        metadata={EMBEDDER: embedder},
        configuration={"hnsw": {"space": "ip", "sync_threshold": _SYNC_EVERY}},
    )


@contextmanager
def translated(place: Place) -> Iterator[None]:
    """Turn Chroma's errors, and those of the way to a server, into InfrastructureError."""
    from chromadb.errors import ChromaError  # noqa: PLC0415 - see `_to_folder`

    try:
        yield
    except ChromaError as error:
        raise _failed(place, error) from error
    except Exception as error:
        # Chroma's client raises bare exceptions for what a server refuses, and ValueError when there is none.
        if is_url(place) and _is_of_the_way(error):
            raise _failed(place, error) from error
        raise


def _is_of_the_way(error: Exception) -> bool:
    import httpx  # noqa: PLC0415 - comes with Chroma

    return type(error) in {Exception, ValueError} or isinstance(error, httpx.HTTPError)


def _failed(place: Place, error: Exception) -> InfrastructureError:
    what = f"memory server {place!r}" if is_url(place) else f"memory store in {str(place)!r}"
    return InfrastructureError(f"the {what} failed: {str(error) or type(error).__name__}")


def _settings(**more: Any) -> Settings:
    from chromadb.config import Settings  # noqa: PLC0415 - see `_to_folder`

    # Without `_env_file` and the rest Chroma would take them from the environment or from `.env`.
    return Settings(_env_file=None, anonymized_telemetry=False, **more)


def _to_folder(folder: str) -> Client:
    import chromadb  # noqa: PLC0415 - about a second to import, and only a session with memory needs it
    from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415
    from chromadb.errors import ChromaError  # noqa: PLC0415

    # Named because the environment could name another, which talks to a server instead.
    settings = _settings(chroma_api_impl="chromadb.api.rust.RustBindingsAPI")
    try:
        return cast("Client", chromadb.PersistentClient(path=folder, settings=settings))
    except ChromaError:
        # Chroma keeps the system that failed to start and would hand it out again, even after a repair.
        SharedSystemClient._identifier_to_system.pop(folder, None)  # noqa: SLF001 - no public way to drop one
        raise


def _to_server(url: str) -> Client:
    import chromadb  # noqa: PLC0415 - see `_to_folder`

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    given = {"chroma_server_host": url, "chroma_server_http_port": port, "chroma_otel_collection_endpoint": ""}
    with _past_proxies(parts.hostname or ""):
        client = cast("Client", chromadb.HttpClient(host=url, port=port, settings=_settings(**given)))
    for session in _http_sessions(client):
        session.timeout = _ANSWER_S  # it would wait for ever
    return client


def _http_sessions(client: Client) -> list[Any]:
    # No public way to set their timeout, and `Client.close` leaves them open.
    clients: tuple[Any, Any] = (client, client._admin_client)  # noqa: SLF001
    servers = [each._server for each in clients]  # noqa: SLF001
    return [server._session for server in servers if hasattr(server, "_session")]  # noqa: SLF001


@contextmanager
def _past_proxies(host: str) -> Iterator[None]:
    """A proxy from the environment must not see what is meant for this machine; a client reads it when it is made."""
    if host not in _LOOPBACK:
        yield
        return
    with _environment:
        before = {name: os.environ.get(name) for name in ("no_proxy", "NO_PROXY")}
        os.environ.update(dict.fromkeys(before, ",".join(sorted(_LOOPBACK))))
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
