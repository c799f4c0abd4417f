from __future__ import annotations

import asyncio
from typing import Any

from counselgraph.models.events import collecting, emit


def test_events_reach_the_sink_inside_the_block_only() -> None:
    events: list[dict[str, Any]] = []
    emit("retry", attempt=0)
    with collecting(events.append):
        emit("retry", attempt=1)
    emit("retry", attempt=2)
    assert events == [{"event": "retry", "attempt": 1}]


def test_the_inner_block_takes_its_events() -> None:
    outer: list[dict[str, Any]] = []
    inner: list[dict[str, Any]] = []
    with collecting(outer.append):
        with collecting(inner.append):
            emit("limit")
        emit("retry")
    assert ([event["event"] for event in outer], [event["event"] for event in inner]) == (["retry"], ["limit"])


async def test_tasks_do_not_get_each_others_events() -> None:
    async def call(number: int) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        with collecting(events.append):
            await asyncio.sleep(0)
            emit("retry", number=number)
        return events

    assert await asyncio.gather(*(call(n) for n in range(3))) == [[{"event": "retry", "number": n}] for n in range(3)]
