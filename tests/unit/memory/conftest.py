from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from chromadb.errors import NotFoundError

from counselgraph.memory import Kind, MemoryRecord, MemoryStore
from counselgraph.memory.connect import connect, disconnect
from counselgraph.memory.server import serving

RecordMaker = Callable[..., MemoryRecord]


@pytest.fixture
def record() -> RecordMaker:
    def make(text: str = "She sleeps badly before exams.", **fields: Any) -> MemoryRecord:
        defaults = {"owner": "counselor", "client_id": "mina", "kind": Kind.FACT, "session": "s1"}
        return MemoryRecord(text=text, **(defaults | fields))

    return make


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Chroma server of these tests."""
    with serving(tmp_path_factory.mktemp("served")) as url:
        yield url


@pytest.fixture
def empty_server(server: str) -> str:
    """The server with nothing in it."""
    client = connect(server)
    with suppress(NotFoundError):
        client.delete_collection("memories")
    disconnect(client)
    return server


@pytest.fixture(params=["folder", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemoryStore]:
    """An empty store, once in a folder and once behind a server; what uses it needs `allow_hosts`."""
    place = tmp_path / "memory" if request.param == "folder" else request.getfixturevalue("empty_server")
    with MemoryStore.open(place) as opened:
        yield opened


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in a fresh interpreter; the script's arguments follow it."""

    def run(script: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)

    return run
