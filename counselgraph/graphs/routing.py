"""Where a session goes next, and when it stops: pure functions of state and context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from counselgraph.agents.ask import Draft
from counselgraph.agents.planner import due, phase_at, standing
from counselgraph.agents.responder import RESPONDER
from counselgraph.graphs.context import Context
from counselgraph.graphs.state import Ending, StopReason, heard, upcoming
from counselgraph.models.base import Usage
from counselgraph.protocols.plan import Trigger
from counselgraph.protocols.technique import Phase
from counselgraph.safety.levels import Risk
from counselgraph.transcript import CLIENT, COUNSELOR, last_said

State = Mapping[str, Any]

CRISIS_TURNS = 2
"""Crisis turns of the protocol before the session is handed over; the first only, where somebody is there for it."""
SUSPENDED_EXCHANGES = 4
"""Exchanges the plan may stay suspended before the crisis protocol takes over."""
STALLED_TURNS = 3
"""Times in a row the same speaker says the same thing before the session counts as stalled."""


def first_speaker(state: State, context: Context) -> Literal["counselor", "client"]:
    """Who speaks first; a session continued with turns already said goes on with the client."""
    return "counselor" if context.opens == "counselor" and not state.get("messages") else "client"


def after_client_turn(state: State) -> Literal["crisis", "taken", "leave", "go_on"]:
    """After a turn of the client's side was screened: crisis first, then leaving, then the usual way.

    The crisis protocol always speaks the first turn; what follows is whoever's who takes the session over, if there is
    somebody, and the protocol's own otherwise.
    """
    risk = state.get("risk") or Risk()
    if state.get("crisis_turns"):
        return "taken"
    if risk.acute or state.get("suspended", 0) > SUSPENDED_EXCHANGES:
        return "crisis"
    return "leave" if state.get("leaving") else "go_on"


def opens_exchange(state: State, context: Context) -> list[str]:
    """Who acts when an exchange opens: the client and, when the plan is due for a look, the planner beside it."""
    scene, risk = context.scene(upcoming(state)), state.get("risk") or Risk()
    return [CLIENT, "planner"] if due(state.get("plan"), risk, heard(state), scene) else [CLIENT]


def beside_screens(state: State, context: Context) -> list[str]:
    """Who may act while the pending turn is still being judged: whoever answers it, unless that is a person.

    Nobody answers a turn with which its speaker leaves or the session is about to end, and no person is shown words
    that may yet be replaced.
    """
    pending: Draft = state["pending"]
    speaker = COUNSELOR if pending.role == CLIENT else CLIENT
    if context.model_for(speaker) == "human" or pending.end:
        return []
    if speaker == COUNSELOR:
        return [COUNSELOR]
    last = {**state, "messages": heard(state), "spoken": pending}
    return [] if ending(last, context) else opens_exchange(state, context)


def ending(state: State, context: Context) -> Ending | None:
    """How the session ends now; None if it goes on.

    Tested in this order, the first that holds counts: crisis, a speaker who leaves (completed), limit,
    plan worked through (completed), stalled, max_exchanges. Cancelled, model_error and infrastructure_error come
    from outside the graph and are recorded by the runner.
    """
    return (
        _crisis(state, context)
        or _left(state)
        or _limit(state, context)
        or _plan_done(state, context)
        or _stalled(state)
        or _capped(state, context)
    )


def _crisis(state: State, context: Context) -> Ending | None:
    turns = state.get("crisis_turns", 0)
    if not turns:
        return None
    cut_short = state.get("leaving") or _limit(state, context) or _capped(state, context)
    if turns < CRISIS_TURNS and not cut_short:
        return None
    risk, leaving = state.get("risk") or Risk(), state.get("leaving")
    if leaving and leaving.kind == "hand_over":
        return Ending(stop=StopReason.CRISIS, by=RESPONDER, reason=leaving.end or "left")
    return Ending(
        stop=StopReason.CRISIS, by="monitor", reason=f"Handed over to a person at R{risk.level:d}. {risk.reason}"
    )


def _left(state: State) -> Ending | None:
    leaving = state.get("leaving")
    return leaving and Ending(stop=StopReason.COMPLETED, by=leaving.role, reason=leaving.end or "left")


def _limit(state: State, context: Context) -> Ending | None:
    usage = state.get("usage") or Usage()
    tokens = usage.prompt_tokens + usage.completion_tokens
    if context.call_limit is not None and usage.calls >= context.call_limit:
        return Ending(
            stop=StopReason.LIMIT, by="run", reason=f"{usage.calls} model calls, {context.call_limit} allowed."
        )
    if context.token_limit is not None and tokens >= context.token_limit:
        return Ending(stop=StopReason.LIMIT, by="run", reason=f"{tokens} tokens, {context.token_limit} allowed.")
    return None


def _plan_done(state: State, context: Context) -> Ending | None:
    plan, risk = state.get("plan"), state.get("risk") or Risk()
    spoken = state.get("spoken")
    replaced = spoken is not None and spoken.kind == "safe_reply"
    if plan is None or replaced or risk.suspends_plan or state["exchange"] < context.min_exchanges:
        return None
    at = standing(plan, state["messages"], context.language)
    if phase_at(plan, at) is not Phase.CLOSING or at.index < len(plan.steps) - 1:
        return None
    worked = plan.protocol.techniques[plan.technique].label
    reason = f"All steps are done: {worked} was worked, the session summed up, a task agreed and goodbye said."
    if plan.trigger is Trigger.TIME:
        reason = f"Time was up: {worked} was cut short, and the session closed in order."
    return Ending(stop=StopReason.COMPLETED, by=COUNSELOR, reason=reason)


def _stalled(state: State) -> Ending | None:
    for role in (CLIENT, COUNSELOR):
        last = [" ".join(text.casefold().split()) for text in last_said(state["messages"], role, STALLED_TURNS)]
        if len(last) == STALLED_TURNS and len(set(last)) == 1:
            return Ending(
                stop=StopReason.STALLED, by=role, reason=f"The {role} said the same thing {STALLED_TURNS} times."
            )
    return None


def _capped(state: State, context: Context) -> Ending | None:
    if state["exchange"] < context.max_exchanges:
        return None
    return Ending(
        stop=StopReason.MAX_EXCHANGES, by="run", reason=f"The cap of {context.max_exchanges} exchanges was reached."
    )
