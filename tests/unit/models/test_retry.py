from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import ConfigError, InfrastructureError, ModelError
from counselgraph.models.events import collecting
from counselgraph.models.retry import RetryPolicy, failure_of, with_retries

FAST = RetryPolicy(base_s=0.001)


class RefusedError(Exception):
    """What an SDK raises for an HTTP status."""

    def __init__(self, status: int, message: str = "no") -> None:
        super().__init__(message)
        self.status_code = status
        self.body = {"message": message}


class Flaky:
    """Raises the errors given, one a call, then returns the number of calls."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


async def run(call: Any, policy: RetryPolicy = FAST, deadline_s: float = 1) -> int:
    result: int = await with_retries(call, name="vllm/m", policy=policy, deadline_s=deadline_s, seed=3)
    return result


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        TimeoutError(),
        RefusedError(500),
        RefusedError(503),
        RefusedError(429),
        RefusedError(408),
    ],
)
async def test_what_may_pass_is_tried_again_and_told(error: Exception) -> None:
    events: list[dict[str, Any]] = []
    with collecting(events.append):
        assert await run(Flaky(error, error)) == 3
    assert [(event["event"], event["attempt"], event["model"]) for event in events] == [
        ("retry", 1, "vllm/m"),
        ("retry", 2, "vllm/m"),
    ]
    json.dumps(events)


async def test_after_the_last_try_the_error_says_how_often_and_why() -> None:
    call = Flaky(*[ConnectionResetError("reset by peer")] * 5)
    with pytest.raises(InfrastructureError, match="`vllm/m`: gave up after 3 tries: reset by peer"):
        await run(call)
    assert call.calls == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InfrastructureError),
        (401, ConfigError),
        (403, ConfigError),
        (404, ConfigError),
        (422, InfrastructureError),
    ],
)
async def test_a_refusal_is_final(status: int, kind: type[Exception]) -> None:
    call = Flaky(RefusedError(status, "you may not"))
    with pytest.raises(kind, match=f"HTTP {status}: you may not"):
        await run(call)
    assert call.calls == 1


async def test_a_prompt_that_is_too_long_is_named_as_such() -> None:
    with pytest.raises(InfrastructureError, match="longer than the model's context"):
        await run(Flaky(RefusedError(400, "This model's maximum context length is 4096 tokens.")))


@pytest.mark.parametrize("error", [ModelError("cut off"), KeyError("bug"), ZeroDivisionError()])
async def test_our_own_errors_and_bugs_pass_through_untouched(error: Exception) -> None:
    call = Flaky(error)
    with pytest.raises(type(error)) as caught:
        await run(call)
    assert caught.value is error
    assert call.calls == 1


async def test_a_call_that_hangs_is_cut_at_the_deadline() -> None:
    calls = 0

    async def hang() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(60)
        return 0

    with pytest.raises(InfrastructureError, match=r"3 tries: no answer within 0\.01 s"):
        await run(hang, deadline_s=0.01)
    assert calls == 3


async def test_cancellation_is_not_a_failure() -> None:
    task = asyncio.create_task(run(lambda: asyncio.sleep(60, 0)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_gate_is_open_while_a_try_waits_for_the_next() -> None:
    gate = asyncio.Semaphore(1)
    slow = RetryPolicy(base_s=0.2)
    waiting = asyncio.create_task(
        with_retries(Flaky(RefusedError(500)), name="m", policy=slow, deadline_s=1, gate=gate)
    )
    await asyncio.sleep(0.02)
    assert not gate.locked()
    assert await waiting == 2


async def test_waiting_at_the_gate_does_not_count_towards_the_deadline() -> None:
    gate = asyncio.Semaphore(1)

    async def call() -> int:
        await asyncio.sleep(0.03)
        return 1

    calls = [with_retries(call, name="m", policy=RetryPolicy(tries=1), deadline_s=0.08, gate=gate) for _ in range(5)]
    assert await asyncio.gather(*calls) == [1] * 5


async def test_retry_after_is_respected_and_capped() -> None:
    assert RetryPolicy(cap_s=20).wait(1, seed=0, asked_s=3.5) == 3.5
    assert RetryPolicy(cap_s=20).wait(1, seed=0, asked_s=3600) == 20


@given(st.integers(0, 2**63 - 1), st.integers(1, 8))
def test_waits_grow_are_deterministic_and_capped(seed: int, attempt: int) -> None:
    policy = RetryPolicy(base_s=0.5, cap_s=20)
    wait = policy.wait(attempt, seed, None)
    assert wait == policy.wait(attempt, seed, None)
    assert min(0.5 * 2 ** (attempt - 1), 20) <= wait <= min(0.75 * 2 ** (attempt - 1), 20)


def test_different_seeds_spread_the_waits() -> None:
    assert len({RetryPolicy().wait(1, seed, None) for seed in range(50)}) == 50


def test_a_long_message_is_cut() -> None:
    failure = failure_of(RefusedError(500, "x" * 5000), 1)
    assert failure is not None
    assert len(failure.problem) < 400
