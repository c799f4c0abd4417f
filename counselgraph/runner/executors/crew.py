"""The parent's side of a run with several workers: gives sessions out, takes what comes back, replaces the dead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.graphs.state import StopReason
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.base import Outcome, Pulse, Report
from counselgraph.runner.executors.plan import MOST_LOSSES, Plan
from counselgraph.runner.job import Job
from counselgraph.runner.log import Event

MOST_DEATHS = 3
"""Deaths per worker, with no session ended between them, after which the run gives up."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker can take sessions."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A worker cannot work, and another one could not either.

    Attributes:
        reason: What went wrong.
        config: Whether the user can mend it.
    """

    reason: str
    config: bool

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """What an error comes to."""
        known = isinstance(error, ConfigError)
        return cls(str(error) if known else f"{type(error).__name__}: {error}", config=known)


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is dead; what it had in flight has no writer any more.

    Attributes:
        reason: How it died.
    """

    reason: str


Message = Ready | Outcome | Pulse | Event | Failed | Lost


class Worker(Protocol):
    """One worker, as the parent sees it."""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def slots(self) -> int:
        """Sessions it plays side by side."""
        ...

    def give(self, job: Job) -> None:
        """Have it play a session."""
        ...

    def drain(self) -> None:
        """Have it stop every session after its current step."""
        ...

    async def dismiss(self, *, at_once: bool) -> None:
        """End it: when it has closed what it holds open, or at once."""
        ...


Tell = Callable[[Worker, Message], None]
"""How a worker's messages reach the crew; to be called on the event loop of the run."""
Hire = Callable[[int, Tell], Worker]
"""Starts a worker of so many slots."""


class Crew:
    """Plays sessions with several workers.

    Args:
        jobs: What to play.
        hire: Starts a worker.
        report: Where to tell.
    """

    def __init__(self, jobs: Sequence[Job], hire: Hire, report: Report) -> None:
        self._plan: Plan[Worker] = Plan(jobs)
        self._hire = hire
        self._report = report
        self._inbox: asyncio.Queue[tuple[Worker, Message] | None] = asyncio.Queue()
        self._workers: set[Worker] = set()
        self._dead: list[Worker] = []
        self._deaths = 0
        self._draining = False

    async def play(self, slots: Sequence[int], controls: Controls) -> None:
        """Play every session, or those in flight to their next step once a drain is asked for.

        Args:
            slots: Sessions side by side, for each worker.
            controls: Asks for the drain.

        Raises:
            ConfigError: No worker can be set up like this.
            InfrastructureError: Workers die faster than they play.
        """
        at_once = True
        try:
            with controls.told(self._drain):
                for count in slots:
                    self._workers.add(self._hire(count, self._tell))
                while self._goes_on():
                    item = await self._inbox.get()
                    if item is not None:
                        self._take(*item, most_deaths=MOST_DEATHS * len(slots))
            at_once = False
        finally:
            dead = [worker.dismiss(at_once=True) for worker in self._dead]  # to have them close what is left open
            await asyncio.gather(*(worker.dismiss(at_once=at_once) for worker in self._workers), *dead)

    def _goes_on(self) -> bool:
        return bool(self._plan.given or (self._plan.waiting and not self._draining))

    def _tell(self, worker: Worker, message: Message) -> None:
        self._inbox.put_nowait((worker, message))

    def _drain(self) -> None:
        self._draining = True
        for worker in self._workers:
            worker.drain()
        self._inbox.put_nowait(None)  # wakes `play`, which may wait for workers that have nothing to say

    def _take(self, worker: Worker, message: Message, *, most_deaths: int) -> None:
        match message:
            case Ready():
                for _ in range(worker.slots):
                    self._give(worker)
            case Outcome():
                self._deaths = 0
                self._plan.ended(message.session)
                self._report.ended(message)
                self._give(worker)
            case Pulse():
                self._report.pulse(message)
            case Failed(reason, config):
                raise (ConfigError if config else InfrastructureError)(f"A worker cannot play: {reason}")
            case Lost(reason):
                self._replace(worker, reason, most_deaths)
            case _ if self._report.event is not None:
                self._report.event(message)

    def _give(self, worker: Worker) -> None:
        job = None if self._draining else self._plan.give(worker)
        if job is not None:
            worker.give(job)

    def _replace(self, worker: Worker, reason: str, most_deaths: int) -> None:
        self._workers.discard(worker)
        self._dead.append(worker)
        self._deaths += 1
        again, given_up = self._plan.lost(worker)
        self._notice(f"{worker.name} {reason}; {len(again)} of its sessions go on with others from their journals.")
        for job in given_up:
            why = f"InfrastructureError: {MOST_LOSSES} workers died over this session; the last one {reason}."
            self._report.ended(Outcome(job.id, StopReason.INFRASTRUCTURE_ERROR, why))
            self._deaths = 0  # this session may have been the cause of them all
        if self._deaths >= most_deaths:
            raise InfrastructureError(
                f"{self._deaths} workers died in a row, the last one {reason}. Ended sessions are kept and resume goes "
                "on with the others. Fix: look at the memory of the machine; fewer `workers` or less `concurrency`."
            )
        if self._goes_on() and not self._draining:
            self._workers.add(self._hire(worker.slots, self._tell))

    def _notice(self, text: str) -> None:
        if self._report.notice is not None:
            self._report.notice(text)
