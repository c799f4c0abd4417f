"""Executors with several workers: what processes and Ray actors have in common, and the one with processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.base import Report
from counselgraph.runner.executors.crew import Crew, Tell, Worker
from counselgraph.runner.executors.performer import Setup
from counselgraph.runner.executors.plan import shares
from counselgraph.runner.executors.processes import ProcessWorker
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import Job
from counselgraph.runner.resources import shared_memory
from counselgraph.runner.spec import RunSpec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """Plays sessions in `spec.workers` processes of this machine.

    Attributes:
        spec: The run's.
        rehearsed: Whether the run holds rehearsal material.
        models: Models given as objects, pickled; None for those that the spec names.
    """

    spec: RunSpec
    rehearsed: bool
    models: bytes | None = None

    async def play(self, jobs: Sequence[Job], report: Report, controls: Controls) -> None:
        """See `Executor.play`."""
        setup = Setup(self.spec, self.rehearsed, report.event is not None, self.models)
        await play_spread(setup, ProcessWorker, nullcontext(), jobs, report, controls)


async def play_spread(
    setup: Setup,
    start: Callable[[Setup, Tell], Worker],
    place: AbstractContextManager[None],
    jobs: Sequence[Job],
    report: Report,
    controls: Controls,
) -> None:
    """Play sessions with workers of any kind.

    Args:
        setup: What each of them gets, but for its shares.
        start: Starts one.
        place: Where they are; entered before the first and left after the last. Blocking.
        jobs: What to play.
        report: Where to tell.
        controls: Asks for a drain.

    Raises:
        CounselgraphError: See `Executor.play`.
    """
    if not jobs:
        return
    folder = RunFolder(setup.spec.out.absolute())
    async with in_thread(place), in_thread(shared_memory(setup.spec, folder)) as spec:
        slots, calls = divided(spec, len(jobs))
        shared = replace(setup, spec=spec.model_copy(update={"out": folder.path}))

        def hire(count: int, tell: Tell) -> Worker:
            return start(shared.with_shares(count, calls), tell)

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
