"""Runs that are killed, stopped and torn, and go on as if nothing had happened."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from counselgraph import MemoryStore
from tests.e2e.helpers import counselgraph, fake_flags, refused, serving, started, transcripts, write_clients
from tests.fakes.openai_server import FakeOpenAI

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")

SESSIONS, IN_FLIGHT = 24, 8
# At most so many calls in flight: client and planner of a session ask side by side.
LIMITS = ("--concurrency", IN_FLIGHT, "--set", f"max_calls={IN_FLIGHT}")
FLAGS = ("--personas", "people", "--seed", 5, "--max-exchanges", 4, *LIMITS, "--out", "out")


@dataclass(frozen=True)
class Unbroken:
    """What a run comes to when nobody disturbs it."""

    transcripts: dict[str, list[tuple[str, str]]]
    memories: set[tuple[object, ...]]
    calls: int


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    place = tmp_path_factory.mktemp("unbroken")
    write_clients(place / "people", SESSIONS)
    with serving(FakeOpenAI()) as server:
        result = counselgraph("run", *FLAGS, *fake_flags(server), cwd=place)
    assert result.returncode == 0, result.stderr
    return Unbroken(transcripts(place / "out"), memories(place / "out"), server.calls)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_clients(tmp_path / "people", SESSIONS)
    return tmp_path


def memories(folder: Path) -> set[tuple[object, ...]]:
    """Every memory of a run's store; fails if one is there twice."""
    found = []
    with MemoryStore.open(folder / "memory") as store:
        for number in range(1, SESSIONS + 1):
            for owner in ("client", "counselor"):
                records = store.history(owner=owner, client_id=f"client-{number:02d}")
                found += [(each.client_id, owner, each.kind, each.exchange, each.text) for each in records]
    assert len(found) == len(set(found))
    return set(found)


def ended(folder: Path) -> dict[str, bytes]:
    """Session id to log, of the sessions that have ended."""
    logs = {file.stem: file.read_bytes() for file in (folder / "sessions").glob("*.jsonl")}
    return {name: log for name, log in logs.items() if b'"event":"end"' in log}


def has_ended(folder: Path, count: int) -> bool:
    return (folder / "sessions").is_dir() and len(ended(folder)) >= count


def wait_until(seen: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def broken_off(place: Path, server: FakeOpenAI, number: signal.Signals, calls: int) -> tuple[int, str]:
    """Start the run, send it a signal when the server has had so many calls; its exit code and output."""
    with started("run", *FLAGS, *fake_flags(server), cwd=place) as process:
        wait_until(lambda: server.calls >= calls, process)
        process.send_signal(number)
        told, _ = process.communicate(timeout=30)
    return process.returncode, told


def check_whole(folder: Path, unbroken: Unbroken) -> None:
    assert transcripts(folder) == unbroken.transcripts
    assert memories(folder) == unbroken.memories
    assert len(ended(folder)) == SESSIONS
    assert all(log.count(b'"event":"end"') == 1 for log in ended(folder).values())
    assert json.loads((folder / "summary.json").read_text())["unfinished"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("again", ["resume", "run"])
def test_a_killed_run_goes_on_without_loss_and_without_repeating(place: Path, unbroken: Unbroken, again: str) -> None:
    with serving(FakeOpenAI(latency_s=0.03)) as server:
        code, _ = broken_off(place, server, signal.SIGKILL, unbroken.calls // 2)
        assert code == -signal.SIGKILL
        before = ended(place / "out")
        assert len(before) < SESSIONS
        command = ("resume", "out") if again == "resume" else ("run", *FLAGS, *fake_flags(server))
        result = counselgraph(*command, cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert unbroken.calls <= server.calls <= unbroken.calls + IN_FLIGHT
    assert {name: ended(place / "out")[name] for name in before} == before


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_the_run_and_resume_completes_it(
    place: Path, unbroken: Unbroken, number: signal.Signals
) -> None:
    with serving(FakeOpenAI(latency_s=0.03)) as server:
        code, told = broken_off(place, server, number, unbroken.calls // 3)
        assert code == 130
        assert "Go on with: counselgraph resume out" in told
        before = ended(place / "out")
        assert len(before) < SESSIONS
        result = counselgraph("resume", "out", cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert server.calls == unbroken.calls  # calls in flight were let finish
    assert {name: ended(place / "out")[name] for name in before} == before


@pytest.mark.slow
def test_torn_last_lines_are_tolerated(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI(latency_s=0.03)) as server:
        broken_off(place, server, signal.SIGKILL, unbroken.calls // 3)
        unfinished = [file.stem for file in (place / "out/sessions").iterdir() if file.stem not in ended(place / "out")]
        torn = '{"key": "aé'.encode()[:-1]  # half a letter, too
        for name in unfinished:
            for file in (place / "out/sessions" / f"{name}.jsonl", place / "out/journal" / f"{name}.jsonl"):
                with file.open("ab") as stream:
                    stream.write(torn)
        shown = counselgraph("show", "out", cwd=place)
        one = counselgraph("show", f"out/{unfinished[0]}", cwd=place)
        result = counselgraph("resume", "out", cwd=place)
    assert shown.returncode == 0, shown.stderr
    assert "unfinished" in shown.stdout
    assert one.returncode == 0, one.stderr
    assert "unfinished" in one.stdout
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)


@pytest.mark.slow
def test_kills_while_sessions_close_and_write_memories_are_harmless(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI(latency_s=0.002)) as server:
        for count in (5, 12, 19):
            with started("run", *FLAGS, *fake_flags(server), cwd=place) as process:
                wait_until(partial(has_ended, place / "out", count), process)
                process.kill()
                process.communicate()
        result = counselgraph("resume", "out", cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert server.calls <= unbroken.calls + 3 * IN_FLIGHT


@pytest.mark.slow
def test_a_second_interrupt_leaves_at_once_and_resume_completes_the_run(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI(latency_s=60)) as server:
        with started("run", *FLAGS, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls >= IN_FLIGHT, process)
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=15)
        assert process.returncode == 130
        assert "Traceback" not in complaints
        server.latency_s = 0
        result = counselgraph("resume", "out", cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)


def test_a_second_process_on_one_folder_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 2)
    with serving(FakeOpenAI(latency_s=60)) as server:
        command = ("run", *FLAGS, "--memory", "none", *fake_flags(server))
        with started(*command, cwd=tmp_path) as process:
            wait_until(lambda: server.calls > 0, process)
            refused(counselgraph(*command, cwd=tmp_path), "run folder", f"already open in process {process.pid}")
            process.kill()
            process.communicate()
        server.latency_s = 0
        assert counselgraph("resume", "out", cwd=tmp_path).returncode == 0


def test_resuming_a_finished_run_asks_nothing(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 2)
    with serving(FakeOpenAI()) as server:
        assert counselgraph("run", *FLAGS, *fake_flags(server), cwd=tmp_path).returncode == 0
        before, calls = ended(tmp_path / "out"), server.calls
        assert counselgraph("resume", "out", cwd=tmp_path).returncode == 0
    assert (ended(tmp_path / "out"), server.calls) == (before, calls)
