"""A process killed while it writes memories: what was acknowledged is there afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from counselgraph.memory import Kind, MemoryRecord, MemoryStore

WRITER = """
import itertools, sys
from counselgraph.memory import Kind, MemoryRecord, MemoryStore
store = MemoryStore.open(sys.argv[1])
for n in itertools.count(int(sys.argv[2])):
    store.remember([
        MemoryRecord(owner=owner, client_id="mina", kind=Kind.FACT, text=f"Memory {n}.", session="s", exchange=n)
        for owner in ("client", "counselor")
    ])
    print(n, flush=True)
"""


def write_until_killed(folder: Path, *, first: int, count: int) -> int:
    """Return the last number that the writer acknowledged."""
    command = [sys.executable, "-c", WRITER, str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == first + count:
                writer.send_signal(signal.SIGKILL)
                break
        rest = writer.stdout.read().splitlines(keepends=True)
    return max([first + count, *(int(line) for line in rest if line.endswith("\n"))])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_acknowledged_memories_survive_a_killed_process(tmp_path: Path) -> None:
    last = -1
    for count in (3, 60, 140):
        last = write_until_killed(tmp_path, first=last + 1, count=count)
        with MemoryStore.open(tmp_path) as store:
            for owner in ("client", "counselor"):
                numbers = [record.exchange for record in store.history(owner=owner, client_id="mina")]
                assert numbers[: last + 1] == list(range(last + 1))
                assert len(numbers) <= last + 2  # The write in flight may have landed.
                found = store.recall(owner=owner, client_id="mina", query=f"Memory {last}.", k=1)
                assert found[0].exchange == last


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_write_can_be_repeated(tmp_path: Path) -> None:
    last = write_until_killed(tmp_path, first=0, count=10)
    records = [
        MemoryRecord(owner="client", client_id="mina", kind=Kind.FACT, text=f"Memory {n}.", session="s", exchange=n)
        for n in range(last + 2)
    ]
    with MemoryStore.open(tmp_path) as store:
        store.remember(records)
        assert store.history(owner="client", client_id="mina") == tuple(records)
