"""The server of the benchmarks: what it answers must be what a benchmark says it is."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from counselgraph.errors import InfrastructureError
from counselgraph.models.base import Answer, ChatMessage, Request
from counselgraph.models.endpoint import Endpoint
from counselgraph.models.retry import RetryPolicy
from counselgraph.models.structured import parse
from counselgraph.protocols.plan import PlanDecision
from counselgraph.safety.levels import Verdict

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
SERVER = Path(__file__).parents[3] / "benchmarks" / "fake_server.py"
MESSAGES: tuple[ChatMessage, ...] = (
    {"role": "system", "content": "You are the client."},
    {"role": "user", "content": "What brings you here?"},
)


def asked(**fields: Any) -> Request:
    return Request(**{"role": "client", "messages": MESSAGES} | fields)


@asynccontextmanager
async def endpoint(*flags: object, timeout_s: float = 10) -> AsyncIterator[Endpoint]:
    """An endpoint with a server of its own, that tries everything once."""
    command = (sys.executable, str(SERVER), *map(str, flags))
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    address = f"http://127.0.0.1:{int(await server.stdout.readline())}/v1"
    found = Endpoint(address, "EMPTY", max_calls=500, timeout_s=timeout_s, retry=RetryPolicy(tries=1))
    try:
        yield found
    finally:
        await found.aclose()
        server.terminate()
        assert await server.wait() == 0


async def test_replies_depend_on_seed_and_messages_and_have_about_40_tokens() -> None:
    async with endpoint("--latency", 0) as server:
        model = server.model("fake", "vllm/fake")
        once, again, other = [await model.answer(asked(seed=seed)) for seed in (1, 1, 2)]
    assert once.text == again.text != other.text
    assert 30 <= once.usage.completion_tokens <= 50
    assert (once.usage.cached_tokens, again.usage.cached_tokens) == (0, again.usage.prompt_tokens)


@pytest.mark.parametrize("output", [PlanDecision, Verdict])
async def test_typed_replies_are_valid(output: type[PlanDecision | Verdict]) -> None:
    async with endpoint("--latency", 0) as server:
        for seed in range(20):
            answer = await server.model("fake", "m").answer(asked(output=output, seed=seed))
            assert isinstance(parse(answer.text, output), output)


async def test_calls_beyond_the_places_wait() -> None:
    async with endpoint("--latency", 0.1, "--places", 5) as server:
        model, loop = server.model("fake", "m"), asyncio.get_running_loop()
        started = loop.time()
        await asyncio.gather(*(model.answer(asked(seed=seed)) for seed in range(15)))
        assert loop.time() - started >= 0.3


async def test_faults_come_as_often_as_told_and_to_the_same_calls() -> None:
    rates = ("error", "drop", "malformed", "empty")
    found = []
    for order in (1, -1):
        flags = [flag for rate in rates for flag in (f"--{rate}-rate", 0.1)]
        async with endpoint("--latency", 0, *flags) as server:
            model = server.model("fake", "m")
            requests = [asked(seed=seed) for seed in range(300)][::order]
            answers = await asyncio.gather(*(model.answer(one) for one in requests), return_exceptions=True)
        found.append([kind_of(answer) for answer in answers][::order])
    assert found[0] == found[1]
    counted = Counter(found[0])
    assert counted["fine"] == pytest.approx(180, abs=30)
    assert 10 <= counted["empty"] <= 50
    assert 50 <= counted["InfrastructureError"] <= 130


async def test_a_call_can_hang() -> None:
    async with endpoint("--latency", 0, "--hang-rate", 1, timeout_s=0.1) as server:
        with pytest.raises(InfrastructureError, match="no answer within"):
            await server.model("fake", "m").answer(asked())


def kind_of(answer: Answer | BaseException) -> str:
    if isinstance(answer, BaseException):
        return type(answer).__name__
    return "fine" if answer.text else "empty"
