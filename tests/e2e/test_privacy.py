"""Nothing leaves the machine: a whole run with the network cut, and every attempt to reach it written down."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.helpers import BIN, COMMAND, environment, transcripts

WATCHER = """
import sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        place = arguments[1]
        outside = isinstance(place, tuple) and place[0] not in {"127.0.0.1", "::1"}
    else:
        outside = event in {"socket.getaddrinfo", "socket.gethostbyname"} and arguments[0] not in {None, "localhost"}
    if outside:
        with open("attempts.txt", "a") as file:
            print(event, arguments, file=file)
        raise OSError(f"the network is cut: {event} {arguments}")

sys.addaudithook(watch)
"""
TRACING = {
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_TRACING_V2": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "a-key-that-must-not-be-used",
    "LANGCHAIN_API_KEY": "a-key-that-must-not-be-used",
    "ANONYMIZED_TELEMETRY": "True",
}


def without_network() -> list[str]:
    """The command prefix that gives a process a network of its own with nothing in it; empty where there is none."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        return []
    return [unshare, "-rn"]


def cut_off(*command: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command without network; what tries to reach it is in `attempts.txt`."""
    (cwd / "sitecustomize.py").write_text(WATCHER)
    return subprocess.run(
        [*without_network(), *map(str, command)], cwd=cwd, env=environment(PYTHONPATH=str(cwd), **more),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("tracing", [{}, TRACING], ids=["plain", "tracing switched on"])
def test_a_run_with_memory_needs_no_network_and_tries_none(tmp_path: Path, tracing: dict[str, str]) -> None:
    flags = ("--limit", 2, "--max-exchanges", 6, "--memory", "kept")
    for out in ("first", "second"):
        result = cut_off(COMMAND, "run", *flags, "--out", out, cwd=tmp_path, **tracing)
        assert result.returncode == 0, result.stderr
        assert len(transcripts(tmp_path / out)) == 2
        assert not (tmp_path / "attempts.txt").exists(), (tmp_path / "attempts.txt").read_text()
        if tracing:
            break


def test_showing_and_exporting_need_no_network(tmp_path: Path) -> None:
    assert cut_off(COMMAND, "run", "--limit", 1, "--max-exchanges", 3, "--out", "a", cwd=tmp_path).returncode == 0
    for command in (
        ("show", "a", "--html", "a.html"), ("export", "a", "--to", "jsonl", "--out", "a.jsonl"), ("doctor",), ("roles",)
    ):  # fmt: skip
        result = cut_off(COMMAND, *command, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    assert not (tmp_path / "attempts.txt").exists()
    page = (tmp_path / "a.html").read_text()
    assert "src=" not in page
    assert "<link" not in page


def test_the_watcher_would_have_noticed(tmp_path: Path) -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    assert cut_off(BIN / Path(sys.executable).name, "-c", script, cwd=tmp_path).returncode == 1
    assert "192.0.2.1" in (tmp_path / "attempts.txt").read_text()


def test_tracing_stays_off_unless_it_is_allowed(tmp_path: Path) -> None:
    script = "import counselgraph, os; print(os.environ['LANGSMITH_TRACING'])"
    python = BIN / Path(sys.executable).name
    assert cut_off(python, "-c", script, cwd=tmp_path, **TRACING).stdout == "false\n"
    allowed = {**TRACING, "COUNSELGRAPH_ALLOW_TRACING": "1"}
    assert cut_off(python, "-c", script, cwd=tmp_path, **allowed).stdout == "true\n"
