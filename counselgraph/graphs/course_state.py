"""The state of a course: several sessions of one client, each with a review and the time after it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from counselgraph.graphs.state import Ending, StopReason, add_usage
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Usage
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Intake, Persona
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Risk
from counselgraph.transcript import CLIENT


class CourseStop(StrEnum):
    """Why a course ended."""

    CRISIS = "crisis"
    DROPPED_OUT = "dropped_out"
    FINISHED = "finished"
    COMPLETED = "completed"
    FAILED = "failed"


class CourseEnding(BaseModel):
    """How a course ended.

    Attributes:
        stop: The reason, out of a closed list.
        by: Who decided it: "monitor", "client", "review" or "run".
        reason: The decision in one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop: CourseStop
    by: str
    reason: str


class Outcome(BaseModel):
    """What a session of a course came to.

    Attributes:
        number: 1 for the first.
        session: Session id.
        day: Day of the course, 0 for the first session.
        approach: Approach followed.
        technique: Technique of its last plan, None without a plan.
        exchanges: Exchanges played.
        stop: How it ended.
        reason: The same in one sentence.
        risk: The client's standing level at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    session: str
    day: int
    approach: ApproachName
    technique: str | None
    exchanges: int
    stop: StopReason
    reason: str
    risk: int


class Played(BaseModel):
    """A session that has been played, as far as the course goes on from it.

    Attributes:
        messages: Its transcript.
        exchange: Its last exchange.
        technique: Technique of its last plan.
        risk: The client's standing risk at its end.
        notes: Memories made in it.
        kept: Private channels of the client's role at its end, as JSON.
        ending: How it ended.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    messages: list[AnyMessage]
    exchange: int
    technique: str | None = None
    risk: Risk = Risk()
    notes: tuple[MemoryRecord, ...] = ()
    kept: dict[str, Any] = Field(default_factory=dict)
    ending: Ending

    @property
    def task(self) -> str:
        """The task agreed on, as the client was told it; "" if none was."""
        told = [note for note in self.notes if note.owner == CLIENT and note.kind is Kind.HOMEWORK]
        return told[-1].text if told else ""


def played_from(state: Mapping[str, Any], kept: Mapping[str, Any]) -> Played:
    """What the final state of a session graph, and what its client kept to itself, say of the session."""
    plan = state.get("plan")
    return Played(
        messages=state["messages"],
        exchange=state["exchange"],
        technique=None if plan is None else str(plan.technique),
        risk=state.get("risk") or Risk(),
        notes=tuple(state.get("notes", ())),
        kept=dict(kept),
        ending=state["ending"],
    )


class CourseState(TypedDict, total=False):
    """Channels of a course.

    Attributes:
        persona: The client's side of the persona.
        intake: What the counselor was told.
        number: Session to be played, or just played; 1 for the first.
        day: Day of that session; 0 for the first.
        approach: Approach in force.
        agenda: What the next session should take up first; "" before the first.
        messages: Transcript of the session just played.
        risk: The client's standing risk at its end.
        task: The task agreed on in it; "" if none was.
        client_memories: What the client keeps of it.
        counselor_memories: What the counselor keeps of it.
        client_state: Private channels of the client's role at its end, as JSON.
        outcomes: Every session so far.
        reviews: Every review so far.
        interludes: The time after every session so far.
        usage: Calls and tokens of the course's own roles; sessions count their own.
        ending: How the course ended.
    """

    persona: Persona
    intake: Intake
    number: int
    day: int
    approach: ApproachName
    agenda: str
    messages: list[AnyMessage]
    risk: Risk
    task: str
    client_memories: list[MemoryRecord]
    counselor_memories: list[MemoryRecord]
    client_state: dict[str, Any]
    outcomes: Annotated[list[Outcome], operator.add]
    reviews: Annotated[list[Review], operator.add]
    interludes: Annotated[list[Interlude], operator.add]
    usage: Annotated[Usage, add_usage]
    ending: CourseEnding | None
