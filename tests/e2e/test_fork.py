"""Forks from outside: the command, against a server, killed in the middle and without its parent."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from counselgraph import read_run
from counselgraph.runner.log import SessionRecord
from tests.e2e.helpers import counselgraph, fake_flags, manifest, refused, serving, started, transcripts, write_clients
from tests.fakes.openai_server import FakeOpenAI

FLAGS = ("--personas", "people", "--seed", 8, "--max-exchanges", 8, "--memory", "none")
PARENT = "parent/client-01"
RISKY = "I have decided to kill myself tonight."


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with serving(FakeOpenAI()) as server:
        yield server


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, server: FakeOpenAI) -> Path:
    """A run of one session of eight exchanges."""
    place = tmp_path_factory.mktemp("run")
    write_clients(place / "people", 1)
    ran = counselgraph("run", *FLAGS, "--out", "parent", *fake_flags(server), cwd=place)
    assert ran.returncode == 0, ran.stderr
    return place / "parent"


@pytest.fixture
def place(run: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that run in it."""
    shutil.copytree(run, tmp_path / "parent")
    return tmp_path


def forked(place: Path, at: int, *flags: object, out: str = "f", parent: str = PARENT) -> SessionRecord:
    result = counselgraph("fork", parent, "--at", at, "--out", out, *flags, cwd=place)
    assert result.returncode == 0, result.stderr
    record, *_ = read_run(place / out)
    return record


def said(folder: Path) -> list[list[tuple[str, str]]]:
    return list(transcripts(folder).values())


def test_an_unchanged_fork_comes_out_as_its_parent_and_asks_for_the_rest_alone(place: Path, server: FakeOpenAI) -> None:
    parent, *_ = read_run(place / "parent")
    for at in (0, 3, 8):
        before = server.calls
        forked(place, at, out=f"f{at}")
        assert said(place / f"f{at}") == said(place / "parent")
        assert server.calls - before == sum(call["exchange"] > at for call in parent.of("model_call"))


def test_a_risky_line_is_screened_and_the_child_is_screened_on(place: Path) -> None:
    child = forked(place, 3, "--as", "client", "--say", RISKY)
    assert max(event["level"] for event in child.of("risk") if event["side"] == "client") >= 4
    assert child.end is not None
    assert child.end["stop"] == "crisis"
    shown = counselgraph("show", f"f/{child.id}", cwd=place).stdout
    assert "Forked from client-01 at exchange 3" in shown
    assert "crisis protocol" in shown


def test_everything_can_be_changed_at_once(place: Path, server: FakeOpenAI) -> None:
    changes = ("--set", "persona.attitude=negative", "--set", "params.temperature=0.9", "--set", "max_exchanges=6")
    models = ("--role-model", "client=rehearsal", "--seed", 9)
    child = forked(place, 2, "--say", "What do you make of that?", *changes, *models)
    assert child.header["fork"]["changes"] == {
        "say.counselor": "What do you make of that?",
        "seed": 9,
        "models.client": "rehearsal",
        "persona.attitude": "negative",
        "params.temperature": 0.9,
        "max_exchanges": 6,
    }
    assert {call["role"] for call in child.of("model_call") if call["model"] == "rehearsal"} == {"client"}
    assert server.requests[-1].body["temperature"] == 0.9
    assert child.end is not None
    assert child.end["exchanges"] == 6


def test_three_children_are_a_run_like_any_other(place: Path) -> None:
    result = counselgraph("fork", PARENT, "--at", 2, "-n", 3, "--say", "Go on.", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "runs/fork-client-01-at2: 3 sessions" in result.stdout
    out = place / "runs" / "fork-client-01-at2"
    assert len({str(turns) for turns in said(out)}) == 3
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    calls = sum(len(record.of("model_call")) for record in read_run(out))
    assert (summary["sessions"], summary["usage"]["calls"]) == (3, calls)
    assert str(manifest(out)["spec"]["personas"]).startswith("fork/")  # type: ignore[index]
    told = counselgraph("export", out, "--to", "jsonl", "--out", "children.jsonl", cwd=place)
    assert told.returncode == 0, told.stderr
    rows = [json.loads(line) for line in (place / "children.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [[(turn["role"], turn["text"]) for turn in row["turns"]] for row in rows] == said(out)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_fork_goes_on_without_its_parent_and_without_repeating(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 1)
    with serving(FakeOpenAI()) as server:
        ran = counselgraph("run", *FLAGS, "--out", "parent", *fake_flags(server), cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        flags = ("fork", PARENT, "--at", 2, "--say", "Go on.", "-n", 2)
        before = server.calls
        assert counselgraph(*flags, "--out", "whole", cwd=tmp_path).returncode == 0
        whole, before = server.calls - before, server.calls
        server.latency_s = 0.05
        with started(*flags, "--out", "broken", cwd=tmp_path) as process:
            wait_for_calls(server, before + whole // 2, process)
            process.kill()
            process.communicate()
        assert not all(record.end for record in read_run(tmp_path / "broken"))
        shutil.rmtree(tmp_path / "parent")
        shutil.rmtree(tmp_path / "people")
        server.latency_s = 0
        resumed = counselgraph("resume", "broken", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert transcripts(tmp_path / "broken") == transcripts(tmp_path / "whole")
    assert whole <= server.calls - before <= whole + 4  # in flight: client and planner of two sessions


def wait_for_calls(server: FakeOpenAI, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while server.calls < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_several_workers_play_the_children(place: Path) -> None:
    forked(place, 2, "-n", 3, "--say", "Go on.", out="one")
    forked(place, 2, "-n", 3, "--say", "Go on.", "--set", "workers=2", out="two")
    assert transcripts(place / "two") == transcripts(place / "one")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ((PARENT, "--at", 9), ("client-01", "exchanges 0 to 8, and no exchange 9")),
        ((PARENT, "--at", 1, "--set", "persona.attitud=negative"), ("persona.attitud", "did you mean `attitude`?")),
        ((PARENT, "--at", 1, "--out", "parent"), ("holds something else than this fork",)),
    ],
)
def test_what_cannot_be_is_refused_before_a_model_is_called(
    place: Path, server: FakeOpenAI, flags: tuple[object, ...], named: tuple[str, ...]
) -> None:
    calls = server.calls
    refused(counselgraph("fork", *flags, cwd=place), *named)
    assert server.calls == calls
    assert [path.name for path in place.iterdir()] == ["parent"]
