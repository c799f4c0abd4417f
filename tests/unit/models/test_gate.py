"""The gate of a server: a limit, an order, and no place lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from counselgraph.models.base import Request
from counselgraph.models.gate import Gate, rank_of


class Note(BaseModel):
    """Anything typed."""


async def served(gate: Gate, ranks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Order in which calls that arrive in this order are let through, one at a time."""
    order = []

    async def call(rank: tuple[int, int]) -> None:
        await gate.acquire(rank)
        order.append(rank)
        await asyncio.sleep(0)
        gate.release()

    await gate.acquire()
    calls = [asyncio.create_task(call(rank)) for rank in ranks]
    await asyncio.sleep(0)
    gate.release()
    await asyncio.gather(*calls)
    return order


async def test_the_session_that_is_behind_goes_first_and_speech_before_notes() -> None:
    ranks = [(4, 1), (4, 0), (2, 1), (2, 0), (3, 0)]
    assert await served(Gate(1), ranks) == sorted(ranks)


async def test_of_equals_the_first_to_come_goes_first() -> None:
    gate, order = Gate(1), []
    await gate.acquire()

    async def call(name: str) -> None:
        await gate.acquire((1, 0))
        order.append(name)
        gate.release()

    calls = [asyncio.create_task(call(name)) for name in "abc"]
    await asyncio.sleep(0)
    gate.release()
    await asyncio.gather(*calls)
    assert order == ["a", "b", "c"]


def test_typed_calls_are_notes() -> None:
    said = Request(role="client", messages=(), exchange=3)
    noted = Request(role="planner", messages=(), exchange=3, output=Note)
    assert rank_of(said) < rank_of(noted) < rank_of(said.model_copy(update={"exchange": 4}))


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.booleans()), max_size=25))
def test_never_more_than_the_places_and_none_is_lost_when_calls_are_cancelled(
    places: int, calls: list[tuple[int, int, bool]]
) -> None:
    async def play() -> None:
        gate, most, inside = Gate(places), 0, 0

        async def call(rank: tuple[int, int]) -> None:
            nonlocal most, inside
            await gate.acquire(rank)
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(0)
            finally:
                inside -= 1
                gate.release()

        tasks = [(asyncio.create_task(call((exchange, kind))), gone) for exchange, kind, gone in calls]
        for task, gone in tasks:
            await asyncio.sleep(0)
            if gone:
                task.cancel()
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
        assert most <= places
        assert gate.free == places

    asyncio.run(play())


async def test_a_place_given_to_a_call_that_is_cancelled_goes_on_to_the_next() -> None:
    gate = Gate(1)
    await gate.acquire()
    first, second = (asyncio.create_task(gate.acquire((at, 0))) for at in range(2))
    await asyncio.sleep(0)
    gate.release()
    first.cancel()
    await asyncio.wait_for(second, 1)
    gate.release()
    assert first.cancelled() or first.cancelling()
    assert gate.free == 1
