from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from counselgraph.memory import Kind, MemoryRecord, MemoryStore

RecordMaker = Callable[..., MemoryRecord]


@pytest.fixture
def record() -> RecordMaker:
    def make(text: str = "She sleeps badly before exams.", **fields: Any) -> MemoryRecord:
        defaults = {"owner": "counselor", "client_id": "mina", "kind": Kind.FACT, "session": "s1"}
        return MemoryRecord(text=text, **(defaults | fields))

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryStore]:
    with MemoryStore.open(tmp_path / "memory") as opened:
        yield opened


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in a fresh interpreter; the script's arguments follow it."""

    def run(script: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)

    return run
