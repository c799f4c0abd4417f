"""The executor of a run with several workers, whether these are processes or Ray actors."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.base import Report
from counselgraph.runner.executors.crew import Crew, Tell, Worker
from counselgraph.runner.executors.performer import Setup
from counselgraph.runner.executors.plan import shares
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import Job
from counselgraph.runner.resources import shared_memory
from counselgraph.runner.spec import RunSpec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spread:
    """Plays sessions with several workers of one kind.

    Attributes:
        spec: The run's; `spec.workers` is how many.
        rehearsed: Whether the run holds rehearsal material.
        models: Models given as objects, pickled; None for those that the spec names.
        start: Starts a worker.
        place: Where workers are; entered before the first starts and left after the last has ended. Blocking.
    """

    spec: RunSpec
    rehearsed: bool
    models: bytes | None
    start: Callable[[Setup, Tell], Worker]
    place: AbstractContextManager[None] = field(default_factory=nullcontext)

    async def play(self, jobs: Sequence[Job], report: Report, controls: Controls) -> None:
        """See `Executor.play`."""
        if not jobs:
            return
        folder = RunFolder(self.spec.out.absolute())
        async with in_thread(self.place), in_thread(shared_memory(self.spec, folder)) as spec:
            slots, calls = divided(spec, len(jobs))
            shared = spec.model_copy(update={"out": folder.path})
            setup = Setup(shared, self.rehearsed, report.event is not None, self.models)

            def hire(count: int, tell: Tell) -> Worker:
                return self.start(setup.with_shares(count, calls), tell)

            await Crew(jobs, hire, report).play(slots, controls)


def divided(spec: RunSpec, jobs: int) -> tuple[list[int], int]:
    """Sessions side by side for each worker, and calls in flight of any worker; no worker is without a share.

    A few sessions are divided, too: the worker that is ready first must not get them all.
    """
    sessions = min(spec.concurrency, jobs)
    count = min(spec.workers, sessions, spec.max_calls)
    return shares(sessions, count), shares(spec.max_calls, count)[-1]


@asynccontextmanager
async def in_thread(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """A context manager that blocks, off the event loop."""
    value = await asyncio.to_thread(manager.__enter__)
    try:
        yield value
    finally:
        await asyncio.to_thread(manager.__exit__, *sys.exc_info())
