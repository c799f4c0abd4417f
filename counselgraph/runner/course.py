"""One course played through its graph, with a log of its own beside those of its sessions, each a whole session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl

from counselgraph.errors import ModelError
from counselgraph.graphs.context import Context
from counselgraph.graphs.course import COURSE_ROLES, build_course, course_start
from counselgraph.graphs.course_state import CourseEnding, CourseStop, Played
from counselgraph.graphs.node import Casting
from counselgraph.graphs.state import Ending, SessionState, StopReason
from counselgraph.memory.record import MemoryRecord
from counselgraph.models.base import Usage
from counselgraph.models.events import collecting
from counselgraph.runner.job import Job
from counselgraph.runner.log import Event, SessionLog, SessionRecord, last_event, read_session
from counselgraph.safety.levels import Finding, Risk
from counselgraph.transcript import CLIENT, turn

PlayJob = Callable[[Job], Awaitable[StopReason | None]]


async def play_course(
    job: Job,
    log: SessionLog,
    *,
    header: Event,
    cast: Casting,
    play: PlayJob,
    log_of: Callable[[str], Path],
    within: AbstractAsyncContextManager[None],
    control: RunControl | None = None,
) -> CourseEnding | None:
    """Play a course from its start to its end; sessions that have ended already are read back from their logs.

    Args:
        job: What to play.
        log: Open log of the course.
        header: Its header event.
        cast: Gives the course's own roles their models.
        play: Plays one session whose context is given; gives its stop, None if it was drained.
        log_of: Session id to its log.
        within: Kept open while the course is played: the journal of its own calls.
        control: Lets somebody ask for a drain.

    Returns:
        How it ended; None if it was drained, which leaves a log without `end` for resume to write anew.
    """
    log.write(header)
    record = _CourseRecorder(log)

    async def session(context: Context, _given: SessionState) -> Played:
        log.exchange = context.number or 0
        if await play(Job(job.persona, context)) is None:
            raise GraphDrained("The run is being drained.")
        return played_from_log(read_session(log_of(context.session)), context.client_id)

    graph: CompiledStateGraph[Any, Context, Any, Any] = build_course(cast=cast, play=session).compile()
    try:
        async with within:
            await _step(graph, job, record, control)
    except GraphDrained:
        return None
    except asyncio.CancelledError:
        record.close(CourseEnding(stop=CourseStop.FAILED, by="run", reason="The run was cancelled from outside."))
        raise
    except Exception as error:  # noqa: BLE001 - one course's failure is recorded and must not end the run
        return record.fail(error)
    return record.close(record.ending)


async def _step(
    graph: CompiledStateGraph[Any, Context, Any, Any], job: Job, record: _CourseRecorder, control: RunControl | None
) -> None:
    config: RunnableConfig = {"configurable": {"thread_id": job.id}}
    start = course_start(job.persona)
    stream = graph.astream(start, config, context=job.context, stream_mode="updates", control=control)
    with collecting(record.write):
        async for update in stream:
            record.take(cast("Mapping[str, Any]", update))


def played_from_log(record: SessionRecord, client_id: str) -> Played:
    """What the log of an ended session says of it, as the course goes on from it."""
    end = record.end
    assert end is not None, "only ended sessions are read back"
    id_ = record.id
    said = [turn(one["role"], one["text"], exchange=one["exchange"], session=id_) for one in record.turns]
    plans = record.of("plan")
    return Played(
        messages=said,
        exchange=max((one["exchange"] for one in record.turns), default=0),
        technique=plans[-1]["technique"] if plans else None,
        risk=_risk(record),
        notes=tuple(_notes(record, client_id)),
        kept={event["channel"]: event["value"] for event in record.of("note") if event["role"] == CLIENT},
        ending=Ending(stop=StopReason(end["stop"]), by=end["by"], reason=end["reason"]),
    )


def _risk(record: SessionRecord) -> Risk:
    of_client = [event for event in record.of("risk") if event["side"] == "client"]
    if not of_client:
        return Risk()
    last = of_client[-1]
    findings = tuple(Finding.model_validate(found) for found in last["findings"])
    return Risk(level=last["level"], turn_level=last["turn_level"], findings=findings, reason=last["reason"])


def _notes(record: SessionRecord, client_id: str) -> Iterator[MemoryRecord]:
    header = record.header
    for event in record.of("memory"):
        if event["action"] == "remember":
            for kept in event["records"]:
                place = {"session": f"{header['run']}/{record.id}", "session_number": header["course"]["number"]}
                whose = {"owner": event["role"], "client_id": client_id, "day": header["course"]["day"]}
                told = {key: value for key, value in kept.items() if key != "id"}
                yield MemoryRecord.model_validate({**whose, **place, **told})


def is_course_settled(file: Path) -> bool:
    """Whether resume leaves a course as it is: it has ended, and not by an outage, which is no result."""
    event = last_event(file)
    return event is not None and event.get("event") == "end" and not event.get("outage")


class _CourseRecorder:
    """Turns what a course graph streams into the course's log, and sums up what its own roles cost."""

    def __init__(self, log: SessionLog) -> None:
        self.ending = CourseEnding(stop=CourseStop.FAILED, by="run", reason="The course stopped without an ending.")
        self._log = log
        self._started = time.perf_counter()
        self._usage: dict[str, Usage] = {}
        self._outage = False
        self._counts = {"sessions": 0, "reviews": 0, "switches": 0, "repairs": 0, "retries": 0, "journaled": 0}

    def take(self, updates: Mapping[str, Any]) -> None:
        """Record one item of `graph.astream(..., stream_mode="updates")`."""
        for node, update in updates.items():
            for event in _events(node, update or {}):
                self.write(event)
            self.ending = (update or {}).get("ending") or self.ending

    def write(self, event: Mapping[str, Any]) -> None:
        """Record one event."""
        match event["event"]:
            case "session":
                self._counts["sessions"] += 1
                self._outage = event["stop"] in {StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED}
            case "review":
                self._counts["reviews"] += 1
                self._counts["switches"] += event["decision"] == "change"
            case "repair":
                self._counts["repairs"] += 1
            case "retry":
                self._counts["retries"] += 1
            case "model_call":
                key = f"{event['role']} {event['model']}"
                self._usage[key] = self._usage.get(key, Usage()) + Usage.model_validate(event["usage"])
                self._counts["journaled"] += event["journaled"]
        self._log.write(event)

    def close(self, ending: CourseEnding) -> CourseEnding:
        """Write the `end` event."""
        self.write(
            {
                "event": "end",
                "role": "run",
                "stop": ending.stop.value,
                "by": ending.by,
                "reason": ending.reason,
                "outage": self._outage,
                **self._counts,
                "usage": sum(self._usage.values(), Usage()).model_dump(),
                "usage_by": {key: used.model_dump() for key, used in sorted(self._usage.items())},
                "seconds": round(time.perf_counter() - self._started, 3),
            }
        )
        return ending

    def fail(self, error: Exception) -> CourseEnding:
        """Write an `error` event and the `end` that follows from it; what is not the model's fault is an outage."""
        self._outage = not isinstance(error, ModelError)
        self.write({"event": "error", "role": "run", "type": type(error).__name__, "message": str(error)})
        return self.close(CourseEnding(stop=CourseStop.FAILED, by="run", reason=f"{type(error).__name__}: {error}"))


def _events(node: str, update: Mapping[str, Any]) -> Iterator[Event]:
    for channel, kind in {"outcomes": "session", "reviews": "review", "interludes": "interlude"}.items():
        for value in update.get(channel, ()):
            yield {"event": kind, "node": node, "role": _ROLES[kind], **_body(kind, value.model_dump(mode="json"))}


_ROLES = {"session": "run", "review": COURSE_ROLES["review"].name, "interlude": COURSE_ROLES["life"].name}


def _body(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    # `event` and `session` name every event's kind and log.
    if kind == "interlude":
        return {("happened" if key == "event" else key): item for key, item in value.items()}
    return {("id" if key == "session" else key): item for key, item in value.items()}
