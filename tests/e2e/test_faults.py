"""A server that fails in every way at once: each session ends whole or is named, and none is wrong in silence."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from counselgraph.runner.log import Event, SessionRecord, read_run
from counselgraph.runner.report import FAILED
from tests.e2e.helpers import counselgraph, fake_flags, serving, write_clients
from tests.fakes.openai_server import FakeOpenAI, Fault

SESSIONS = 200
RATES = {
    Fault.SERVER_ERROR: 0.05,
    Fault.HANG: 0.02,
    Fault.CUT_JSON: 0.0075,
    Fault.NO_CHOICES: 0.0075,
    Fault.NULL: 0.0075,
    Fault.NOT_JSON: 0.0075,
    Fault.DISCONNECT: 0.02,
    Fault.EMPTY: 0.01,
}
ANSWERED = {None, Fault.NULL, Fault.EMPTY}
"""What leaves a reply that can be read; the rest has to be asked for again."""
FLAGS = (
    "--personas", "people", "--seed", 12, "--max-exchanges", 3, "--concurrency", 48, "--memory", "none",
    "--set", "timeout_s=2", "--display", "none", "--out", "out",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What a run came to, held against what the server sent.

    Attributes:
        right: Sessions that ended, every word of them the server's.
        named: Sessions that ended in an error, with the reason in their log.
        wrong: What is wrong with any of them.
    """

    right: set[str]
    named: dict[str, str]
    wrong: list[str]

    def __str__(self) -> str:
        return f"{len(self.right)} right, {len(self.named)} named, {len(self.wrong)} silently wrong: {self.wrong[:5]}"


def judged(folder: Path, server: FakeOpenAI) -> Verdict:
    sent: dict[int, set[str]] = defaultdict(set)
    prompts: dict[int, str] = {}
    for request in server.requests:
        seed = request.body["seed"]
        prompts[seed] = "\n".join(message["content"] for message in request.messages)
        if request.fault in ANSWERED:
            sent[seed].add(request.reply or "")
    right, named, wrong = set(), {}, []
    for record in read_run(folder):
        wrong += [f"{record.id}: {problem}" for problem in problems_of(record, sent, prompts)]
        if record.end is None:
            wrong.append(f"{record.id}: has no end")
        elif record.end["stop"] in FAILED:
            named[record.id] = record.end["reason"]
        else:
            right.add(record.id)
    return Verdict(right, named, wrong)


def problems_of(record: SessionRecord, sent: dict[int, set[str]], prompts: dict[int, str]) -> Iterator[str]:
    """Whatever in a session is not as the server said it, in the order in which it was said."""
    answers: dict[str, str] = {}
    said: list[str] = []
    for event in record.events:
        if event["event"] == "model_call":
            answers[event["role"]] = event["answer"]
            if event["answer"] not in sent[event["seed"]]:
                yield f"the answer of {event['role']} in exchange {event['exchange']} was never sent"
            if not in_order(said[: event["turns"]], prompts[event["seed"]]):
                yield f"the prompt of {event['role']} in exchange {event['exchange']} tells another conversation"
        if event["event"] == "turn":
            said.append(event["text"])
            if event["kind"] == "turn" and event["text"] != answers.pop(event["role"], "").strip():
                yield f"the turn of {event['role']} in exchange {event['exchange']} is not the answer before it"
    yield from shape_of(record.turns)
    if record.end and record.end["stop"] not in FAILED and len(said) != 2 * record.end["exchanges"] + 1:
        yield f"{len(said)} turns in {record.end['exchanges']} exchanges"


def shape_of(turns: list[Event]) -> Iterator[str]:
    if not all(turn["text"].strip() for turn in turns):
        yield "a turn is empty"
    if len({turn["text"] for turn in turns}) != len(turns):
        yield "a turn is there twice"
    if [turn["role"] for turn in turns] != (["counselor", "client"] * len(turns))[: len(turns)]:
        yield "speakers do not alternate"


def in_order(said: list[str], prompt: str) -> bool:
    place = 0
    for text in said:
        place = prompt.find(text, place) + len(text)
        if place < len(text):
            return False
    return True


def logs(folder: Path) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in (folder / "sessions").iterdir()}


@pytest.mark.slow
def test_no_session_is_wrong_in_silence_and_resume_completes_those_that_an_outage_ended(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", SESSIONS)
    with serving(FakeOpenAI(rates=RATES)) as server:
        first = counselgraph("run", *FLAGS, *fake_flags(server), cwd=tmp_path)
        verdict, before = judged(tmp_path / "out", server), logs(tmp_path / "out")
        met = {request.fault for request in server.requests}
        server.rates = {}
        again = counselgraph("resume", "out", "--display", "none", cwd=tmp_path)
        healed = judged(tmp_path / "out", server)

    assert met >= set(RATES), f"the server never came to {set(RATES) - met}"
    assert not verdict.wrong, verdict
    assert len(verdict.right) + len(verdict.named) == SESSIONS, verdict
    assert verdict.named, verdict
    assert first.returncode == 1, first.stderr
    assert {line.split(": ")[1] for line in first.stderr.splitlines() if line.startswith("failed: ")} == set(
        verdict.named
    )
    for session, reason in verdict.named.items():
        assert f"failed: {session}: {reason}" in first.stderr

    results = {session for session, reason in verdict.named.items() if reason.startswith("ModelError: ")}
    assert results < set(verdict.named), verdict
    assert not healed.wrong, healed
    assert set(healed.named) == results, healed
    assert len(healed.right) == SESSIONS - len(results), healed
    assert again.returncode == (1 if results else 0), again.stderr
    kept = verdict.right | results
    assert {name: logs(tmp_path / "out")[name] for name in kept} == {name: before[name] for name in kept}
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["unfinished"], set(summary["failed"])) == (0, results)


def test_the_judge_would_notice(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 6)
    with serving(FakeOpenAI()) as server:
        assert counselgraph("run", *FLAGS, *fake_flags(server), cwd=tmp_path).returncode == 0
        assert not judged(tmp_path / "out", server).wrong
        spoilt = [spoil(file) for file in sorted((tmp_path / "out/sessions").iterdir())]
        found = judged(tmp_path / "out", server).wrong
    assert all(any(problem.startswith(f"{name}: ") for problem in found) for name in spoilt), found


def spoil(file: Path) -> str:
    """Do to a log what must be noticed, for each another thing."""
    events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    turns = [number for number, event in enumerate(events) if event["event"] == "turn"]
    match int(file.stem[-1]):
        case 1:
            events[turns[2]]["text"] = events[turns[2]]["text"].replace(" ", "  ", 1)
        case 2:
            events.insert(turns[2] + 1, events[turns[2]])
        case 3:
            del events[turns[3]]
        case 4:
            events[turns[1]]["text"] = ""
        case 5:
            events[turns[2]]["role"] = "client"
        case 6:
            events.pop()
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    return file.stem
