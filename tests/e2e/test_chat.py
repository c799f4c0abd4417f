"""A person in a seat: through a pipe, on a terminal, killed and resumed."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from counselgraph import read_session
from tests.e2e.helpers import COMMAND, counselgraph, environment, said_in, serving
from tests.fakes.openai_server import FakeOpenAI, Fault

LINES = ["Hello Claire, what brings you?", "What went through your mind then?", "How much do you believe it?"]
CHAT = ("chat", "--persona", "claire-moreau", "--as", "counselor", "--seed", 3, "--memory", "none", "--out", "talk")
PROMPT = "counselor> "


def transcript(place: Path) -> list[tuple[str, str]]:
    return said_in(read_session(place / "talk" / "sessions" / "claire-moreau.jsonl"))


def typed(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def terminal(*arguments: object, cwd: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command on a terminal of its own; gives the process and the other end of the terminal."""
    ours, its = pty.openpty()
    try:
        with subprocess.Popen(
            [COMMAND, *map(str, arguments)], cwd=cwd, env=environment(TERM="dumb"),
            stdin=its, stdout=its, stderr=its, start_new_session=True,
        ) as process:  # fmt: skip
            os.close(its)  # from here on a read fails when the process is gone
            try:
                yield process, ours
            finally:
                process.kill()
    finally:
        os.close(ours)


def read_until(words: str, ours: int) -> str:
    told, deadline = b"", time.monotonic() + 30
    while words.encode() not in told:
        assert time.monotonic() < deadline, told.decode()
        if select.select([ours], [], [], 0.1)[0]:
            told += os.read(ours, 65536)
    return told.decode()


def test_a_person_in_the_counselors_seat_ends_the_session(tmp_path: Path) -> None:
    result = counselgraph(*CHAT, cwd=tmp_path, said=typed(*LINES, "/end we are out of time"))
    assert result.returncode == 0, result.stderr
    assert "Saved" not in result.stdout
    assert [text for role, text in transcript(tmp_path) if role == "counselor"] == LINES
    record = read_session(tmp_path / "talk/sessions/claire-moreau.jsonl")
    assert record.end is not None
    assert (record.end["stop"], record.end["reason"]) == ("completed", "we are out of time")


def test_a_person_in_the_clients_seat_sees_neither_plan_nor_risk(tmp_path: Path) -> None:
    command = ("chat", "--persona", "claire-moreau", "--as", "client", "--out", "talk")
    result = counselgraph(*command, cwd=tmp_path, said=typed("I feel hopeless about work.", "Mostly.", "/end"))
    assert result.returncode == 0, result.stderr
    record = read_session(tmp_path / "talk/sessions/claire-moreau.jsonl")
    plan, told = record.of("plan")[0], " ".join(result.stdout.split())
    assert "R1" not in told.partition("End:")[0]
    for hidden in ("reason", "hypothesis", "technique"):
        assert plan[hidden][:24] not in told


def test_a_chat_that_was_left_goes_on_and_asks_nothing_again(tmp_path: Path) -> None:
    left = counselgraph(*CHAT, cwd=tmp_path, said=typed(*LINES[:2]))
    assert left.returncode == 0, left.stderr
    assert "Go on with: counselgraph resume talk" in left.stdout
    before = transcript(tmp_path)
    again = counselgraph("resume", "talk", cwd=tmp_path, said=typed(LINES[2], "/end"))
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(PROMPT) == 2
    assert transcript(tmp_path)[: len(before)] == before
    assert [text for role, text in transcript(tmp_path) if role == "counselor"] == LINES
    in_one_go = tmp_path / "other"
    in_one_go.mkdir()
    counselgraph(*CHAT, cwd=in_one_go, said=typed(*LINES, "/end"))
    assert transcript(tmp_path) == transcript(in_one_go)


def test_a_killed_chat_replays_the_persons_lines(tmp_path: Path) -> None:
    with terminal(*CHAT, cwd=tmp_path) as (process, ours):
        for line in LINES[:2]:
            read_until(PROMPT, ours)
            os.write(ours, typed(line).encode())
        read_until(PROMPT, ours)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    again = counselgraph("resume", "talk", cwd=tmp_path, said=typed(LINES[2], "/end"))
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(PROMPT) == 2
    assert [text for role, text in transcript(tmp_path) if role == "counselor"] == LINES


@pytest.mark.parametrize(("key", "code"), [(b"\x04", 0), (b"\x03", 130)], ids=["Ctrl-D", "Ctrl-C"])
def test_a_key_leaves_at_once_and_keeps_what_was_said(tmp_path: Path, key: bytes, code: int) -> None:
    with terminal(*CHAT, cwd=tmp_path) as (process, ours):
        read_until(PROMPT, ours)
        os.write(ours, typed(LINES[0]).encode())
        read_until(PROMPT, ours)
        if key == b"\x03":
            process.send_signal(signal.SIGINT)  # what the key sends where the terminal controls the process
        else:
            os.write(ours, key)
        read_until("counselgraph resume talk", ours)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        assert process.returncode == code
    assert transcript(tmp_path)[0] == ("counselor", LINES[0])


def test_an_empty_line_is_asked_for_again(tmp_path: Path) -> None:
    result = counselgraph(*CHAT, cwd=tmp_path, said=typed("", "   ", LINES[0], "/end"))
    assert result.returncode == 0, result.stderr
    assert [text for role, text in transcript(tmp_path) if role == "counselor"] == LINES[:1]


def test_a_server_that_fails_leaves_the_chat_to_be_resumed(tmp_path: Path) -> None:
    server = FakeOpenAI(faults=dict.fromkeys(range(1, 7), Fault.SERVER_ERROR))
    with serving(server):
        flags = ("--model", "vllm/fake", "--base-url", server.base_url)
        failed = counselgraph(*CHAT, *flags, cwd=tmp_path, said=typed(LINES[0]))
        again = counselgraph("resume", "talk", cwd=tmp_path, said=typed("/end"))
    assert failed.returncode == 1
    assert "HTTP 500" in failed.stderr
    assert "Go on with: counselgraph resume talk" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert again.returncode == 0, again.stderr
    assert transcript(tmp_path)[0] == ("counselor", LINES[0])
