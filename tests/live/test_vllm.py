"""Whole runs against a real vLLM. Its model talks nonsense, so what is tested is everything but the words."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel

from counselgraph import Models, RunResult, RunSpec, read_run, run_sync
from counselgraph.models.base import Request
from counselgraph.protocols.plan import PlanDecision
from counselgraph.runner.log import SessionRecord
from counselgraph.safety.levels import Verdict
from tests.e2e.helpers import counselgraph, refused, started, transcripts
from tests.fakes.vllm import fake_model
from tests.live.server import ServeModel

MODEL = "vllm/tiny"
SESSIONS = 32
PARAMS = {"max_tokens": 500, "min_tokens": 2}
_TURN = re.compile(rb'"event": ?"turn"')
OUTPUTS: dict[str, type[BaseModel]] = {"planner": PlanDecision, "monitor": Verdict}


@dataclass(frozen=True)
class Played:
    """A run of many sessions at once, and the server's own count of it."""

    result: RunResult
    records: list[SessionRecord]
    calls: float
    prefix_hits: float


@pytest.fixture(scope="module")
def played(shared: ServeModel, tmp_path_factory: pytest.TempPathFactory) -> Played:
    if not shared.runs:
        shared.start()
    spec = RunSpec(
        model=MODEL, base_url=shared.base_url, params=PARAMS, roles=("monitor",), limit=8, replicates=4, seed=11,
        max_exchanges=3, concurrency=SESSIONS, max_calls=SESSIONS, out=tmp_path_factory.mktemp("played") / "out",
    )  # fmt: skip
    before = [sum(shared.counted(f"vllm:{name}_total")) for name in ("request_success", "prefix_cache_hits")]
    result = run_sync(spec)
    after = [sum(shared.counted(f"vllm:{name}_total")) for name in ("request_success", "prefix_cache_hits")]
    return Played(result, list(read_run(result.out)), after[0] - before[0], after[1] - before[1])


def test_many_sessions_at_once_play_to_their_ends(played: Played) -> None:
    summary = played.result.summary
    assert summary.sessions == SESSIONS
    assert (summary.unfinished, summary.retries, played.result.failed) == (0, 0, {})
    assert set(summary.stops) <= {"completed", "max_exchanges", "crisis", "stalled"}
    assert summary.usage.calls == played.calls
    for record in played.records:
        whole(record)
    assert len({record.turns[0]["text"] for record in played.records}) == SESSIONS


def test_every_typed_answer_is_valid_at_the_first_try(played: Played) -> None:
    asked = [event for record in played.records for event in record.events if event["event"] == "model_call"]
    typed = [event for event in asked if event["output"]]
    assert len(typed) >= 2 * SESSIONS
    for event in typed:
        OUTPUTS[event["role"]].model_validate_json(event["answer"])
    assert played.result.summary.repairs == 0
    assert not [event for record in played.records for event in record.events if event["event"] == "error"]


def test_most_of_the_prompts_come_from_the_prefix_cache(played: Played) -> None:
    usage = played.result.summary.usage
    assert played.prefix_hits == usage.cached_tokens
    assert 0.5 < usage.cached_tokens / usage.prompt_tokens < 1
    told = json.loads((played.result.out / "summary.json").read_text())["usage"]
    assert told["cached_tokens"] == usage.cached_tokens


async def test_the_same_seed_says_the_same_again_on_an_idle_server(server: ServeModel) -> None:
    async with Models(server.base_url) as models:
        model = models.get(MODEL)
        said = [(await model.answer(request(seed))).text for seed in (1, 1, 2, 1)]
    assert said[0] == said[1] == said[3] != said[2]


def request(seed: int) -> Request:
    return Request(
        role="client",
        messages=({"role": "system", "content": "You talk."}, {"role": "user", "content": "What happened first?"}),
        seed=seed,
        params={"max_tokens": 60, "min_tokens": 20},
    )


async def test_the_langchain_chat_model_streams(server: ServeModel) -> None:
    async with Models(server.base_url) as models:
        chat = await asyncio.to_thread(models.chat, MODEL)
        asked = [("user", "What happened first?")]
        chunks = [chunk async for chunk in chat.astream(asked, seed=3, max_tokens=40, extra_body={"min_tokens": 30})]
        whole = await chat.ainvoke(asked, seed=3, max_tokens=40, extra_body={"min_tokens": 30})
    texts = [chunk.text for chunk in chunks if chunk.text]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert len(texts) > 10
    assert "".join(texts) == whole.text
    assert sum(chunk.usage_metadata["output_tokens"] for chunk in chunks if chunk.usage_metadata) >= 30


def test_the_doctor_finds_all_that_a_run_needs(server: ServeModel, tmp_path: Path) -> None:
    result = counselgraph("doctor", *server.flags, cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert "ok    context of the server: 8192 tokens" in result.stdout
    assert "ok    typed output: the server holds answers to a JSON schema" in result.stdout
    assert "prompt tokens of a repeated call" in result.stdout


def test_preflight_refuses_what_would_not_serve(server: ServeModel, vllm_python: str, tmp_path: Path) -> None:
    model, port = fake_model(tmp_path / "base", template=False), str(server.replicas[0].port)
    command = ("serve-model", model, "--python", vllm_python, "--port", port, "--context", 99999)
    told = ("built for the CPU", "--cpu", f"port {port}: Address already in use", "chat template", "has 4096")
    refused(counselgraph(*command, cwd=tmp_path), *told)
    again = counselgraph("serve-model", model, "--log", server.log, cwd=tmp_path)
    refused(again, f"process {server.replicas[0].pid}", f"--stop {server.log}")


def test_a_server_that_dies_and_comes_back_costs_no_words(server: ServeModel, tmp_path: Path) -> None:
    flags = ("--limit", 8, "--seed", 5, "--max-exchanges", 4, "--concurrency", 8, "--out", "out")
    settings = [f"--set=params.{name}={value}" for name, value in PARAMS.items()]
    with started("run", *flags, *settings, *server.flags, cwd=tmp_path) as process:
        wait_until(lambda: turns_in(tmp_path / "out") >= 24, process)
        server.kill_replicas()
        assert server.wait() == 1
        assert f"The server on port {server.replicas[0].port} was killed by SIGKILL" in server.said
        assert server.left == 0
        process.communicate(timeout=120)
    assert process.returncode == 1
    before = transcripts(tmp_path / "out")
    broken = json.loads((tmp_path / "out/summary.json").read_text())
    assert broken["stops"]["infrastructure_error"] > 0
    server.start()
    result = counselgraph("resume", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    records = list(read_run(tmp_path / "out"))
    assert len(records) == 8
    for record in records:
        whole(record)
        said = [(turn["role"], turn["text"]) for turn in record.turns]
        assert said[: len(before[record.id])] == before[record.id]


def whole(record: SessionRecord) -> None:
    """Check that a session has all its turns, in order, none empty."""
    assert record.end is not None
    assert [turn["role"] for turn in record.turns[::2]] == ["counselor"] * len(record.turns[::2])
    assert [turn["role"] for turn in record.turns[1::2]] == ["client"] * len(record.turns[1::2])
    assert [turn["exchange"] for turn in record.turns] == [(at + 1) // 2 for at in range(len(record.turns))]
    assert all(turn["text"].strip() for turn in record.turns)
    assert [event["seq"] for event in record.events] == list(range(len(record.events)))


def wait_until(seen: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not seen():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def turns_in(folder: Path) -> int:
    return sum(len(_TURN.findall(log.read_bytes())) for log in (folder / "sessions").glob("*.jsonl"))


def test_a_request_to_stop_leaves_nothing_running(server: ServeModel) -> None:
    assert server.left >= 2
    assert server.signal(signal.SIGTERM) == 0
    assert server.left == 0
    assert "Stopping." in server.said
    assert [file.name for file in server.log.iterdir()] == [server.replicas[0].log.name]


def test_replicas_share_a_run_and_end_when_their_starter_was_killed(
    tiny_model: Path, vllm_python: str, tmp_path: Path
) -> None:
    pair = ServeModel(tiny_model, vllm_python, tmp_path, replicas=2)
    try:
        pair.start()
        flags = ("--limit", 8, "--max-exchanges", 2, "--set=params.max_tokens=500", "--set=params.min_tokens=2")
        result = counselgraph("run", *flags, *pair.flags, "--out", "out", cwd=tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        assert min(pair.counted("vllm:request_success_total")) >= 10
        assert pair.signal(signal.SIGKILL) == -signal.SIGKILL
        assert pair.left >= 4
    finally:
        ended = counselgraph("serve-model", "--stop", pair.log, cwd=tmp_path)
    assert ended.stdout.count(": stopped, ") == 2
    assert pair.left == 0
