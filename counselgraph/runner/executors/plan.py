"""Who plays what: sessions that wait, sessions that were given out, and what becomes of those of a dead worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from counselgraph.runner.job import Job

MOST_LOSSES = 3
"""Workers that may die over one session before it is taken for the cause."""

W = TypeVar("W")


def shares(total: int, workers: int) -> list[int]:
    """A number divided as evenly as whole numbers allow, at least 1 each."""
    most, rest = divmod(total, workers)
    return [max(1, most + (number < rest)) for number in range(workers)]


class Plan(Generic[W]):
    """Gives sessions out one by one, each to one worker at a time.

    A worker has no queue of its own: it gets as many sessions as it plays side by side, and another for each that has
    ended. So nobody idles while somebody else has sessions waiting, and a death concerns only sessions in flight.

    Args:
        jobs: Sessions in the order in which they are given out.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._waiting = deque(jobs)
        self._given: dict[str, tuple[W, Job]] = {}
        self._losses: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        """Sessions nobody plays yet."""
        return len(self._waiting)

    @property
    def given(self) -> int:
        """Sessions in flight."""
        return len(self._given)

    def give(self, worker: W) -> Job | None:
        """The next session for a worker, None if there is none left."""
        if not self._waiting:
            return None
        job = self._waiting.popleft()
        self._given[job.id] = (worker, job)
        return job

    def ended(self, session: str) -> None:
        """Note that a session has been played."""
        del self._given[session]

    def lost(self, worker: W) -> tuple[list[Job], list[Job]]:
        """Take back what a dead worker had.

        Returns:
            Sessions that wait again, before all others, and those given up because `MOST_LOSSES` workers died over
            them.
        """
        taken = [job for holder, job in self._given.values() if holder == worker]
        again: list[Job] = []
        given_up: list[Job] = []
        for job in taken:
            del self._given[job.id]
            self._losses[job.id] = self._losses.get(job.id, 0) + 1
            (again if self._losses[job.id] < MOST_LOSSES else given_up).append(job)
        self._waiting.extendleft(reversed(again))
        return again, given_up
