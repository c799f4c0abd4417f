"""The batch: many sessions from one RunSpec, in one folder, through an executor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from counselgraph.errors import ConfigError, InfrastructureError, InputError
from counselgraph.graphs.state import StopReason
from counselgraph.models.base import Usage
from counselgraph.models.load import Models
from counselgraph.personas.load import Personas, load_personas
from counselgraph.personas.persona import Persona
from counselgraph.protocols.protocol import load_protocol
from counselgraph.runner.course import is_course_settled
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.base import Outcome, Pulse, Report
from counselgraph.runner.executors.load import executor_for
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.fork_file import fork_of
from counselgraph.runner.fork_start import forked_jobs
from counselgraph.runner.job import HUMAN, Job, is_rehearsed, jobs_for, models_named, notices_for, roles_playing
from counselgraph.runner.log import Event, is_settled
from counselgraph.runner.report import FAILED, Summary, summarize
from counselgraph.runner.resources import check_memory, models_of
from counselgraph.runner.spec import RunSpec
from counselgraph.safety.layers import load_layers

OnProgress = Callable[["Progress"], None]
OnEvent = Callable[[Event], None]
OnNotice = Callable[[str], None]


@dataclass(slots=True)
class Progress:
    """Where a run stands; handed to `on_progress` after every exchange and every session.

    Attributes:
        total: Sessions of the run.
        done: Sessions ended, those of an earlier start included.
        failed: Sessions that ended in an error.
        at_once: Most sessions in flight.
        stops: Stop reason to number of sessions, this start only.
        exchanges: Exchanges played, this start only.
        usage: Calls and tokens, this start only.
        started: When it started, on the clock of `time.monotonic`.
    """

    total: int
    done: int = 0
    failed: int = 0
    at_once: int = 1
    stops: dict[str, int] = field(default_factory=dict)
    exchanges: int = 0
    usage: Usage = field(default_factory=Usage)
    started: float = field(default_factory=time.monotonic)

    @property
    def running(self) -> int:
        """Sessions in flight."""
        return min(self.at_once, self.total - self.done)

    @property
    def exchanges_per_s(self) -> float:
        """Exchanges a second since the start."""
        return self.exchanges / max(time.monotonic() - self.started, 1e-9)

    @property
    def tokens_per_s(self) -> float:
        """Tokens written by models a second since the start; 0 if no model counts them."""
        return self.usage.completion_tokens / max(time.monotonic() - self.started, 1e-9)

    @property
    def reused(self) -> float | None:
        """Share of the prompt tokens that came out of servers' prefix caches; None if no server tells."""
        return self.usage.cached_tokens / self.usage.prompt_tokens if self.usage.cached_tokens else None

    @property
    def seconds_left(self) -> float | None:
        """A guess: sessions in flight are taken to be half done. None before the first exchange."""
        ended = sum(self.stops.values())
        begun = ended + self.running / 2
        if not self.exchanges or not begun:
            return None
        sessions_left = self.total - self.done - self.running / 2
        return sessions_left * self.exchanges / begun / self.exchanges_per_s

    def counted(self, stop: str) -> Progress:
        """Count one more session that has ended."""
        self.done += 1
        self.failed += stop in FAILED
        self.stops[stop] = self.stops.get(stop, 0) + 1
        return self


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to.

    Attributes:
        out: The run folder.
        summary: What `summary.json` holds.
        bad: Records left out with `skip_bad`, each with its reason.
        drained: True if the run was asked to stop before all sessions had ended.
        unlogged: Sessions whose logs could not be written, with the reason; resume plays them again.
    """

    out: Path
    summary: Summary
    bad: tuple[InputError, ...] = ()
    drained: bool = False
    unlogged: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> dict[str, str]:
        """Sessions that ended in an error, with the reason."""
        return {**self.summary.failed, **self.unlogged}


async def run(
    spec: RunSpec,
    *,
    models: Models | None = None,
    on_progress: OnProgress | None = None,
    on_event: OnEvent | None = None,
    on_notice: OnNotice | None = None,
    force: bool = False,
) -> RunResult:
    """Run all sessions of a spec, or the rest of them if its folder already holds a part.

    Everything that can be checked is checked before the first model call. A killed run is continued by calling this
    again: finished sessions stay as they are, unfinished ones and those that an outage ended are played again with
    their journal in front, which repeats at most the calls that were in flight.

    Args:
        spec: What to run.
        models: Where model names become models; by default made from the spec. With several workers each gets a copy,
            whose limit of calls in flight counts for that worker alone.
        on_progress: Called after every exchange and every session.
        on_event: Called with every event of every session as it is logged.
        on_notice: Called before the first session with what a reader should know, such as a language that a part of
            the run does not speak, and when a worker dies.
        force: Go on in a folder that holds a run with another spec; its finished sessions stay as they are.

    Raises:
        InputError: A persona, the spec or the folder cannot be used.
        ConfigError: A model or role cannot be used, or another process runs in the folder.
        InfrastructureError: A model server could not be reached, or the folder takes no more, such as on a full disk;
            `resume` goes on once it does.
    """
    people, spec = _people_of(spec), spec.placed()
    if HUMAN in models_named(spec).values():
        raise ConfigError("A batch has no person to ask for the model `human`; use `counselgraph chat`.")
    async with models or models_of(spec) as known:
        executor = executor_for(spec, known, given=models is not None, rehearsed=people.rehearsed)
        await check_cast(spec, known)
        await asyncio.to_thread(check_memory, spec)
        folder, servers = RunFolder(spec.out), await servers_of(spec, known)
        with folder.held():
            manifest = folder.prepare(spec, servers, rehearsed=people.rehearsed, force=force)
            jobs = [job for persona in people.found.personas for job in people.jobs_of(persona, spec, manifest["run"])]
            todo = [job for job in jobs if not _is_done(job, folder)]
            give_notice(todo, spec, on_notice)
            progress = Progress(total=len(jobs), done=len(jobs) - len(todo), at_once=spec.concurrency)
            controls = Controls()
            batch = _Batch(folder, controls, progress, on_progress)
            with controls.on_signals():
                await executor.play(todo, Report(batch.ended, batch.pulse, on_event, on_notice), controls)
            batch.check_room()
            summary = summarize(folder.path)
    drained = controls.draining
    return RunResult(out=folder.path, summary=summary, bad=people.found.bad, drained=drained, unlogged=batch.unlogged)


class _People(NamedTuple):
    """Whose sessions are played."""

    found: Personas
    jobs_of: Callable[[Persona, RunSpec, str], Iterator[Job]]
    rehearsed: bool


def _people_of(spec: RunSpec) -> _People:
    fork = fork_of(spec)
    if fork is not None:
        jobs_of = partial(forked_jobs, fork)
        return _People(Personas((fork.persona,)), jobs_of, fork.rehearsed or is_rehearsed(spec))
    found = load_personas(spec.personas, format=spec.format, limit=spec.limit, skip_bad=spec.skip_bad)
    return _People(found, jobs_for, is_rehearsed(spec))


def run_sync(spec: RunSpec, **options: Any) -> RunResult:
    """`run` for code that is not async."""
    return asyncio.run(run(spec, **options))


async def resume(out: str | Path, **options: Any) -> RunResult:
    """Continue the run in a folder, as it was specified.

    Raises:
        InputError: The folder holds no run.
        ConfigError: It holds a chat.
    """
    spec = RunFolder(Path(out)).resumed()
    if HUMAN in spec.models.values():
        raise ConfigError(f"{out} holds a chat, which needs its person; go on with `counselgraph resume {out}`.")
    return await run(spec, **options)


def give_notice(jobs: Sequence[Job], spec: RunSpec, on_notice: OnNotice | None) -> None:
    """Tell what a reader should know before the first of these sessions."""
    if on_notice is not None:
        for notice in notices_for(jobs, spec):
            on_notice(notice)


@dataclass(slots=True)
class _Batch:
    """One start of a run, as its sessions end.

    Attributes:
        blocked: Why nothing more can be written to the folder; the run stops, since answers that cannot be kept are not
            worth asking for.
        unlogged: Sessions whose logs could not be written, with the reason.
    """

    folder: RunFolder
    controls: Controls
    progress: Progress
    on_progress: OnProgress | None
    blocked: OSError | None = None
    unlogged: dict[str, str] = field(default_factory=dict)

    def ended(self, outcome: Outcome) -> None:
        """Count a session; one that was drained has not ended."""
        if outcome.unlogged is not None:
            self.unlogged[outcome.session] = outcome.unlogged
        if outcome.stop is StopReason.INFRASTRUCTURE_ERROR and self.blocked is None:
            self.blocked = self.folder.blocked(going_on=True)
            if self.blocked is not None:
                self.controls.drain()
        if outcome.stop is not None:
            self.progress.counted(outcome.stop)
            if self.on_progress is not None:
                self.on_progress(self.progress)

    def pulse(self, pulse: Pulse) -> None:
        """Count what a session has done since it was last heard of."""
        self.progress.exchanges += pulse.exchanges
        self.progress.usage += pulse.usage
        if self.on_progress is not None:
            self.on_progress(self.progress)

    def check_room(self) -> None:
        """Say so if the run was stopped because its folder takes no more."""
        if self.blocked is not None:
            raise InfrastructureError(
                f"{self.folder.path}: nothing more can be written ({self.blocked.strerror}). Fix: make room there and "
                f"make it writable, then go on with `counselgraph resume {self.folder.path}`."
            )


def _is_done(job: Job, folder: RunFolder) -> bool:
    return is_course_settled(folder.course(job.id)) if job.course else is_settled(folder.log(job.id))


async def check_cast(spec: RunSpec, models: Models) -> None:
    """Make sure that every role of a spec is known and has a model to play it, before anything is written.

    Raises:
        ConfigError: A role, a model, a screening layer or the protocol cannot be used.
        InputError: A script cannot be read, or has no lines for its role.
    """
    await asyncio.to_thread(load_layers, spec.layers)
    await asyncio.to_thread(load_protocol, spec.protocol)
    playing = roles_playing(spec)
    if unknown := sorted(set(spec.models) - playing):
        known = ", ".join(sorted(playing))
        raise ConfigError(f"`models` names {', '.join(unknown)}, which nobody plays here. Roles of this run: {known}.")
    for role in sorted(playing):
        await models.aget(spec.models.get(role, spec.model), role=role)


async def servers_of(spec: RunSpec, models: Models) -> dict[str, Any]:
    """What each model server says of itself."""
    names = sorted(set(models_named(spec).values()))
    return {name: await models.describe(name) for name in names if name.startswith(("openai/", "vllm/"))}
