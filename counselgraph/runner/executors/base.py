"""What an executor is: it plays jobs, somewhere, and reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from counselgraph.graphs.course_state import CourseStop
from counselgraph.graphs.state import StopReason
from counselgraph.models.base import Usage
from counselgraph.runner.drain import Controls
from counselgraph.runner.job import Job
from counselgraph.runner.log import Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one session, or one course, came out.

    Attributes:
        session: Its id.
        stop: Why it ended; None if it was drained, and resume plays it on.
        unlogged: Why its log could not be written, if it could not.
    """

    session: str
    stop: StopReason | CourseStop | None
    unlogged: str | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """One more exchange, the opening left out, and what a session has spent since its last one.

    Attributes:
        exchanges: 1, or 0 if only calls are told.
        usage: Calls and tokens, without answers out of a journal.
    """

    exchanges: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Report:
    """Where an executor tells what happens, always from the event loop of the run.

    Attributes:
        ended: Called once for every session that was played.
        pulse: Called after every exchange.
        event: Called with every event that was logged, if anybody listens.
        notice: Called with what a person should know, such as the death of a worker.
    """

    ended: Callable[[Outcome], None]
    pulse: Callable[[Pulse], None] = lambda _pulse: None
    event: Callable[[Event], None] | None = None
    notice: Callable[[str], None] | None = None


class Executor(Protocol):
    """Plays the sessions of a run."""

    async def play(self, jobs: Sequence[Job], report: Report, controls: Controls) -> None:
        """Play every session, or those that are in flight to their next step once a drain is asked for.

        Args:
            jobs: What to play. Each has one player at a time, who alone writes its log and its journal.
            report: Where to tell.
            controls: Asks for the drain.

        Raises:
            CounselgraphError: The sessions cannot be played. What went wrong in one session is its outcome.
        """
        ...
