"""The fake model server in a process of its own, for the benchmarks that need one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = Path(__file__).parent / "fake_server.py"


@contextmanager
def serving(*flags: str) -> Iterator[str]:
    """Start the server with these flags; yields its address and ends it."""
    with subprocess.Popen((sys.executable, str(SERVER), *flags), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.terminate()
