"""What the rehearsal planner sees: its View, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AnyMessage

from counselgraph.models.base import Request
from counselgraph.models.rehearsal.agenda import spread
from counselgraph.models.rehearsal.recall import Recalled, last_session, worked_with
from counselgraph.models.rehearsal.story import Exchanged, exchanged
from counselgraph.models.rehearsal.words import plain
from counselgraph.protocols.plan import Plan, Position, position
from counselgraph.protocols.technique import TECHNIQUES, AnyTechnique, ApproachName
from counselgraph.transcript import CLIENT, said_since


@dataclass(frozen=True, slots=True)
class Sight:
    """What the planner sees.

    Attributes:
        reason: Why the client comes, as given at intake.
        said: The client's turns, oldest first.
        turns: The same, each with the step it answers.
        recalled: What is kept of the last session; None in a first one.
        worked: The techniques of the sessions that are remembered, oldest first.
        agenda: What the review of the last session asks for; "" outside a course.
        approach: The approach whose techniques may be chosen.
        plan: The plan in force.
        at: Where it stands; None without a plan.
        language: Language of the session.
        seed: Breaks ties.
    """

    reason: str
    said: tuple[str, ...]
    turns: tuple[Exchanged, ...]
    recalled: Recalled | None
    worked: tuple[AnyTechnique, ...]
    agenda: str
    approach: ApproachName
    plan: Plan | None
    at: Position | None
    language: str
    seed: int

    @property
    def answered(self) -> frozenset[str]:
        """Steps that got an answer with something in it."""
        return frozenset(turn.asked for turn in self.turns if turn.asked and turn.answers)

    @property
    def all(self) -> str:
        """Everything the client has said, the reason for coming first."""
        return "\n".join((self.reason, *self.said))


def look(request: Request) -> Sight:
    """Take from a planner's View what decides."""
    view = request.view
    messages: Sequence[AnyMessage] = view.get("messages", ())
    plan: Plan | None = view.get("plan")
    at = None
    if plan is not None:
        at = position(plan, said_since(messages, CLIENT, plan.made_at), plan.protocol, request.language)
    intake, memories = view.get("intake"), view.get("counselor_memories") or ()
    agenda = view.get("agenda") or ""
    turns, _own = exchanged(messages, request.language, later=bool(agenda))
    return Sight(
        reason=plain(intake.reason_for_counseling) if intake else "",
        said=tuple(plain(turn.said) for turn in turns),
        turns=turns,
        recalled=last_session(memories),
        worked=worked_with(memories),
        agenda=agenda,
        approach=approach_asked(request),
        plan=plan,
        at=at,
        language=request.language,
        seed=spread(request.seed, agenda),
    )


def approach_asked(request: Request) -> ApproachName:
    """The approach whose techniques the asked type lists; CBT where it lists those of all, or none is asked."""
    field = request.output.model_fields.get("technique") if request.output else None
    listed: object = field.annotation if field else None
    return next((name for name, own in TECHNIQUES.items() if own is listed), ApproachName.CBT)
