"""Runs with several worker processes: the same results, whoever is killed or asked to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from counselgraph import MemoryStore, read_run
from counselgraph.memory.server import serving as serving_memory
from counselgraph.runner.log import is_settled
from tests.e2e.helpers import COMMAND, counselgraph, environment, fake_flags, serving, transcripts, write_clients
from tests.fakes.openai_server import FakeOpenAI

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="looks at processes and sends signals as POSIX has them"),
]

SESSIONS, WORKERS, IN_FLIGHT = 16, 2, 8
FLAGS = ("--personas", "people", "--seed", 5, "--max-exchanges", 4, "--concurrency", IN_FLIGHT, "--out", "out")
SPREAD = ("--workers", WORKERS)


@dataclass(frozen=True)
class Unbroken:
    """What a run in one process comes to when nobody disturbs it."""

    transcripts: dict[str, list[tuple[str, str]]]
    memories: list[tuple[object, ...]]
    calls: int


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    place = tmp_path_factory.mktemp("unbroken")
    write_clients(place / "people", SESSIONS)
    with serving(FakeOpenAI()) as server:
        result = counselgraph("run", *FLAGS, *fake_flags(server), cwd=place)
    assert result.returncode == 0, result.stderr
    return Unbroken(transcripts(place / "out"), memories(place / "out/memory"), server.calls)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_clients(tmp_path / "people", SESSIONS)
    return tmp_path


def memories(where: str | Path) -> list[tuple[object, ...]]:
    found = []
    with MemoryStore.open(where) as store:
        for number in range(1, SESSIONS + 1):
            for owner in ("client", "counselor"):
                records = store.history(owner=owner, client_id=f"client-{number:02d}")
                found += [(each.client_id, owner, each.kind, each.exchange, each.text) for each in records]
    return sorted(found)


@contextmanager
def started(*arguments: object, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command as a shell does, in a process group of its own."""
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def children(parent: int) -> dict[int, str]:
    """Process id to command line of what a process has started."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return {int(row[0]): row[2] for row in rows if int(row[1]) == parent and len(row) > 2}


def workers_of(parent: int) -> list[int]:
    return sorted(pid for pid, command in children(parent).items() if "runner.executors" in command)


def wait_until(seen: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def all_gone(processes: list[int]) -> bool:
    """Whether processes end within some seconds."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if not any(is_alive(pid) for pid in processes):
            return True
        time.sleep(0.02)
    return False


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be asked about does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def check_whole(folder: Path, unbroken: Unbroken) -> None:
    assert transcripts(folder) == unbroken.transcripts
    assert memories(folder / "memory") == unbroken.memories
    assert all(record.events[-1]["event"] == "end" for record in read_run(folder))
    assert [len(record.of("end")) for record in read_run(folder)] == [1] * SESSIONS
    assert json.loads((folder / "summary.json").read_text())["unfinished"] == 0


def settled(folder: Path) -> int:
    return sum(is_settled(file) for file in (folder / "sessions").glob("*.jsonl"))


def test_three_workers_make_the_run_that_one_makes(tmp_path: Path) -> None:
    summaries, said, kept = [], [], []
    for workers in (1, 3):
        out = tmp_path / str(workers)
        result = counselgraph(
            "run", "--seed", 3, "--replicates", 2, "--limit", 8, "--workers", workers, "--out", out, cwd=tmp_path
        )
        assert result.returncode == 0, result.stderr
        summary = json.loads((out / "summary.json").read_text())
        summaries.append({key: value for key, value in summary.items() if "usage" not in key and "seconds" not in key})
        said.append(transcripts(out))
        with MemoryStore.open(out / "memory") as store:
            kept.append(
                [store.history(owner="client", client_id=record.header["persona"]["id"]) for record in read_run(out)]
            )
        assert sorted(path.name for path in (tmp_path / "1").iterdir()) == sorted(path.name for path in out.iterdir())
    assert summaries[0] == summaries[1]
    assert said[0] == said[1]
    assert [[each.text for each in one] for one in kept[0]] == [[each.text for each in one] for one in kept[1]]


def test_a_run_with_workers_asks_what_one_process_asks(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI(latency_s=0.02)) as server:
        result = counselgraph("run", *FLAGS, *SPREAD, "--set", "max_calls=4", *fake_flags(server), cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert server.calls == unbroken.calls
    assert server.most_in_flight <= 4


def test_the_sessions_of_a_killed_worker_go_on_with_others(place: Path, unbroken: Unbroken) -> None:
    with (
        serving(FakeOpenAI(latency_s=0.15)) as server,
        started("run", *FLAGS, *SPREAD, *fake_flags(server), cwd=place) as process,
    ):
        wait_until(lambda: server.calls >= unbroken.calls // 3, process)
        killed, spared = workers_of(process.pid)
        os.kill(killed, signal.SIGKILL)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert f"worker process {killed} was killed by signal SIGKILL" in complaints
    assert "Traceback" not in complaints
    check_whole(place / "out", unbroken)
    assert unbroken.calls <= server.calls <= unbroken.calls + server.most_in_flight
    assert not is_alive(spared)


def test_a_killed_parent_takes_its_workers_with_it_and_resume_completes_the_run(
    place: Path, unbroken: Unbroken
) -> None:
    with serving(FakeOpenAI(latency_s=0.15)) as server:
        with started("run", *FLAGS, *SPREAD, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls >= unbroken.calls // 2, process)
            left = list(children(process.pid))
            assert len(left) == WORKERS + 1  # and the memory server
            process.kill()
            process.communicate()
        before = settled(place / "out")
        assert before < SESSIONS
        result = counselgraph("resume", "out", "--workers", 3, cwd=place)
        assert all_gone(left)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert unbroken.calls <= server.calls <= unbroken.calls + server.most_in_flight


def test_one_process_resumes_what_killed_workers_left_at_once(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI(latency_s=0.15)) as server:
        with started("run", *FLAGS, *SPREAD, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls >= unbroken.calls // 2, process)
            process.kill()
            process.communicate()
        result = counselgraph("resume", "out", "--workers", 1, cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert server.calls <= unbroken.calls + server.most_in_flight


@pytest.mark.parametrize(("number", "group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_signal_drains_all_workers_and_resume_completes_the_run(
    place: Path, unbroken: Unbroken, number: signal.Signals, group: bool
) -> None:
    with serving(FakeOpenAI(latency_s=0.15)) as server:
        with started("run", *FLAGS, *SPREAD, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls >= unbroken.calls // 3, process)
            left = list(children(process.pid))
            (os.killpg if group else os.kill)(process.pid, number)
            told, complaints = process.communicate(timeout=30)
        assert process.returncode == 130, complaints
        assert "Go on with: counselgraph resume out" in told
        assert complaints.count("Traceback") == 0
        assert all_gone(left)
        assert settled(place / "out") < SESSIONS
        result = counselgraph("resume", "out", cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)
    assert server.calls == unbroken.calls  # calls in flight were let finish


def test_a_second_interrupt_stops_all_workers_at_once(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI(latency_s=60)) as server:
        with started("run", *FLAGS, *SPREAD, *fake_flags(server), cwd=place) as process:
            wait_until(lambda: server.calls >= IN_FLIGHT, process)
            left = list(children(process.pid))
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
            os.killpg(process.pid, signal.SIGINT)
            _, complaints = process.communicate(timeout=15)
        assert process.returncode == 130
        assert "Traceback" not in complaints
        assert all_gone(left)
        server.latency_s = 0
        result = counselgraph("resume", "out", cwd=place)
    assert result.returncode == 0, result.stderr
    check_whole(place / "out", unbroken)


def test_a_memory_server_of_ones_own_is_used_and_left_running(place: Path, unbroken: Unbroken) -> None:
    with serving(FakeOpenAI()) as server, serving_memory(place / "kept") as url:
        for workers in (2, 1):
            result = counselgraph(
                "run",
                *FLAGS[:-1],
                f"out{workers}",
                "--workers",
                workers,
                "--memory",
                url,
                *fake_flags(server),
                cwd=place,
            )
            assert result.returncode == 0, result.stderr
            assert not (place / f"out{workers}" / "memory").exists()
        twice = memories(url)
    assert len(twice) > len(unbroken.memories)
    assert {one[0] for one in twice} == {one[0] for one in unbroken.memories}
    gone = counselgraph("run", *FLAGS, "--memory", url, "--model", "rehearsal", cwd=place)
    assert gone.returncode == 1
    assert f"memory server '{url}' failed" in gone.stderr
    assert not (place / "out").exists()


def test_a_memory_folder_that_another_process_has_open_is_refused(place: Path) -> None:
    with MemoryStore.open(place / "kept"):
        result = counselgraph("run", *FLAGS, *SPREAD, "--memory", "kept", "--model", "rehearsal", cwd=place)
    assert result.returncode == 2
    assert f"already open in process {os.getpid()}" in result.stderr
    assert "docs/scaling.md" in result.stderr
    assert not (place / "out").exists()


def test_a_script_without_a_main_guard_can_use_workers(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from counselgraph import RunSpec, run_sync\n"
        "import helper\n"
        "spec = RunSpec(limit=2, max_exchanges=2, workers=2, roles=('helper:note_taker',), out='out')\n"
        "print(run_sync(spec).summary.sessions)\n"
    )
    (tmp_path / "helper.py").write_text(
        "from counselgraph.agents.monitor import monitor\n"
        "from dataclasses import replace\n"
        "note_taker = replace(monitor, name='note_taker')\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
