"""Screens: what stands between a draft and the transcript.

The rules screen every draft. Where model screens are seated, a draft that the rules have passed is pending: the next
speaker already answers it while the models judge it, and only when all of them have spoken is it settled. A turn they
flag takes the answer to it with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from counselgraph.agents.ask import Draft
from counselgraph.agents.role import Role, Update
from counselgraph.errors import ConfigError
from counselgraph.graphs import routing
from counselgraph.graphs.context import Context
from counselgraph.graphs.node import Node, emitter
from counselgraph.graphs.state import SessionState, typed_view
from counselgraph.safety.levels import Category, Level, Risk, Side, Verdict
from counselgraph.safety.policy import assess
from counselgraph.safety.replies import safe_reply
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.transcript import CLIENT, COUNSELOR, said_by, turn

State = Mapping[str, Any]


def screen_node(speaker: Role, *, judged: bool) -> Node:
    """The screen by rules that guards a speaker's drafts.

    Args:
        speaker: Whose drafts.
        judged: Whether model screens judge them as well, so that a draft is pending after the rules.
    """
    known = {CLIENT: partial(_screen_client, judged), COUNSELOR: partial(_screen_counselor, judged)}
    act = known.get(speaker.name, _screen_other)

    async def node(state: State, *, runtime: Runtime[Context]) -> Update:
        return act(typed_view(SessionState, state), runtime.context)

    node.__name__ = f"screen_{speaker.name}"
    return node


async def settle_client(state: State, *, runtime: Runtime[Context]) -> Update:
    """Assess the client's risk by every verdict on the pending turn, and put the turn into the transcript."""
    now, context = typed_view(SessionState, state), runtime.context
    before, told = now.get("risk_before") or Risk(), now["risk"]
    risk = assess(before, *now["verdicts"])
    update = _commit(now["pending"], now, context) | {"risk": risk}
    update["suspended"] = now.get("suspended") or int(risk.suspends_plan)
    if risk.level > told.level:
        _discard(now, runtime, f"the client's turn was judged R{risk.level:d}")
        update |= {"draft": None}
    return update | _anew(before, risk)


async def settle_counselor(state: State, *, runtime: Runtime[Context]) -> Update:
    """Put the pending turn into the transcript, or a safe reply if a screen says that it must not be said."""
    now, context = typed_view(SessionState, state), runtime.context
    assessed = assess(None, *now["verdicts"])
    said: Draft = now["pending"]
    update: Update = {"counselor_risk": assessed}
    if assessed.level >= Level.ACTIVE:
        _discard(now, runtime, f"the counselor's turn was judged {assessed.level:d} of 5")
        said = _safe_reply(now, context)
        update["draft"] = None
    return update | _commit(said, now, context) | _followed_up(said, now, context)


def _screen_client(judged: bool, now: State, context: Context) -> Update:
    """Screen the client's draft and assess the client's risk by it."""
    draft, before = _draft(now, CLIENT), now.get("risk") or Risk()
    verdict = screen(draft.text, side=Side.CLIENT, language=context.language)
    risk = assess(before, verdict)
    update = _opened(verdict) | {"risk": risk, "risk_before": before} | _anew(before, risk)
    update["suspended"] = now.get("suspended", 0) + 1 if risk.suspends_plan else 0
    acute = routing.after_client_turn({**now, **update}) == "crisis"
    if judged and draft.text and not acute:
        return update | {"pending": draft}
    return update | _commit(draft, now, context)


def _screen_other(now: State, context: Context) -> Update:
    """Screen what a third seat says, if it speaks: it may raise the client's risk, and nothing in it lowers it."""
    draft, before = now.get("draft"), now.get("risk") or Risk()
    if draft is None:
        return {}
    verdict = screen(draft.text, side=Side.CLIENT, language=context.language)
    risk = assess(before, verdict) if verdict.level > before.level else before
    return _commit(draft, now, context) | {"draft": None, "risk": risk} | _anew(before, risk)


def _screen_counselor(judged: bool, now: State, context: Context) -> Update:
    """Screen the counselor's draft against its own rules and the client's risk; replace it if it must not be said."""
    draft, risk = _draft(now, COUNSELOR), now.get("risk") or Risk()
    check = partial(screen_reply, risk=risk, language=context.language, locale=context.locale)
    verdict = check(draft.text, asked=now.get("asked", False), offered=now.get("offered", False))
    if verdict.level >= Level.ACTIVE and draft.kind != "crisis":
        draft = _safe_reply(now, context)
    update = _opened(verdict) | {"counselor_risk": assess(None, verdict)}
    # The graph's own words come from data; there is nothing for a model to judge.
    if judged and draft.text and draft.kind not in {"crisis", "safe_reply"}:
        return update | {"pending": draft}
    return update | _commit(draft, now, context) | _followed_up(draft, now, context)


def _draft(now: State, role: str) -> Draft:
    draft: Draft | None = now.get("draft")
    if draft is None:
        raise ConfigError(f"Role {role!r} drafted no turn; this seat speaks in every exchange.")
    return draft


def _opened(verdict: Verdict) -> Update:
    """A new turn is taken up: the verdicts on it, the rules' first, and nothing else drafted yet."""
    return {"verdicts": Overwrite([verdict]), "draft": None}


def _commit(draft: Draft, now: State, context: Context) -> Update:
    """The draft as a turn, if it has words, and as a leaving, if it ends the session."""
    update: Update = {"pending": None} | ({"leaving": draft} if draft.end else {})
    if not draft.text:
        return update
    message = turn(draft.role, draft.text, exchange=now["exchange"], session=context.session)
    return update | {"spoken": draft, "messages": [message]}


def _discard(now: State, runtime: Runtime[Context], why: str) -> None:
    """Tell the log that an answer to the turn just judged is thrown away, if there is one."""
    draft: Draft | None = now.get("draft")
    if draft is not None:
        emitter(runtime)({"event": "discard", "role": draft.role, "text": draft.text, "reason": why})


def _safe_reply(now: State, context: Context) -> Draft:
    risk = now.get("risk") or Risk()
    words = safe_reply(risk, context.locale, said_by(now["messages"], COUNSELOR), context.language)
    return Draft(role=COUNSELOR, text=words, kind="safe_reply")


def _followed_up(said: Draft, now: State, context: Context) -> Update:
    """Whether the counselor has by now asked directly and offered a service; of no interest below R2."""
    risk = now.get("risk") or Risk()
    if risk.level < Level.PASSIVE:
        return {}
    verdict = screen_reply(said.text, risk=risk, language=context.language, locale=context.locale)
    missing = {finding.category for finding in verdict.findings}
    return {
        "asked": now.get("asked", False) or not missing & {Category.NO_DIRECT_QUESTION, Category.MISSED_RISK},
        "offered": now.get("offered", False) or Category.NO_RESOURCE not in missing,
    }


def _anew(before: Risk, risk: Risk) -> Update:
    """A risk that has risen has to be asked about, and a service offered, anew."""
    return {"asked": False, "offered": False} if risk.level > before.level else {}
