"""The batch: many sessions from one RunSpec, in one folder, through a bounded pool of workers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counselgraph.errors import ConfigError, InputError
from counselgraph.graphs.seats import seats_for
from counselgraph.graphs.session import build_session
from counselgraph.graphs.state import StopReason
from counselgraph.memory.embed import load_embedder
from counselgraph.memory.store import MemoryStore
from counselgraph.models.load import Models
from counselgraph.personas.load import load_personas
from counselgraph.runner.cast import JournaledCast
from counselgraph.runner.drain import Controls
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import HUMAN, Job, header_of, is_rehearsed, jobs_for, models_named, notices_for
from counselgraph.runner.log import Event, SessionLog, is_settled
from counselgraph.runner.play import SessionGraph, play
from counselgraph.runner.report import FAILED, Summary, summarize
from counselgraph.runner.spec import RunSpec

OnProgress = Callable[["Progress"], None]
OnEvent = Callable[[Event], None]
OnNotice = Callable[[str], None]


@dataclass(slots=True)
class Progress:
    """Where a run stands; handed to `on_progress` after every session.

    Attributes:
        total: Sessions of the run.
        done: Sessions ended, those of an earlier start included.
        failed: Sessions that ended in an error.
        stops: Stop reason to number of sessions, this start only.
    """

    total: int
    done: int = 0
    failed: int = 0
    stops: dict[str, int] = field(default_factory=dict)

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
) -> RunResult:
    """Run all sessions of a spec, or the rest of them if its folder already holds a part.

    Everything that can be checked is checked before the first model call. A killed run is continued by calling this
    again: finished sessions stay as they are, unfinished ones and those that an outage ended are played again with
    their journal in front, which repeats at most the calls that were in flight.

    Args:
        spec: What to run.
        models: Where model names become models; by default made from the spec.
        on_progress: Called after every session.
        on_event: Called with every event of every session as it is logged.
        on_notice: Called before the first session with what a reader should know, such as a language that a part of
            the run does not speak.

    Raises:
        InputError: A persona, the spec or the folder cannot be used.
        ConfigError: A model or role cannot be used, or another process runs in the folder.
        InfrastructureError: A model server could not be reached, or the summary not be written.
    """
    personas = load_personas(spec.personas, format=spec.format, limit=spec.limit, skip_bad=spec.skip_bad)
    spec = spec.placed()
    if HUMAN in models_named(spec).values():
        raise ConfigError("A batch has no person to ask for the model `human`; use `counselgraph chat`.")
    async with models or models_of(spec) as known:
        await check_cast(spec, known)
        await asyncio.to_thread(check_memory, spec)
        folder, servers, rehearsed = RunFolder(spec.out), await servers_of(spec, known), is_rehearsed(spec)
        with folder.held():
            manifest = folder.prepare(spec, servers, rehearsed=rehearsed)
            jobs = [job for persona in personas.personas for job in jobs_for(persona, spec, manifest["run"])]
            todo = [job for job in jobs if not is_settled(folder.log(job.id))]
            give_notice(todo, spec, on_notice)
            progress = Progress(total=len(jobs), done=len(jobs) - len(todo))
            batch = _Batch(spec, folder, JournaledCast(known), rehearsed, progress, on_progress, on_event)
            await batch.play(todo)
            summary = summarize(folder.path)
    drained = batch.controls.draining
    return RunResult(out=folder.path, summary=summary, bad=personas.bad, drained=drained, unlogged=batch.unlogged)


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


def models_of(spec: RunSpec) -> Models:
    """The models a spec names, ready to be asked."""
    return Models(spec.base_url, max_calls=spec.max_calls, timeout_s=spec.timeout_s)


@dataclass(slots=True)
class _Batch:
    """One start of a run, from its first session to its last.

    Attributes:
        controls: Says whether a signal drained it.
        unlogged: Sessions whose logs could not be written, with the reason.
    """

    spec: RunSpec
    folder: RunFolder
    cast: JournaledCast
    rehearsed: bool
    progress: Progress
    on_progress: OnProgress | None
    on_event: OnEvent | None
    controls: Controls = field(default_factory=Controls)
    unlogged: dict[str, str] = field(default_factory=dict)

    async def play(self, todo: Sequence[Job]) -> None:
        """Play sessions with `spec.concurrency` workers until all have ended or a signal drains the run."""
        waiting = iter(todo)
        async with _session_graph(self.spec, self.folder, self.cast) as graph:
            with self.controls.on_signals():
                async with asyncio.TaskGroup() as pool:
                    for _ in range(min(self.spec.concurrency, len(todo))):
                        pool.create_task(self._work(graph, waiting))

    async def _work(self, graph: SessionGraph, waiting: Iterator[Job]) -> None:
        for job in waiting:
            if self.controls.draining:
                return
            stop = await self._session(job, graph)
            if stop is not None and self.on_progress is not None:
                self.on_progress(self.progress.counted(stop))

    async def _session(self, job: Job, graph: SessionGraph) -> StopReason | None:
        header = header_of(job, self.spec, rehearsed=self.rehearsed)
        journal = self.cast.session(job.id, self.folder.journal(job.id))
        try:
            with (
                self.controls.one() as control,
                SessionLog(self.folder.log(job.id), self.folder.texts, on_event=self.on_event) as log,
            ):
                ending = await play(job, graph, log, header=header, control=control, within=journal)
        except OSError as error:  # the log cannot be written, so it cannot say what went wrong
            self.unlogged[job.id] = f"{type(error).__name__}: {error}"
            return StopReason.INFRASTRUCTURE_ERROR
        return None if ending is None else ending.stop


@asynccontextmanager
async def _session_graph(spec: RunSpec, folder: RunFolder, cast: JournaledCast) -> AsyncIterator[SessionGraph]:
    """The compiled graph of a run, with its memory open; the journal stands in for checkpoints."""
    memory = await asyncio.to_thread(open_memory, spec, folder)
    with memory or contextlib.nullcontext():
        yield build_session(roles=spec.roles, cast=cast, memory=memory).compile()


def check_memory(spec: RunSpec) -> None:
    """Make sure that a store outside the run folder can be opened, before anything is written. Blocking.

    Raises:
        CounselgraphError: The store or its embedder cannot be used.
    """
    if spec.memory not in {"run", "none"}:
        with MemoryStore.open(spec.memory, embedder=load_embedder(spec.embedder)):
            return
    load_embedder(spec.embedder)


def open_memory(spec: RunSpec, folder: RunFolder) -> MemoryStore | None:
    """The store a spec names, opened; None for `memory: none`. Blocking."""
    if spec.memory == "none":
        return None
    place = folder.memory if spec.memory == "run" else Path(spec.memory)
    return MemoryStore.open(place, embedder=load_embedder(spec.embedder))


async def check_cast(spec: RunSpec, models: Models) -> None:
    """Make sure that every role of a spec is known and has a model to play it, before anything is written.

    Raises:
        ConfigError: A role or a model cannot be used.
        InputError: A script cannot be read, or has no lines for its role.
    """
    playing = {role.name for role in seats_for(spec.roles).all}
    if unknown := sorted(set(spec.models) - playing):
        known = ", ".join(sorted(playing))
        raise ConfigError(f"`models` names {', '.join(unknown)}, which nobody plays here. Roles of this run: {known}.")
    for role in sorted(playing):
        await models.aget(spec.models.get(role, spec.model), role=role)


async def servers_of(spec: RunSpec, models: Models) -> dict[str, Any]:
    """What each model server says of itself."""
    names = sorted(set(models_named(spec).values()))
    return {name: await models.describe(name) for name in names if name.startswith(("openai/", "vllm/"))}
