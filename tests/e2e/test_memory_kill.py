"""A process killed while it writes memories: what was acknowledged is there afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
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

PURGE = """
import sys
from counselgraph.memory import MemoryStore
store = MemoryStore.open(sys.argv[1])
print("open", flush=True)
store.forget("gone", purge=True)
print("done", flush=True)
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


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_purge_killed_at_any_moment_keeps_the_others_and_can_be_repeated(tmp_path: Path) -> None:
    records = [
        MemoryRecord(owner="client", client_id=who, kind=Kind.FACT, text=f"Zebrawood {n}.", session="s", exchange=n)
        for n in range(400)
        for who in ("gone", "stays")
    ]
    kept = tuple(record for record in records if record.client_id == "stays")
    with MemoryStore.open(tmp_path) as store:
        store.remember(records)
    for delay in (0.0, 0.05, 0.1, 0.2, 0.4, 0.8):
        with subprocess.Popen([sys.executable, "-c", PURGE, str(tmp_path)], stdout=subprocess.PIPE) as purge:
            assert purge.stdout is not None
            purge.stdout.readline()
            time.sleep(delay)
            purge.send_signal(signal.SIGKILL)
        with MemoryStore.open(tmp_path) as store:
            assert store.history(owner="client", client_id="stays") == kept
            assert len(store.history(owner="client", client_id="gone")) in {0, 400}
            store.remember(records)
    with MemoryStore.open(tmp_path) as store:
        store.forget("gone", purge=True)
        store.forget("stays", purge=True)
    assert b"Zebrawood" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
