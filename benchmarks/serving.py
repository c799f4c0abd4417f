"""The fake model server in a process of its own, for the benchmarks that need one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = Path(__file__).parent / "fake_server.py"


def ideal_s(latency: float, calls: int, *, in_a_row: int, places: int) -> float:
    """Seconds that calls take at best: every place busy (0: no limit) or, if longer, one session's calls in a row."""
    return latency * max(in_a_row, calls / places if places else 0)


@contextmanager
def serving(*flags: str) -> Iterator[str]:
    """Start the server with these flags; yields its address and ends it."""
    with subprocess.Popen((sys.executable, str(SERVER), *flags), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.terminate()
