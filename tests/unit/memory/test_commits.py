"""Group commit: what waits is written together, and nobody's write is lost or confirmed early."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from counselgraph.memory.commits import GroupCommit
from counselgraph.memory.record import Kind, MemoryRecord


def record(number: int) -> MemoryRecord:
    return MemoryRecord(owner="client", client_id="c", kind=Kind.FACT, text=f"Memory {number}.", session="s")


class Slow:
    """A database that writes when told."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.go = threading.Semaphore(0)
        self.problem: Exception | None = None

    def write(self, records: Sequence[MemoryRecord]) -> int:
        self.go.acquire()
        if self.problem is not None:
            raise self.problem
        self.groups.append([record.text for record in records])
        return len(records)


async def test_what_waits_behind_a_write_goes_in_one() -> None:
    database = Slow()
    commits = GroupCommit(database.write)
    writes = [asyncio.create_task(commits.add([record(number)])) for number in range(20)]
    await asyncio.sleep(0.05)
    assert not any(write.done() for write in writes)
    database.go.release()
    await writes[0]
    assert not any(write.done() for write in writes[1:])
    database.go.release(2)
    assert await asyncio.gather(*writes) == [1] * 20
    assert [len(group) for group in database.groups] == [1, 19]


async def test_what_comes_shortly_after_a_write_goes_in_one() -> None:
    database = Slow()
    database.go.release(100)
    commits = GroupCommit(database.write, apart_s=1.0)
    await commits.add([record(0)])
    await asyncio.gather(*(commits.add([record(number)]) for number in range(1, 10)))
    assert [len(group) for group in database.groups] == [1, 9]


async def test_different_memories_are_counted_and_the_same_one_once() -> None:
    database = Slow()
    database.go.release()
    assert await GroupCommit(database.write).add([record(1), record(2), record(1)]) == 2


async def test_a_failed_group_fails_everybody_in_it_and_nobody_after_it() -> None:
    database = Slow()
    commits = GroupCommit(database.write)
    database.problem = OSError("full")
    first = [asyncio.create_task(commits.add([record(number)])) for number in range(3)]
    database.go.release(2)
    results = await asyncio.gather(*first, return_exceptions=True)
    assert [str(result) for result in results] == ["full"] * 3
    database.problem = None
    database.go.release(2)
    assert await commits.add([record(9)]) == 1


async def test_who_is_cancelled_holds_up_nobody() -> None:
    database = Slow()
    commits = GroupCommit(database.write)
    writes = [asyncio.create_task(commits.add([record(number)])) for number in range(3)]
    await asyncio.sleep(0.05)
    writes[1].cancel()
    database.go.release(3)
    with pytest.raises(asyncio.CancelledError):
        await writes[1]
    assert await writes[0] == await writes[2] == 1


def test_two_event_loops_may_share_one() -> None:
    database = Slow()
    database.go.release(100)
    commits = GroupCommit(database.write)
    found: list[int] = []

    def play(number: int) -> None:
        async def main() -> list[int]:
            return await asyncio.gather(*(commits.add([record(number * 100 + n)]) for n in range(10)))

        found.extend(asyncio.run(main()))

    threads = [threading.Thread(target=play, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 30
    assert sum(map(len, database.groups)) == 30
