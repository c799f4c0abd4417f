"""Servers are started, watched and ended as whole process groups, here with a stand-in for vLLM."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from counselgraph.errors import ConfigError, InfrastructureError, InputError
from counselgraph.models.serving.processes import group, process, send
from counselgraph.models.serving.record import FILE, Replica, read_record, still_there, stop_left
from counselgraph.models.serving.servers import Halt, Servers
from counselgraph.models.serving.spec import ServerSpec
from tests.fakes.vllm import fake_model, fake_python, free_ports

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

READY_S = 20.0


@pytest.fixture
def spec(tmp_path: Path) -> ServerSpec:
    return ServerSpec(fake_model(tmp_path / "m"), port=free_ports(2), python=fake_python(tmp_path), cpu=True)


@pytest.fixture
def left(spec: ServerSpec, tmp_path: Path) -> Iterator[tuple[Replica, ...]]:
    """Two servers whose starter was killed: they run, and only the record knows of them."""
    servers = Servers(replace(spec, replicas=2), tmp_path / "log").__enter__()
    servers.wait_ready(READY_S)
    yield servers.replicas
    servers.stop(0)


def wait_until_gone(number: int) -> None:
    deadline = time.monotonic() + 5
    while group(number):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_replicas_are_started_and_nothing_of_them_is_left(spec: ServerSpec, tmp_path: Path) -> None:
    with Servers(replace(spec, replicas=2), tmp_path / "log") as servers:
        assert servers.wait_ready(READY_S)
        replicas = servers.replicas
        assert [replica.port for replica in replicas] == [spec.port, spec.port + 1]
        assert [len(group(replica.pgid)) for replica in replicas] == [2, 2]
        assert os.getpgid(0) not in {replica.pgid for replica in replicas}
        record = read_record(tmp_path / "log")
        assert record is not None
        assert record.replicas == replicas
    assert not any(group(replica.pgid) for replica in replicas)
    assert not (tmp_path / "log" / FILE).exists()
    said = replicas[0].log.read_text()
    assert json.loads(said.splitlines()[0].removeprefix("argv ")) == list(replicas[0].command[3:])
    assert "offline 1" in said


def test_a_server_that_dies_at_its_start_is_reported_with_the_end_of_its_log(
    spec: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM", "dies")
    with pytest.raises(InfrastructureError) as caught, Servers(spec, tmp_path / "log") as servers:
        servers.wait_ready(READY_S)
    assert f"port {spec.port} ended with code 3" in str(caught.value)
    assert "ValueError: the weights do not fit" in str(caught.value)


def test_a_server_that_does_not_answer_in_time_is_given_up_and_ended(
    spec: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM", "slow")
    with Servers(spec, tmp_path) as servers:
        (replica,) = servers.replicas
        with pytest.raises(InfrastructureError, match=r"did not answer within 0.5 s"):
            servers.wait_ready(0.5)
    assert not group(replica.pgid)


def test_a_replica_that_dies_later_is_named_and_the_others_are_ended(spec: ServerSpec, tmp_path: Path) -> None:
    with Servers(replace(spec, replicas=2), tmp_path / "log") as servers:
        servers.wait_ready(READY_S)
        replicas = servers.replicas
        os.kill(replicas[1].pid, signal.SIGKILL)
        with pytest.raises(InfrastructureError, match=f"port {spec.port + 1} was killed by SIGKILL"):
            servers.watch()
    assert not any(group(replica.pgid) for replica in replicas)


def test_a_group_that_ignores_the_request_to_end_is_killed(
    spec: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM", "stubborn")
    with Servers(spec, tmp_path / "log") as servers:
        servers.wait_ready(READY_S)
        (replica,) = servers.replicas
        servers.stop(grace_s=0.3)
    assert not group(replica.pgid)


def test_asking_twice_does_not_wait_for_a_stubborn_server(
    spec: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM", "stubborn")
    halt = Halt()
    with Servers(spec, tmp_path / "log", halt=halt) as servers:
        servers.wait_ready(READY_S)
        (replica,) = servers.replicas
        halt.ask()
        servers.watch()
        halt.ask()
        started = time.monotonic()
        servers.stop(grace_s=60)
    assert time.monotonic() - started < 10
    assert not group(replica.pgid)


def test_waiting_ends_when_somebody_asks_to_stop(
    spec: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM", "slow")
    halt = Halt()
    with Servers(spec, tmp_path / "log", halt=halt) as servers:
        halt.ask()
        assert not servers.wait_ready(READY_S)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_ask_to_stop_and_have_their_old_meaning_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Halt().on_signals() as halt:
        assert not halt.wait(0)
        signal.raise_signal(number)
        assert halt.wait(0)
        assert not halt.hurried()
        signal.raise_signal(number)
        assert halt.hurried()
    assert signal.getsignal(number) == before


def test_what_a_killed_starter_left_is_ended_by_its_record(left: tuple[Replica, ...], tmp_path: Path) -> None:
    said = stop_left(tmp_path / "log", 5)
    assert [line.split(": ")[1] for line in said] == ["stopped, 2 processes"] * 2
    assert not any(group(replica.pgid) for replica in left)
    with pytest.raises(InputError, match="records no servers"):
        stop_left(tmp_path / "log", 5)


def test_workers_whose_leader_was_killed_are_ended_too(left: tuple[Replica, ...], tmp_path: Path) -> None:
    os.kill(left[0].pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while process(left[0].pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(still_there(left[0])) == 1
    stop_left(tmp_path / "log", 5)
    assert not group(left[0].pgid)


def test_servers_that_are_gone_are_said_to_be(left: tuple[Replica, ...], tmp_path: Path) -> None:
    send([left[0].pgid], signal.SIGKILL)
    wait_until_gone(left[0].pgid)
    said = stop_left(tmp_path / "log", 5)
    assert "was gone already" in said[0]
    assert "stopped" in said[1]


def test_a_process_that_has_taken_the_number_of_a_server_is_left_alone(
    left: tuple[Replica, ...], tmp_path: Path
) -> None:
    record = read_record(tmp_path / "log")
    assert record is not None
    others = tuple(replica.model_copy(update={"started": "another boot:1"}) for replica in record.replicas)
    record.model_copy(update={"replicas": others}).write(tmp_path / "log")
    assert all("was gone already" in line for line in stop_left(tmp_path / "log", 5))
    assert all(len(group(replica.pgid)) == 2 for replica in left)


def test_a_folder_whose_servers_run_takes_no_second_start(left: tuple[Replica, ...], tmp_path: Path) -> None:
    spec = ServerSpec("m", python="/nowhere")
    with (
        pytest.raises(ConfigError, match=f"process {left[0].pid}.*counselgraph serve-model --stop"),
        Servers(spec, tmp_path / "log"),
    ):
        pass


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        stop_left(tmp_path, 1)


def test_an_unwritable_folder_is_named(spec: ServerSpec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="--log"), Servers(spec, tmp_path / "file" / "log"):
        pass
