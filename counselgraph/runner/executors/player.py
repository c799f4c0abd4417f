"""Playing sessions in this process: the part that every executor shares."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from counselgraph.errors import InfrastructureError
from counselgraph.garbage import rarely_collected
from counselgraph.graphs.session import build_session
from counselgraph.graphs.state import StopReason
from counselgraph.memory.lock import hold_file
from counselgraph.models.base import Usage
from counselgraph.models.load import Models
from counselgraph.runner.cast import JournaledCast
from counselgraph.runner.course import play_course
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.base import Outcome, Pulse
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import Job, header_of
from counselgraph.runner.log import Event, SessionLog, is_settled
from counselgraph.runner.play import SessionGraph, play
from counselgraph.runner.resources import open_memory
from counselgraph.runner.spec import RunSpec
from counselgraph.runner.turnstile import Turnstile
from counselgraph.transcript import COUNSELOR

OnPulse = Callable[[Pulse], None]
OnEvent = Callable[[Event], None]

_LEFTOVER_S = 20.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Player:
    """Plays sessions of one run, any number side by side; made by `playing`."""

    spec: RunSpec
    folder: RunFolder
    rehearsed: bool
    controls: Controls
    cast: JournaledCast
    turnstile: Turnstile
    graph: SessionGraph

    async def play(self, job: Job, on_pulse: OnPulse, on_event: OnEvent | None = None) -> Outcome:
        """Play one session, or one course; whatever goes wrong with it is its outcome."""
        if job.course:
            return await self._play_course(job, on_pulse, on_event)
        return await self._play_session(job, on_pulse, on_event)

    async def _play_session(self, job: Job, on_pulse: OnPulse, on_event: OnEvent | None) -> Outcome:
        meter = _Meter(on_pulse, on_event)
        journal = self.folder.journal(job.id)
        try:
            async with self.turnstile.session(job.id), _alone(journal):
                with (
                    self.controls.one() as control,
                    SessionLog(self.folder.log(job.id), self.folder.texts, on_event=meter.take) as log,
                ):
                    ending = await play(
                        job,
                        self.graph,
                        log,
                        header=header_of(job, self.spec, rehearsed=self.rehearsed),
                        control=control,
                        within=self.cast.session(job.id, journal),
                        on_ending=partial(self.turnstile.leave, job.id),
                    )
        except (OSError, InfrastructureError) as error:  # the log cannot be written, so it cannot say what went wrong
            return Outcome(job.id, StopReason.INFRASTRUCTURE_ERROR, f"{type(error).__name__}: {error}")
        return Outcome(job.id, None if ending is None else ending.stop)

    async def _play_course(self, job: Job, on_pulse: OnPulse, on_event: OnEvent | None) -> Outcome:
        journal = self.folder.journal(f"{job.id}-course")

        async def one(session: Job) -> StopReason | None:
            if is_settled(self.folder.log(session.id)):
                return StopReason.COMPLETED
            outcome = await self._play_session(session, on_pulse, on_event)
            if outcome.unlogged is not None:
                raise InfrastructureError(outcome.unlogged)
            return None if outcome.stop is None else StopReason(outcome.stop)

        try:
            self.folder.courses.mkdir(exist_ok=True)
            async with _alone(journal):
                with (
                    self.controls.one() as control,
                    SessionLog(self.folder.course(job.id), self.folder.texts, on_event=on_event) as log,
                ):
                    ending = await play_course(
                        job,
                        log,
                        header=header_of(job, self.spec, rehearsed=self.rehearsed),
                        cast=self.cast,
                        play=one,
                        log_of=self.folder.log,
                        within=self.cast.session(job.id, journal),
                        control=control,
                    )
        except (OSError, InfrastructureError) as error:
            return Outcome(job.id, StopReason.INFRASTRUCTURE_ERROR, f"{type(error).__name__}: {error}")
        return Outcome(job.id, None if ending is None else ending.stop)


@dataclass(slots=True)
class _Meter:
    """Sums up a session's events, exchange by exchange."""

    on_pulse: Callable[[Pulse], None]
    on_event: Callable[[Event], None] | None
    spent: Usage = field(default_factory=Usage)

    def take(self, event: Event) -> None:
        kind = event["event"]
        if kind == "model_call" and not event["journaled"]:
            self.spent += Usage.model_validate(event["usage"])
        elif event.get("inherited"):
            pass
        elif kind == "end" or (kind == "turn" and event["role"] == COUNSELOR):
            self.on_pulse(Pulse(int(kind == "turn" and event["exchange"] > 0), self.spent))
            self.spent = Usage()
        if self.on_event is not None:
            self.on_event(event)


@asynccontextmanager
async def playing(
    spec: RunSpec, folder: RunFolder, models: Models, controls: Controls, *, rehearsed: bool
) -> AsyncIterator[Player]:
    """A player with its graph and its memory open; the journals stand in for checkpoints.

    Raises:
        CounselgraphError: The memory cannot be opened, or a role is unknown.
    """
    turnstile = Turnstile()
    cast = JournaledCast(models, turnstile)
    memory = await asyncio.to_thread(open_memory, spec, folder)
    with memory or contextlib.nullcontext():
        graph = build_session(roles=spec.roles, cast=cast, memory=memory).compile()
        with rarely_collected():
            yield Player(spec, folder, rehearsed, controls, cast, turnstile, graph)


@asynccontextmanager
async def _alone(journal: Path) -> AsyncIterator[None]:
    """Be the one who plays a session.

    The folder's lock keeps a second run out, but workers of a killed run may live a moment longer than that run.
    """
    descriptor = await _held(journal)
    try:
        yield
    finally:
        os.close(descriptor)


async def _held(journal: Path) -> int:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LEFTOVER_S
    while True:
        try:
            return hold_file(journal)
        except BlockingIOError as error:
            if loop.time() >= deadline:
                raise InfrastructureError(f"{journal}: another process plays this session.") from error
        await asyncio.sleep(_PAUSE_S)
