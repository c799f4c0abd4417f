"""The real `langgraph dev` server, started offline on a free port, with a watch on whom it calls."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

ROOT = Path(__file__).parents[2]
START_S = 60

# Runs at the start of every Python process of the server: whoever looks up or connects to another host is noted and
# refused. The audit events come from Python's own sockets, so the faster event loop, which has sockets of its own, is
# left out.
WATCH = """
import os, sys

sys.modules["uvloop"] = None
HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "", None)


def note(line):
    with open(os.environ["STUDIO_TEST_CALLS"], "a") as file:
        file.write(line + "\\n")


def watch(event, args):
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in HERE:
        note(f"{event} {host}")
        raise OSError(f"refused: {host}")


note("watching")
sys.addaudithook(watch)
"""

# What somebody may have left in their shell: with it a server would trace every prompt to LangSmith.
LEFT_ON = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "left-in-the-shell"}


@dataclass(frozen=True)
class StudioServer:
    """A running server.

    Attributes:
        url: Where it answers.
        folder: Where it runs and keeps its state.
    """

    url: str
    folder: Path

    @property
    def log(self) -> str:
        """What it has printed so far, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", (self.folder / "log.txt").read_text())

    @property
    def calls(self) -> list[str]:
        """Every attempt to reach another host."""
        noted = (self.folder / "calls.txt").read_text().split("\n")
        assert "watching" in noted
        return [line for line in noted if line not in {"watching", ""}]

    def check(self) -> None:
        """Nothing blocked the event loop, and nobody outside was called."""
        assert "Blocking call" not in self.log
        assert "BlockingError" not in self.log
        assert self.calls == []


@contextmanager
def studio_server(folder: Path) -> Iterator[StudioServer]:
    """Start a server on the graphs and settings of the repository's langgraph.json; stop it and all its children."""
    _prepare(folder)
    port = _free_port()
    with (folder / "log.txt").open("w") as log:
        process = _start(folder, port, log)
        server = StudioServer(f"http://127.0.0.1:{port}", folder)
        try:
            _wait(server, process)
            yield server
        finally:
            _stop(process)


def _prepare(folder: Path) -> None:
    """The repository's langgraph.json with absolute paths, so that the server keeps its state here, not there."""
    config = json.loads((ROOT / "langgraph.json").read_text())
    config["dependencies"] = [str(ROOT)]
    config["graphs"] = {name: str(ROOT / where) for name, where in config["graphs"].items()}
    (folder / "langgraph.json").write_text(json.dumps(config))
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _start(folder: Path, port: int, log: IO[str]) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
    env = {
        **os.environ,
        **LEFT_ON,
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "PYTHONPATH": str(folder / "watch"),
        "STUDIO_TEST_CALLS": str(folder / "calls.txt"),
    }
    return subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _wait(server: StudioServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{server.url}/ok", trust_env=False).is_success:
                return
        time.sleep(0.2)
    raise RuntimeError(f"The server did not start:\n{server.log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
