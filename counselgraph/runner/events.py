"""From state updates to events: what the log says of each step of the graph, so that no node has to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from counselgraph.agents.ask import Draft
from counselgraph.graphs.state import SessionState
from counselgraph.memory.record import MemoryRecord
from counselgraph.protocols.plan import Plan
from counselgraph.runner.log import Event
from counselgraph.safety.levels import Risk, Side

_SHARED = frozenset(SessionState.__annotations__)
# The event, or the header, says these.
_TOLD = {"owner", "client_id", "session", "session_number", "day"}
_OWNERS = {"client_memories": "client", "counselor_memories": "counselor"}


def events_of(node: str, update: Mapping[str, Any] | None) -> Iterator[Event]:
    """Events for one node's update, in the order in which a reader wants them."""
    update = update or {}
    if isinstance(spoken := update.get("spoken"), Draft):
        yield {"event": "turn", "node": node, "role": spoken.role, "text": spoken.text, "kind": spoken.kind}
    if isinstance(risk := update.get("risk"), Risk):
        yield _risk(node, Side.CLIENT, risk)
    if isinstance(risk := update.get("counselor_risk"), Risk):
        yield _risk(node, Side.COUNSELOR, risk)
    if isinstance(plan := update.get("plan"), Plan):
        yield _plan(node, plan)
    for channel, owner in _OWNERS.items():
        if update.get(channel):
            yield _memory(node, "recall", owner, update[channel])
    if update.get("notes"):
        for owner in _OWNERS.values():
            yield from _noted(node, owner, update["notes"])
    for channel in sorted(set(update) - _SHARED):
        yield {"event": "note", "node": node, "role": node, "channel": channel, "value": _plain(update[channel])}


def _risk(node: str, side: Side, risk: Risk) -> Event:
    return {
        "event": "risk",
        "node": node,
        "role": side.value,
        "side": side.value,
        "level": int(risk.level),
        "turn_level": int(risk.turn_level),
        "findings": [finding.model_dump(mode="json") for finding in risk.findings],
        "suspends_plan": side is Side.CLIENT and risk.suspends_plan,
        "reason": risk.reason,
        **({"failed": True} if risk.failed else {}),
    }


def _plan(node: str, plan: Plan) -> Event:
    return {
        "event": "plan",
        "node": node,
        "role": "planner",
        **plan.model_dump(mode="json", exclude={"steps", "level"}),
        "steps": [f"{step.phase}/{step.id}" for step in plan.steps],
    }


def _noted(node: str, owner: str, notes: Sequence[MemoryRecord]) -> Iterator[Event]:
    own = [note for note in notes if note.owner == owner]
    if own:
        yield _memory(node, "remember", owner, own)


def _memory(node: str, action: str, owner: str, records: Sequence[MemoryRecord]) -> Event:
    kept = [
        {"id": record.id, **record.model_dump(mode="json", exclude_defaults=True, exclude=_TOLD)} for record in records
    ]
    return {"event": "memory", "node": node, "role": owner, "action": action, "records": kept}


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | dict | None) else str(value)
