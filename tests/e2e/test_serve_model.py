"""The command serve-model from outside, with a stand-in for vLLM; tests/live has the real one."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from counselgraph.models.serving.processes import group, send
from counselgraph.models.serving.record import Replica, read_record
from tests.e2e.helpers import counselgraph, fake_flags, refused, serving, started
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.vllm import fake_model, fake_python, free_ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="model servers are started on Linux only")


@contextmanager
def served(place: Path, *flags: object) -> Iterator[tuple[subprocess.Popen[str], list[Replica], list[str]]]:
    """The command, its two servers and what it has printed until they were ready."""
    python, port = fake_python(place / "venv"), free_ports(2)
    fixed = (fake_model(place / "tiny"), "--cpu", "--python", python, "--port", port, "--replicas", 2, "--log", "log")
    with started("serve-model", *fixed, *flags, cwd=place) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(4)]
        record = read_record(place / "log")
        assert record is not None, said
        try:
            yield process, list(record.replicas), said
        finally:
            send([replica.pgid for replica in record.replicas], signal.SIGKILL)
            process.kill()


def left(replicas: list[Replica]) -> int:
    return sum(len(group(replica.pgid)) for replica in replicas)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_how_to_go_on_and_leaves_nothing_when_asked_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path, "--", "--max-num-seqs", "7") as (process, replicas, said):
        addresses = ",".join(replica.base_url for replica in replicas)
        assert said[2].strip() == f"counselgraph run --model vllm/tiny --base-url {addresses}"
        assert {"--max-num-seqs", "7"} <= set(replicas[0].command)
        assert left(replicas) == 4
        process.send_signal(number)
        out, complaints = process.communicate(timeout=30)
        assert (process.returncode, out, complaints) == (0, "Stopping.\n", "")
        assert left(replicas) == 0


def test_a_replica_that_dies_ends_the_others_and_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as (process, replicas, _):
        send([replicas[1].pgid], signal.SIGKILL)
        _, complaints = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"The server on port {replicas[1].port} was killed by SIGKILL" in complaints
        assert left(replicas) == 0


def test_what_a_killed_command_left_is_ended_by_stop(tmp_path: Path) -> None:
    with served(tmp_path) as (process, replicas, _):
        process.kill()
        process.communicate()
        assert left(replicas) == 4
        again = counselgraph("serve-model", tmp_path / "tiny", "--log", "log", cwd=tmp_path)
        refused(again, "has servers that run", "serve-model --stop log")
        result = counselgraph("serve-model", "--stop", "log", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("stopped, 2 processes") == 2
        assert left(replicas) == 0
    refused(counselgraph("serve-model", "--stop", "log", cwd=tmp_path), "records no servers", "Fix:")


def test_what_is_missing_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = ("serve-model", "nowhere", "--cpu", "--port", taken.getsockname()[1], "--log", "log")
        refused(counselgraph(*command, cwd=tmp_path), "not installed", "in use", "no folder nowhere", "Fix:")
    refused(counselgraph("serve-model", cwd=tmp_path), "MODEL", "Fix:")
    refused(counselgraph("serve-model", "a", "b", cwd=tmp_path), "'b' is no flag", "after --")
    assert not (tmp_path / "log").exists()


def test_a_server_that_dies_at_once_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VLLM", "dies")
    fixed = ("--cpu", "--python", fake_python(tmp_path / "venv"), "--port", free_ports(), "--log", "log")
    beginning = time.monotonic()
    result = counselgraph("serve-model", fake_model(tmp_path / "tiny"), *fixed, cwd=tmp_path)
    refused(result, "ended with code 3", "ValueError: the weights do not fit", code=1)
    assert time.monotonic() - beginning < 30


def test_the_doctor_looks_at_a_server_to_be_and_at_one_that_answers(tmp_path: Path) -> None:
    model, python = fake_model(tmp_path / "tiny", template=False), fake_python(tmp_path / "venv")
    with serving(FakeOpenAI()) as server:
        flags = ("--serve", model, "--python", python, "--cpu", "--port", free_ports(), *fake_flags(server))
        result = counselgraph("doctor", *flags, cwd=tmp_path)
    assert result.returncode == 1
    assert "ok    vllm: 0.32.0+cpu" in result.stdout
    assert "FAIL  chat template" in result.stdout
    assert "ok    typed output" in result.stdout
    assert "prefix cache" in result.stdout
