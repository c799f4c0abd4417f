"""Runs whose workers are actors of a Ray that is started on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from counselgraph import read_run
from tests.e2e.helpers import counselgraph, fake_flags, serving, transcripts, write_clients
from tests.e2e.test_workers import all_gone, started, wait_until
from tests.fakes.openai_server import FakeOpenAI

pytest.importorskip("ray", reason="Ray is not installed: pip install 'counselgraph[ray]'", exc_type=ImportError)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for Ray's processes as Linux lists them"),
]

SESSIONS = 12
FLAGS = ("--personas", "people", "--seed", 5, "--max-exchanges", 4, "--concurrency", 6, "--out", "out")
RAY = ("--executor", "ray", "--workers", 2)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_clients(tmp_path / "people", SESSIONS)
    return tmp_path


def family(parent: int) -> dict[int, str]:
    """Process id to command line of everything that descends from a process."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [(int(pid), int(above), said) for pid, above, said in (line.split(None, 2) for line in listed.splitlines())]
    found: dict[int, str] = {}
    newest = {parent}
    while newest:
        below = {pid: said for pid, above, said in rows if above in newest and pid not in found}
        found |= below
        newest = set(below)
    return found


def actors(parent: int) -> list[int]:
    return [pid for pid, said in family(parent).items() if said.startswith("ray::Performance")]


def listening(processes: set[int]) -> set[str]:
    """Addresses on which processes take connections."""
    listed = subprocess.run(["ss", "-Htlnp"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in listed.splitlines() if any(f"pid={pid}," in line for pid in processes)]
    return {line.split()[3].rpartition(":")[0].removeprefix("[::ffff:").rstrip("]") for line in lines}


def test_a_killed_ray_worker_costs_no_session(place: Path) -> None:
    with serving(FakeOpenAI()) as server:
        assert counselgraph("run", *FLAGS, *fake_flags(server), "--set", "out=alone", cwd=place).returncode == 0
        alone = server.calls
    with (
        serving(FakeOpenAI(latency_s=0.1)) as server,
        started("run", *FLAGS, *RAY, *fake_flags(server), cwd=place) as process,
    ):
        wait_until(lambda: server.calls >= alone // 3, process)
        left = list(family(process.pid))
        os.kill(actors(process.pid)[0], signal.SIGKILL)
        told, complaints = process.communicate(timeout=120)
        assert all_gone(left)
    assert process.returncode == 0, complaints
    assert "died (" in complaints
    assert f"{SESSIONS} sessions" in told
    assert transcripts(place / "out") == transcripts(place / "alone")
    assert [len(record.of("end")) for record in read_run(place / "out")] == [1] * SESSIONS
    assert alone <= server.calls <= alone + server.most_in_flight


def test_a_local_ray_stays_on_this_machine_and_ends_with_a_killed_run(place: Path) -> None:
    with serving(FakeOpenAI(latency_s=0.1)) as server:
        with started("run", *FLAGS, *RAY, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls > 0, process)
            assert listening(set(family(process.pid))) == {"127.0.0.1"}
            left = actors(process.pid)
            process.kill()
            process.communicate()
        server.latency_s = 0
        result = counselgraph("resume", "out", "--executor", "local", cwd=place)
        assert all_gone(left)  # two helpers of Ray's own, which play nothing, take about a minute
    assert result.returncode == 0, result.stderr
    assert [len(record.of("end")) for record in read_run(place / "out")] == [1] * SESSIONS


def test_ctrl_c_drains_the_actors(place: Path) -> None:
    with serving(FakeOpenAI(latency_s=0.1)) as server:
        with started("run", *FLAGS, *RAY, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls >= 20, process)
            os.killpg(process.pid, signal.SIGINT)
            told, complaints = process.communicate(timeout=60)
        assert process.returncode == 130, complaints
        assert "Go on with: counselgraph resume out" in told
        calls = server.calls
        again = counselgraph("resume", "out", *RAY, cwd=place)
        assert again.returncode == 0, again.stderr
        both = server.calls
        assert counselgraph("run", *FLAGS, *fake_flags(server), "--set", "out=alone", cwd=place).returncode == 0
    assert calls < both == server.calls - both
    assert transcripts(place / "out") == transcripts(place / "alone")
