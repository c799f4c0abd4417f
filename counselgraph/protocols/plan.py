"""The plan: what the planner decides, what the counselor works from, and where they are in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, create_model

from counselgraph.protocols.protocol import Protocol, Step, load_protocol
from counselgraph.protocols.technique import TECHNIQUES, AnyTechnique, ApproachName, Phase, Technique, approach_of

_WHICH = "The one technique that fits this client best now."


class Trigger(StrEnum):
    """Why the plan is looked at again."""

    START = "start"
    SCHEDULE = "schedule"
    RISK = "risk"
    STALLED = "stalled"
    NEW_BELIEF = "new_belief"
    STEPS_DONE = "steps_done"
    TIME = "time"


class Decision(BaseModel):
    """What a planner answers when asked, whatever the approach (see `decision_type`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    technique: AnyTechnique = Field(description=_WHICH)
    focus: str = Field(
        min_length=1, max_length=300, description="The thought or situation to work on, in the client's words."
    )
    hypothesis: str = Field(
        min_length=1, max_length=400, description="Your guess at the belief that keeps the problem going."
    )
    phase: Phase = Field(description="The phase the session should be in from the next counselor turn on.")
    reason: str = Field(
        min_length=1, max_length=400, description="Why this technique and phase, from what the client said."
    )


class PlanDecision(Decision):
    """What a planner answers when asked."""

    technique: Technique = Field(description=_WHICH)


@lru_cache(maxsize=16)
def decision_type(approach: str = ApproachName.CBT) -> type[Decision]:
    """The decision of a planner that may choose among the techniques of one approach only.

    Args:
        approach: Name of the approach; its closed list is the enum in the type's JSON schema.
    """
    if approach == ApproachName.CBT:
        return PlanDecision
    listed = TECHNIQUES[ApproachName(approach)]
    return create_model(
        PlanDecision.__name__,
        __base__=Decision,
        __doc__=PlanDecision.__doc__,
        technique=(listed, Field(description=_WHICH)),
    )


class Plan(BaseModel):
    """A plan in force, from one revision to the next.

    Attributes:
        steps: Steps from `made_at` on; the counselor's turn of that exchange does the first.
        made_at: Exchange in which this revision was made.
        revision: 1 for the first plan of a session.
        trigger: Why this revision was made.
        level: Standing risk level the revision was made under; a change of level calls for another.
        reason: The planner's words for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    technique: AnyTechnique
    focus: str
    hypothesis: str
    steps: tuple[Step, ...]
    made_at: int = Field(ge=0)
    revision: int = Field(ge=1)
    trigger: Trigger
    level: int = Field(default=0, ge=0, le=5)
    reason: str

    @property
    def approach(self) -> ApproachName:
        """The approach the technique belongs to."""
        return approach_of(self.technique)

    @property
    def protocol(self) -> Protocol:
        """The protocol the plan's steps come from."""
        return load_protocol(self.approach)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the counselor stands in a plan.

    Attributes:
        index: Index into `plan.steps`; equal to its length when every step is done.
        attempt: 0 the first time a step is worked, 1 the second.
        held: Consecutive answers that gave nothing to work with.
    """

    index: int
    attempt: int
    held: int


def assemble(
    decision: Decision,
    protocol: Protocol,
    *,
    previous: Plan | None,
    exchange: int,
    trigger: Trigger,
    level: int,
    close: bool,
) -> Plan:
    """Turn a decision into a plan with steps.

    Args:
        decision: The planner's answer.
        protocol: Where the steps of each phase and technique come from.
        previous: The plan in force until now.
        exchange: The exchange in which the decision falls.
        trigger: Why the planner was asked.
        level: The client's standing risk level at that moment.
        close: Whether closing steps follow the technique's; false when the session still has to go on after it.
    """
    return Plan(
        technique=decision.technique,
        focus=decision.focus,
        hypothesis=decision.hypothesis,
        steps=protocol.steps_from(decision.phase, decision.technique, close=close),
        made_at=exchange,
        revision=1 if previous is None else previous.revision + 1,
        trigger=trigger,
        level=level,
        reason=decision.reason,
    )


def position(plan: Plan, answers: Sequence[str], protocol: Protocol, language: str = "en") -> Position:
    """Where a plan stands after the client's answers since it was made.

    An answer that gives nothing to work with (see the protocol's cues) holds the step; after
    `protocol.patience` such answers in a row the plan moves on all the same.

    Args:
        plan: The plan in force.
        answers: Client turns of the exchanges after `plan.made_at`, oldest first.
        protocol: Source of the cues and the patience.
        language: Language of the answers; a language without cues never holds.
    """
    index = attempt = held = 0
    for answer in answers:
        holds = protocol.holds(answer, language)
        held = held + 1 if holds else 0
        if holds and attempt + 1 < protocol.patience:
            attempt += 1
        else:
            index, attempt = index + 1, 0
    return Position(min(index, len(plan.steps)), attempt, held)
