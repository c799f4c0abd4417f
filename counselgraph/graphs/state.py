"""The session state: every channel, who writes it and how writes combine."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, get_args

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from counselgraph.agents.ask import Draft
from counselgraph.agents.role import channels
from counselgraph.memory.kept import Kept
from counselgraph.memory.record import MemoryRecord
from counselgraph.models.base import Usage
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Intake, Persona
from counselgraph.protocols.plan import Plan
from counselgraph.safety.levels import Rework, Risk, Verdict
from counselgraph.transcript import COUNSELOR, exchange_of, turn


class StopReason(StrEnum):
    """Why a session ended."""

    CRISIS = "crisis"
    CANCELLED = "cancelled"
    LIMIT = "limit"
    MAX_EXCHANGES = "max_exchanges"
    STALLED = "stalled"
    COMPLETED = "completed"
    MODEL_ERROR = "model_error"
    INFRASTRUCTURE_ERROR = "infrastructure_error"


class Ending(BaseModel):
    """How a session ended.

    Attributes:
        stop: The reason, out of a closed list.
        by: Who decided it: a role, "monitor", or "run" for caps and errors.
        reason: The decision in one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop: StopReason
    by: str
    reason: str


def add_usage(spent: Usage, more: Usage) -> Usage:
    """Add up; either may be plain JSON, since a reducer sees a value as it was written or restored."""
    return Usage.model_validate(spent) + Usage.model_validate(more)


def add_turns(before: list[AnyMessage], more: Any) -> list[AnyMessage]:
    """`add_messages` whose cost for new turns does not grow with the transcript."""
    new = more if isinstance(more, list) else [more]
    if len(new) == 1 and isinstance(new[0], HumanMessage | AIMessage) and new[0].name and _comes_last(before, new[0]):
        return [*before, *new]
    return add_messages(before, more)  # type: ignore[arg-type, return-value]  # its types know lists of messages only


def _comes_last(before: list[AnyMessage], message: AnyMessage) -> bool:
    """Whether a turn of ours is of a later exchange than every turn before it, or another seat's of the last one."""
    exchange = exchange_of(message)
    for earlier in reversed(before):
        if exchange_of(earlier) < exchange:
            return True
        if exchange_of(earlier) > exchange or earlier.id == message.id:
            return False
    return True


class SessionState(TypedDict, total=False):
    """Channels of a session.

    Attributes:
        persona: The client's side of the persona; given at the start, read by the client alone.
        intake: What the counselor was told; written by recall.
        messages: The transcript; screened turns only, one message a turn.
        exchange: Exchange being played; 0 for the counselor's opening, then 1, 2, ...
        session_number: 1 for the client's first session that memory knows of.
        agenda: What the counselor's side means to take up first; "" if nothing in particular.
        since: What has happened to the client since its last session, if anybody knows.
        carried: Private channels of the client's role at the end of its last session, as JSON.
        draft: A turn written but not yet screened.
        rework: A counselor's draft of this exchange that must not be said, with what to mend in it.
        pending: A turn that the rules have passed and model screens are still judging; the next speaker hears it.
        spoken: The last turn that entered the transcript, as it was drafted or as it was replaced.
        plan: The plan in force, None before the first.
        risk: Standing assessment of the client.
        risk_before: The same before the client's last turn.
        verdicts: What the screens said of the turn last drafted.
        suspended: Exchanges in a row that the plan has been suspended for.
        asked: Whether the counselor has asked directly since the client's risk last rose.
        offered: Whether the counselor has offered a crisis service since then.
        crisis_turns: Turns the crisis protocol has spoken.
        counselor_risk: Assessment of the counselor's last draft.
        client_memories: What the client recalls of earlier sessions.
        counselor_memories: What the counselor recalls of earlier sessions.
        notes: Memories made in this session; written to the store when it closes.
        kept: What the keeper decided to keep of the session, by owner.
        leaving: The draft with which a speaker ended the session, if one did.
        usage: Calls and tokens so far; adds up.
        ending: How the session ended.
    """

    persona: Persona
    intake: Intake
    messages: Annotated[list[AnyMessage], add_turns]
    exchange: int
    session_number: int
    agenda: str
    since: Interlude | None
    carried: dict[str, Any]
    draft: Draft | None
    rework: Rework | None
    pending: Draft | None
    spoken: Draft
    plan: Plan | None
    risk: Risk
    risk_before: Risk
    verdicts: Annotated[list[Verdict], operator.add]
    suspended: int
    asked: bool
    offered: bool
    crisis_turns: int
    counselor_risk: Risk
    client_memories: list[MemoryRecord]
    counselor_memories: list[MemoryRecord]
    notes: Annotated[list[MemoryRecord], operator.add]
    kept: dict[str, Kept]
    leaving: Draft | None
    usage: Annotated[Usage, add_usage]
    ending: Ending | None


def opening_state(persona: Persona) -> SessionState:
    """What a session is started with: the client's side of the persona, and what the counselor was told."""
    return {"persona": persona.for_client(), "intake": persona.for_counselor()}


def heard(state: Mapping[str, Any]) -> list[AnyMessage]:
    """The transcript as the next speaker hears it: with the turn that is still being judged."""
    messages: list[AnyMessage] = state.get("messages", [])
    pending = _pending(state)
    return [*messages, turn(pending.role, pending.text, exchange=state["exchange"])] if pending else messages


def upcoming(state: Mapping[str, Any]) -> int:
    """The exchange that whoever speaks next speaks in: one further while a counselor's turn is being judged."""
    pending = _pending(state)
    exchange: int = state.get("exchange", 0)
    return exchange + (pending is not None and pending.role == COUNSELOR)


def _pending(state: Mapping[str, Any]) -> Draft | None:
    found = state.get("pending")
    return None if found is None else Draft.model_validate(found)


def checkpoint_types() -> list[type]:
    """Types of ours that a checkpoint may hold; strict deserialization refuses every other."""
    found: dict[type, None] = {}
    waiting: list[Any] = list(channels(SessionState).values())
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if isinstance(kind, type) and kind.__module__.startswith("counselgraph.") and kind not in found:
            found[kind] = None
            waiting.extend(field.annotation for field in getattr(kind, "model_fields", {}).values())
    return list(found)


def typed_view(schema: type, state: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of `schema` with their declared types.

    Values written from outside Python (an edit in Studio, an SDK call) arrive as plain JSON; this gives them back
    their types. Values that already have one pass untouched.

    Raises:
        pydantic.ValidationError: A plain value does not fit its channel.
    """
    typed, adapters = dict(state), _adapters(schema)
    for key, value in state.items():
        if isinstance(value, (dict, str, list)) and key in adapters and _plain(value):
            typed[key] = adapters[key].validate_python(value)
    return typed


def _plain(value: dict[str, Any] | str | list[Any]) -> bool:
    return not isinstance(value, list) or any(isinstance(item, dict) for item in value)


@lru_cache(maxsize=64)
def _adapters(schema: type) -> dict[str, TypeAdapter[Any]]:
    return {key: TypeAdapter(kind) for key, kind in channels(schema).items() if key != "messages"}
