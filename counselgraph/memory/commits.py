"""Group commit: writes that arrive while another is under way, or shortly after, go to the database together.

A write costs Chroma almost the same for one memory as for fifty, and many sessions end at about the same time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from counselgraph.memory.record import MemoryRecord

Write = Callable[[Sequence[MemoryRecord]], int]


class GroupCommit:
    """Hands waiting writes to `write` together, one group at a time.

    A write that finds the database at rest begins at once.

    Args:
        write: Writes memories; blocking. What it raises, everybody in the group gets.
        apart_s: Least time from the beginning of one write to the beginning of the next.
    """

    def __init__(self, write: Write, *, apart_s: float = 0.2) -> None:
        self._write = write
        self._apart_s = apart_s
        self._next_at = 0.0
        self._guard = threading.Lock()
        self._waiting: list[tuple[Sequence[MemoryRecord], Future[None]]] = []
        self._busy = False

    async def add(self, records: Sequence[MemoryRecord]) -> int:
        """Write memories with whatever else is waiting; when this returns they are written.

        Returns:
            Number of different memories among `records`.
        """
        written: Future[None] = Future()
        with self._guard:
            self._waiting.append((records, written))
            leads, self._busy = not self._busy, True
        if leads:
            # Not awaited: the group goes on for others after this one is written.
            asyncio.get_running_loop().run_in_executor(None, self._drain)
        await asyncio.wrap_future(written)
        return len({record.id for record in records})

    def _drain(self) -> None:
        while group := self._next():
            try:
                self._write([record for records, _ in group for record in records])
            except BaseException as error:  # noqa: BLE001 - raised where each write is awaited
                for _, written in group:
                    _settle(written, error)
            else:
                for _, written in group:
                    _settle(written, None)

    def _next(self) -> list[tuple[Sequence[MemoryRecord], Future[None]]]:
        if self._waiting:
            if (pause_s := self._next_at - time.monotonic()) > 0:
                time.sleep(pause_s)
            self._next_at = time.monotonic() + self._apart_s
        with self._guard:
            group, self._waiting = self._waiting, []
            self._busy = bool(group)
        return group


def _settle(written: Future[None], error: BaseException | None) -> None:
    """Tell whoever waits, unless it was cancelled meanwhile."""
    if not written.set_running_or_notify_cancel():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)
