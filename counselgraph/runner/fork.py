"""Forks: a session continued from any exchange under a changed line, persona, role or model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counselgraph.errors import ConfigError, CounselgraphError, InputError
from counselgraph.graphs.context import Context
from counselgraph.graphs.state import StopReason
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.journal import read
from counselgraph.personas.load import load_personas
from counselgraph.personas.persona import Persona
from counselgraph.runner.batch import RunResult, run
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.fork_changes import changed_persona, changed_spec
from counselgraph.runner.fork_file import Fork, Line, Origin, Said, discard_fork, fork_of, write_fork
from counselgraph.runner.fork_start import forked_jobs, moment_of
from counselgraph.runner.job import HUMAN, Job, jobs_for, models_named
from counselgraph.runner.log import Event, SessionRecord, read_session
from counselgraph.runner.manifest import PERSONAS, personas_digest
from counselgraph.runner.resources import open_memory
from counselgraph.runner.spec import RunSpec
from counselgraph.transcript import CLIENT, COUNSELOR

_SEATS = (CLIENT, COUNSELOR)
_BROKEN_OFF = {StopReason.MODEL_ERROR, StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED}


async def fork(
    parent: str | Path,
    at: int,
    *,
    say: str | None = None,
    role: str = COUNSELOR,
    changes: Mapping[str, Any] | None = None,
    children: int = 1,
    out: str | Path | None = None,
    base_url: str | None = None,
    **options: Any,
) -> RunResult:
    """Continue a session from one of its exchanges; what was said before stays as it was.

    The sessions that go on from there are an ordinary run in a folder of its own, which needs nothing of the parent's
    any more. The parent is not touched. To continue a fork that was killed, resume its folder or call this again with
    the same arguments and `out`.

    Args:
        parent: The session, as DIR/SESSION or as the path of its log. It need not have ended.
        at: The exchange after which the fork goes on, 0 for the counselor's opening. Without any change, and with
            models that answer the same question in the same way, it comes out as the parent did.
        say: What is said in the place of the last turn before the fork: the counselor's turn of exchange `at`, or
            with `role="client"` the client's, which the counselor then answers. It is screened like any other turn.
        role: Whose turn `say` replaces, "counselor" or "client".
        changes: What is different from the fork on, by dotted name: `persona.attitude`, `persona.risk.level`, or a
            field of the RunSpec such as `model`, `models.client`, `params.temperature`, `roles`, `max_exchanges` and
            `seed`.
        children: Number of sessions that go on; the first has the parent's seed, unless `seed` is changed, and each
            other one a seed of its own that follows from it.
        out: The folder of the new run; by default a new one in `runs/`, named after session and exchange.
        base_url: Where the model server is, if not where the parent found it.
        **options: As for `run`.

    Raises:
        InputError: There is no such session, exchange or field, a value does not fit, or the parent cannot be played
            again up to the fork. Nothing was asked of any model and nothing written.
        ConfigError: A role or model cannot be used.
        InfrastructureError: A model server could not be reached.
    """
    record = _session(Path(parent))
    line = _line(say, role)
    forked, spec = await asyncio.to_thread(_prepared, record, at, line, dict(changes or {}))
    folder = Path(out) if out is not None else _new_folder(forked)
    chosen = {"replicates": children, "out": folder, "base_url": base_url or spec.base_url}
    spec = RunSpec.of({**spec.dump(), **chosen})
    if HUMAN in models_named(spec).values():
        raise ConfigError("A fork has no person to ask for the model `human`; give that role another one.")
    await moment_of(forked)
    named = await asyncio.to_thread(write_fork, forked, folder)
    try:
        return await run(spec.model_copy(update={"personas": named}), **options)
    except CounselgraphError:
        await asyncio.to_thread(discard_fork, folder)
        raise


def fork_sync(parent: str | Path, at: int, **options: Any) -> RunResult:
    """`fork` for code that is not async."""
    return asyncio.run(fork(parent, at, **options))


def _line(say: str | None, role: str) -> Line | None:
    if role not in _SEATS:
        raise InputError(
            f"{role!r} is no seat whose turn could be replaced.", field="as", fix="use counselor or client"
        )
    if say is None:
        return None
    if not say.strip():
        raise InputError("is empty.", field="say", fix="give the words, or leave it out to replace nothing")
    return Line.model_validate({"role": role, "text": say.strip()})


def _prepared(record: SessionRecord, at: int, line: Line | None, changes: dict[str, Any]) -> tuple[Fork, RunSpec]:
    """Read everything of the parent, and change what is to be changed. Blocking."""
    before = _turns_before(record, at, line)
    folder = RunFolder(record.file.parent.parent)
    manifest, spec = folder.read(), folder.resumed()
    job = _job_of(record, spec, manifest)
    origin = Origin(
        persona=job.persona,
        context=job.context,
        roles=spec.roles,
        recalled=_recalled(record, job, spec, folder),
        answers=tuple(entry for entry in read(folder.journal(record.id)) if entry.exchange <= at),
        unusable=_unusable(record, at),
        fork=job.fork,
    )
    while origin.fork is not None and origin.fork.precedes(at, line):
        origin = origin.fork.origin
    forked = Fork(
        run=record.header["run"],
        session=record.id,
        at=at,
        line=line,
        changes=changes,
        persona=changed_persona(job.persona, changes),
        rehearsed=bool(record.header.get("rehearsal")),
        turns=tuple(Said(role=turn["role"], exchange=turn["exchange"], text=turn["text"]) for turn in before),
        origin=origin,
    )
    # Its memories are about a session that was never held: they stay out of a store that others go on with.
    changed = {"memory": spec.memory if spec.memory == "none" else "run", "seed": job.context.seed, **changes}
    return forked, _checked(changed_spec(spec, changed), at)


def _unusable(record: SessionRecord, at: int) -> tuple[tuple[str, int], ...]:
    """Whose answers could not be used, and in which exchanges; sorted, so that a fork is written alike each time."""
    events = (event for event in record.of("repair", "error") if "role" in event and event["exchange"] <= at)
    return tuple(sorted({(event["role"], event["exchange"]) for event in events}))


def _checked(spec: RunSpec, at: int) -> RunSpec:
    if spec.max_exchanges < at:
        fix = f"give at least {at}, or fork at an earlier exchange"
        raise InputError(f"is below the exchange of the fork, {at}.", field="max_exchanges", fix=fix)
    return spec


def _session(path: Path) -> SessionRecord:
    inside = path.parent / "sessions" / f"{path.name.removesuffix('.jsonl')}.jsonl"
    file = inside if inside.is_file() else path
    if file.is_file():
        return read_session(file)
    folder = path if path.is_dir() else path.parent
    there = ", ".join(sorted(log.stem for log in (folder / "sessions").glob("*.jsonl")))
    fix = f"give DIR/SESSION, with one of: {there}" if there else "give DIR/SESSION, DIR being a run folder"
    raise InputError("is no session.", file=str(path), fix=fix)


def _turns_before(record: SessionRecord, at: int, line: Line | None) -> list[Event]:
    """The parent's turns up to the fork.

    Raises:
        InputError: The exchange has not been played, or nothing can be said in the place of its turn.
    """
    last = _last_whole(record)
    first = min((turn["exchange"] for turn in record.turns), default=0)
    replaced = None if line is None else next((turn for turn in record.turns if _is_at(turn, line.role, at)), None)
    if replaced is None and not first <= at <= last:
        there = f"exchanges {first} to {last}" if last >= first else "no whole exchange"
        fix = f"fork at {first} to {last}" if last >= first else "resume its run first"
        raise InputError(f"has {there}, and no exchange {at} to go on from.", file=record.id, field="at", fix=fix)
    if line is None:
        return [turn for turn in record.turns if turn["exchange"] <= at]
    if replaced is None:
        raise InputError(
            f"says nothing in exchange {at} that could be replaced.", field=line.role, fix="fork at another exchange"
        )
    if replaced["kind"] == "crisis":
        fix = "replace the client's turn, or fork at an earlier exchange"
        raise InputError(f"The crisis protocol spoke in exchange {at}, and nobody speaks in its place.", fix=fix)
    return record.turns[: record.turns.index(replaced)]


def _is_at(turn: Event, role: str, at: int) -> bool:
    return bool(turn["role"] == role and turn["exchange"] == at)


def _last_whole(record: SessionRecord) -> int:
    """The last exchange that was played to its end, -1 if there is none."""
    answered = max((turn["exchange"] for turn in record.turns if turn["role"] == COUNSELOR), default=-1)
    if record.end is None or record.end["stop"] in _BROKEN_OFF:
        return answered
    return max((turn["exchange"] for turn in record.turns), default=-1)


def _job_of(record: SessionRecord, spec: RunSpec, manifest: Mapping[str, Any]) -> Job:
    """The parent as the job that it was."""
    run_id, forked = manifest["run"], fork_of(spec)
    if forked is not None:
        jobs = list(forked_jobs(forked, forked.persona, spec, run_id))
    else:
        jobs = [_placed(job, record) for job in jobs_for(_persona(record, spec, manifest), spec, run_id)]
    found = next((job for job in jobs if job.id == record.id), None)
    if found is None:
        fix = "give a session of the run as `run.yaml` has it now"
        raise InputError(f"Session {record.id} is none of the sessions of its run.", file=str(record.file), fix=fix)
    return found


def _placed(job: Job, record: SessionRecord) -> Job:
    """A session's own job, also out of the course it is a part of."""
    course = record.header.get("course")
    if course is None or course["id"] != job.id:
        return job
    place = {key: course[key] for key in ("number", "day", "agenda", "since", "protocol")}
    place["carried"] = course.get("carried", {})
    return Job(job.persona, Context.model_validate({**job.context.model_dump(), **place, "session": record.id}))


def _persona(record: SessionRecord, spec: RunSpec, manifest: Mapping[str, Any]) -> Persona:
    before = manifest.get(PERSONAS)
    if before is not None and before != personas_digest(spec.personas):
        fix = "put them back as they were"
        raise InputError("holds other personas than those the session was played with.", file=spec.personas, fix=fix)
    wanted = record.header["persona"]["id"]
    for persona in load_personas(spec.personas, format=spec.format, skip_bad=True).personas:
        if persona.id == wanted:
            return persona
    raise InputError(f"has no persona {wanted} any more.", file=spec.personas, fix="put it back")


def _recalled(record: SessionRecord, job: Job, spec: RunSpec, folder: RunFolder) -> dict[str, tuple[MemoryRecord, ...]]:
    """Owner to what it recalled when the session began: the log names it, and the store has it in full."""
    told = {
        event["role"]: event["records"]
        for event in record.of("memory")
        if event["action"] == "recall" and job.fork is None
    }
    if not told:
        return {}
    store = open_memory(spec, folder)
    assert store is not None  # something was recalled from it
    with store:
        return {
            owner: _kept(store.history(owner=owner, client_id=job.context.client_id), told[owner]) for owner in told
        }


def _kept(history: tuple[MemoryRecord, ...], told: list[Event]) -> tuple[MemoryRecord, ...]:
    by_id = {memory.id: memory for memory in history}
    # A valid portrait has one id for ever: which version it was is told by its words.
    versions = {memory.text: memory for memory in history if memory.kind is Kind.PORTRAIT}
    found = [
        versions.get(memory["text"]) if memory["kind"] == Kind.PORTRAIT else by_id.get(memory["id"]) for memory in told
    ]
    if missing := [each for each in found if each is None]:
        raise InputError(
            f"The memory store holds {len(missing)} of the memories no more that the session began with.",
            fix="put the store back, or fork a session that recalled nothing",
        )
    return tuple(memory for memory in found if memory is not None)


def _new_folder(forked: Fork) -> Path:
    name = Path("runs") / f"fork-{forked.session}-at{forked.at}"
    number = 1
    while (found := name if number == 1 else name.with_name(f"{name.name}-{number}")).exists():
        number += 1
    return found
