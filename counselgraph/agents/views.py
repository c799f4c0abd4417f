"""Who knows what: the Views of the built-in roles.

A View names the channels a role may read; LangGraph hands a node nothing else. Channels are documented in
`counselgraph.graphs.state`.
"""

from __future__ import annotations

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from counselgraph.memory.record import MemoryRecord
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Intake, Persona
from counselgraph.protocols.plan import Plan
from counselgraph.safety.levels import Rework, Risk, Verdict


class ClientView(TypedDict, total=False):
    """The client knows itself, what was said, what it remembers and what happened to it. No plan, no risk, no notes."""

    persona: Persona
    messages: list[AnyMessage]
    exchange: int
    client_memories: list[MemoryRecord]
    since: Interlude | None


class PlannerView(TypedDict, total=False):
    """The planner knows the intake, what was said, the counselor's memories, the plan and the standing risk."""

    intake: Intake
    messages: list[AnyMessage]
    exchange: int
    counselor_memories: list[MemoryRecord]
    plan: Plan | None
    risk: Risk
    agenda: str


class CounselorView(PlannerView, total=False):
    """The counselor knows what the planner knows, and its own draft that must be mended."""

    rework: Rework | None


class ResponderView(PlannerView, total=False):
    """Whoever takes the counselor's seat in a crisis knows what the planner knows."""


class MonitorView(TypedDict, total=False):
    """The client's monitor knows what was said, the turn it judges included, and what the rules say of that turn."""

    messages: list[AnyMessage]
    exchange: int
    verdicts: list[Verdict]


class ReviewerView(MonitorView, total=False):
    """The counselor's reviewer knows the client's standing risk as well."""

    risk: Risk
