"""Where a course goes next, and when it stops: pure functions of state and context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from counselgraph.graphs.context import Context
from counselgraph.graphs.course_state import CourseEnding, CourseStop, Outcome
from counselgraph.graphs.state import StopReason
from counselgraph.personas.interlude import Interlude
from counselgraph.protocols.review import Review

State = Mapping[str, Any]

_ENDS_A_COURSE = frozenset({StopReason.CRISIS, StopReason.CANCELLED, StopReason.MODEL_ERROR})
LEAST_SESSIONS = 3
"""Sessions before a review may find that a course has done what it was for."""


def stopped(state: State) -> bool:
    """Whether the session just played ends the course with it."""
    last: Outcome = state["outcomes"][-1]
    return last.stop in _ENDS_A_COURSE or last.stop is StopReason.INFRASTRUCTURE_ERROR


def ending(state: State, context: Context) -> CourseEnding | None:
    """How the course ends now; None if it goes on.

    Tested in this order, the first that holds counts: a session that ended in crisis or failed, drop-out, the last
    session planned (completed), and a review that finds the work done (finished), from the third session on.
    """
    last: Outcome = state["outcomes"][-1]
    if last.stop is StopReason.CRISIS:
        return CourseEnding(stop=CourseStop.CRISIS, by="monitor", reason=last.reason)
    if stopped(state):
        return CourseEnding(stop=CourseStop.FAILED, by="run", reason=f"Session {last.number}: {last.reason}")
    return _left(state) or _done(state, context)


def next_session(state: State, update: State) -> dict[str, Any]:
    """What a review or an interlude changes about the session to come: agenda and approach, or its number and day."""
    if reviews := update.get("reviews"):
        made: Review = reviews[-1]
        return {"agenda": made.agenda, "approach": made.approach}
    passed: Interlude = update["interludes"][-1]
    if passed.leaves:
        return {}
    return {"number": state["number"] + 1, "day": state["day"] + passed.days}


def _left(state: State) -> CourseEnding | None:
    passed: list[Interlude] = state.get("interludes", [])
    if not passed or not passed[-1].leaves:
        return None
    return CourseEnding(stop=CourseStop.DROPPED_OUT, by="client", reason=passed[-1].reason)


def _done(state: State, context: Context) -> CourseEnding | None:
    if state["number"] >= context.sessions:
        return CourseEnding(
            stop=CourseStop.COMPLETED, by="run", reason=f"All {context.sessions} sessions planned were held."
        )
    reviews: list[Review] = state.get("reviews", [])
    if reviews and reviews[-1].finished and state["number"] >= LEAST_SESSIONS:
        return CourseEnding(stop=CourseStop.FINISHED, by="review", reason=reviews[-1].reason)
    return None
