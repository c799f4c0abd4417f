"""What a session leaves behind: memories made from the state, each with the exchange it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from counselgraph.agents.planner import standing
from counselgraph.graphs.context import Context
from counselgraph.memory.kept import Kept, Origin, checked
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.protocols.plan import Plan
from counselgraph.protocols.protocol import load_protocol
from counselgraph.safety.levels import Level, Risk
from counselgraph.transcript import CLIENT, COUNSELOR, last_said, said_by

State = Mapping[str, Any]
_NOTED_AT_ONCE = frozenset({Kind.HOMEWORK, Kind.INSIGHT})


def exchange_notes(state: State, context: Context) -> list[MemoryRecord]:
    """Memories of the exchange just played: the task agreed on, a belief told, a sign of risk."""
    told, answered = _last(state, CLIENT), _last(state, COUNSELOR)
    risk, step = state.get("risk") or Risk(), _step(state, context)
    notes: list[MemoryRecord] = []
    plan: Plan | None = state.get("plan")
    if plan is not None and step == "homework" and plan.protocol.approach.sets_tasks and _spoke(state):
        task = plan.protocol.techniques[plan.technique].homework
        # The client keeps what it was told; how the plan words the task is none of its business.
        told_so = f"{task} In the counselor's words: {answered}".strip()
        notes.append(_note(state, context, CLIENT, Kind.HOMEWORK, answered, role=COUNSELOR, open=True))
        notes.append(_note(state, context, COUNSELOR, Kind.HOMEWORK, told_so, role=COUNSELOR, open=True))
    if state["exchange"] and load_protocol(context.protocol).discloses_belief(told, context.language):
        notes.append(
            _note(state, context, COUNSELOR, Kind.INSIGHT, f"The client said: {told}", role=CLIENT, importance=4)
        )
    if risk.turn_level > Level.NONE:
        text = (
            f"A sign of risk (R{risk.turn_level:d}) came up: {', '.join(sorted({f.category for f in risk.findings}))}."
        )
        notes.append(_note(state, context, COUNSELOR, Kind.RISK, text, role=CLIENT, importance=5))
    return notes


def closing_notes(state: State, context: Context) -> list[MemoryRecord]:
    """Memories of the session as a whole: what it was about, and how it went."""
    plan: Plan | None = state.get("plan")
    told = said_by(state["messages"], CLIENT)
    if plan is None or not told:
        return []
    label = plan.protocol.techniques[plan.technique].label
    return [
        _note(state, context, COUNSELOR, Kind.SUMMARY, f'We worked on "{plan.focus}" with the technique {label}.'),
        _note(state, context, COUNSELOR, Kind.FACT, f"The client came with this: {told[0]}"),
        _note(state, context, CLIENT, Kind.SUMMARY, f'The counselor and I talked about this: "{told[0]}"'),
    ]


def kept_notes(state: State, context: Context, emit: Callable[[dict[str, Any]], None]) -> list[MemoryRecord]:
    """What the keeper kept, as far as it was said; the rest is told to the log.

    A task or a belief that was noted in the exchange it came up in is not kept a second time.
    """
    records: list[MemoryRecord] = []
    noted = {_what(note) for note in state.get("notes", ()) if note.kind in _NOTED_AT_ONCE}
    for owner, kept in state.get("kept", {}).items():
        origin = Origin(
            owner=owner,
            client_id=context.client_id,
            session=context.memory_session,
            session_number=state.get("session_number", 1),
            day=context.day,
        )
        found = checked(Kept.model_validate(kept), state["messages"], origin)
        records += [record for record in found.records if _what(record) not in noted]
        for dropped in found.dropped:
            problem = f"{dropped.item.kind} of {owner} not kept: {dropped.fault} (exchange {dropped.item.exchange})"
            emit({"event": "error", "role": "keeper", "type": "Dropped", "message": problem})
    return records


def _note(state: State, context: Context, owner: str, kind: Kind, text: str, **more: Any) -> MemoryRecord:
    return MemoryRecord(
        owner=owner,
        client_id=context.client_id,
        kind=kind,
        text=text,
        session=context.memory_session,
        session_number=state.get("session_number", 1),
        exchange=state["exchange"],
        day=context.day,
        **more,
    )


def _what(record: MemoryRecord) -> tuple[str, Kind, int]:
    return record.owner, record.kind, record.exchange


def _spoke(state: State) -> bool:
    """Whether the last turn is the counselor's own, and no reply that was put in its place."""
    spoken = state.get("spoken")
    return spoken is not None and spoken.role == COUNSELOR and spoken.kind == "turn"


def _last(state: State, role: str) -> str:
    return next(iter(last_said(state["messages"], role)), "")


def _step(state: State, context: Context) -> str:
    """Id of the step the counselor has just worked, "" if there was none."""
    plan, risk = state.get("plan"), state.get("risk") or Risk()
    if plan is None or risk.suspends_plan:
        return ""
    at = standing(plan, state["messages"], context.language)
    return plan.steps[at.index].id if at.index < len(plan.steps) else ""
