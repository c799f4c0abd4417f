"""What the counselor has to work with: the View, read once per turn."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import AnyMessage

from counselgraph.memory.record import MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.agenda import Agenda, heard_in
from counselgraph.models.rehearsal.frames import step_said
from counselgraph.models.rehearsal.hearing import asks_number, dark, feeling_in, rating_in, wordless
from counselgraph.models.rehearsal.lines import technique_steps
from counselgraph.models.rehearsal.recall import Recalled, last_session
from counselgraph.models.rehearsal.story import THOUGHTS, Exchanged, exchanged, met
from counselgraph.protocols.plan import Plan, Position, position
from counselgraph.protocols.protocol import Step
from counselgraph.safety.levels import Risk
from counselgraph.transcript import CLIENT, COUNSELOR, exchange_of, role_of, said_since, text_of

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Material:
    """What the counselor knows in this turn.

    Attributes:
        name: The client's first name.
        reason: Why the client comes, as given at intake.
        said: The client's turns, oldest first.
        own: The counselor's turns, oldest first.
        other: What someone else in the room has said in this exchange, if anyone did.
        memories: What the counselor keeps of earlier sessions.
        recalled: What it keeps of the last one; None in a first session.
        plan: The plan in force, if any.
        at: Where the plan stands; None without a plan.
        risk: The standing risk.
        stance: How the last turn meets the counselor (see `hearing.stance`); "tells" in a language not read.
        turns: The client's turns, each with the step it answers.
        asked: The step the counselor's last turn asked about; None if it was no step's question.
        answers: Step id to what the client answered, for steps that got an answer with something in it.
        rating: A number the client has just given, if one was asked for.
        feeling: A feeling named in the last turn, if any.
        language: Language of the session.
        locale: Country whose crisis resources are named.
        agenda: What the review of the session before asks for.
        in_course: Whether this is a later session of a course.
    """

    name: str
    reason: str
    said: tuple[str, ...]
    own: tuple[str, ...]
    other: str
    memories: tuple[MemoryRecord, ...]
    recalled: Recalled | None
    plan: Plan | None
    at: Position | None
    risk: Risk
    stance: str
    turns: tuple[Exchanged, ...]
    asked: str | None
    answers: Mapping[str, str]
    rating: int | None
    feeling: str | None
    language: str
    locale: str
    agenda: Agenda
    in_course: bool

    @property
    def last(self) -> str:
        """What the client said last; empty before the first client turn."""
        return self.said[-1] if self.said else ""

    @property
    def english(self) -> bool:
        """Whether the client's words can be read and turned around."""
        return self.language == ENGLISH

    @property
    def step(self) -> Step | None:
        """The step this turn is for; None without a plan or when all are done."""
        if self.plan is None or self.at is None or self.at.index >= len(self.plan.steps):
            return None
        return self.plan.steps[self.at.index]

    @property
    def worked(self) -> bool:
        """Whether the last turn answers a step of a technique."""
        return self.asked in technique_steps()

    @property
    def inward(self) -> bool:
        """Whether the last turn answers the question for a thought."""
        return self.asked in THOUGHTS

    @property
    def wordless(self) -> bool:
        """Whether it says that there was none to put into words."""
        return self.english and self.inward and wordless(self.last)

    @property
    def answers_now(self) -> bool:
        """Whether the last turn gives a number or a word on the summary, next to which nothing else has room."""
        return self.rating is not None or self.asked in {"summary", "homework"}

    @property
    def share(self) -> int | None:
        """A number that grows by one from session to session of a course, to spread wordings by; None elsewhere."""
        latest = max((memory.session_number for memory in self.memories), default=1)
        return latest + 1 + zlib.crc32(self.name.encode()) if self.in_course else None

    @property
    def again(self) -> bool:
        """Whether the step is tried a second time."""
        return self.at is not None and self.at.attempt > 0


def gather(request: Request) -> Material:
    """Read a counselor's View."""
    view, language = request.view, request.language
    messages: Sequence[AnyMessage] = view.get("messages", ())
    plan: Plan | None = view.get("plan")
    turns, own = exchanged(messages, language, later=bool(view.get("agenda")))
    said, memories = [turn.said for turn in turns], tuple(view.get("counselor_memories") or ())
    last, english = (said[-1] if said else ""), language == ENGLISH
    asked = bool(own) and asks_number(own[-1])
    return Material(
        name=view["intake"].name.split()[0],
        reason=view["intake"].reason_for_counseling,
        said=tuple(said),
        own=tuple(own),
        other=_other(messages),
        memories=memories,
        recalled=last_session(memories),
        plan=plan,
        at=None
        if plan is None
        else position(plan, said_since(messages, CLIENT, plan.made_at), plan.protocol, language),
        risk=view.get("risk") or Risk(),
        stance=met(last, language),
        turns=turns,
        asked=step_said(own[-1]) if own else None,
        answers={turn.asked: turn.said for turn in turns if turn.asked and turn.answers and not dark(turn.said)},
        rating=rating_in(last, asked=True) if asked else None,
        feeling=feeling_in(last) if english else None,
        language=language,
        locale=request.locale,
        agenda=heard_in(view.get("agenda") or ""),
        in_course=bool(view.get("agenda")),
    )


def _other(messages: Sequence[AnyMessage]) -> str:
    if not messages or role_of(messages[-1]) == COUNSELOR:
        return ""
    now = exchange_of(messages[-1])
    heard = [text_of(m) for m in messages if exchange_of(m) == now and role_of(m) not in {CLIENT, COUNSELOR}]
    return heard[-1] if heard else ""
