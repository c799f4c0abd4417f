"""The gate of a server: how many calls may be in flight, and which of those that wait goes next."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from counselgraph.models.base import Request

Rank = tuple[int, int]
"""Place of a call among those that wait; the lowest goes first, of equals the one that came first."""

FIRST: Rank = (0, 0)


def rank_of(request: Request) -> Rank:
    """The rank of a call: the session that has come least far first, and what is said before what is noted beside it.

    With as many sessions as places, all of them ask the planner in the same exchange and want twice the places. Served
    as they come, half of the sessions would get ahead, and leave their places empty at the end.
    """
    return (request.exchange, int(request.output is not None))


class Gate:
    """Limits calls in flight; a semaphore whose queue is in order of rank.

    Args:
        places: Calls in flight, at least 1.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._arrivals = count()

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self._free

    async def acquire(self, rank: Rank = FIRST) -> None:
        """Take a place, as soon as there is one and nobody with a lower rank waits."""
        if self._free:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._arrivals), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # cancelled after the place was given, before it was taken
                self.release()
            raise

    def release(self) -> None:
        """Give the place back, which goes to whoever is next."""
        while self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
