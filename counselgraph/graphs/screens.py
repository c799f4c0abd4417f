"""Screens: what stands between a draft and the transcript.

The rules screen every draft. Where model screens are seated, a draft that the rules have passed is pending: the next
speaker already answers it while the models judge it, and only when all of them have spoken is it settled. A turn they
flag takes the answer to it with it. A counselor's draft that must not be said goes back to its writer once, with a note
of what to mend; if that does not help, a safe reply of ours is said instead.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache, partial
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
from counselgraph.protocols.plan import Plan
from counselgraph.safety.layers import OURS, beside_reply, load_layers, screened
from counselgraph.safety.levels import Category, Level, Rework, Risk, Side, Verdict
from counselgraph.safety.policy import assess
from counselgraph.safety.replies import safe_reply
from counselgraph.safety.rewrite import rewrite_note
from counselgraph.safety.screen import screen_reply
from counselgraph.said import Said
from counselgraph.transcript import CLIENT, COUNSELOR, last_said, role_of, said_by, text_of, turn

State = Mapping[str, Any]

UNFIT = Level.ACTIVE
"""From this severity up a counselor's draft must not be said as it stands."""
_QUOTED = re.compile(r'"[^"]*"|\u201c[^\u201d]*\u201d')  # what the client said is no secret
_LOOKS_BACK = 20  # turns in whose light a reply is read; a plan, which is not to be quoted, is younger than that

_layers = lru_cache(maxsize=64)(load_layers)


def screen_node(speaker: Role, *, judged: bool) -> Node:
    """The screen by rules that guards a speaker's drafts.

    Args:
        speaker: Whose drafts.
        judged: Whether model screens judge them as well, so that a draft is pending after the rules.
    """
    known = {CLIENT: partial(_screen_client, judged), COUNSELOR: partial(_screen_counselor, judged)}
    act = known.get(speaker.name, _screen_other)

    async def node(state: State, *, runtime: Runtime[Context]) -> Update:
        now = typed_view(SessionState, state)
        if OURS.issuperset(runtime.context.layers):
            return act(now, runtime)
        # A layer of somebody else's may wait for an endpoint; the sessions beside this one must not.
        return await asyncio.to_thread(act, now, runtime)

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
    """Put the pending turn into the transcript, unless a screen says that it must not be said."""
    now, context = typed_view(SessionState, state), runtime.context
    assessed = assess(None, *now["verdicts"])
    said: Draft = now["pending"]
    update: Update = {"counselor_risk": assessed, "pending": None}
    if assessed.level < UNFIT:
        return update | _commit(said, now, context) | _followed_up(said, now, context)
    _discard(now, runtime, f"the counselor's turn was judged {assessed.level:d} of 5")
    return update | {"draft": None} | _refused(said, assessed, now, runtime)


def _screen_client(judged: bool, now: State, runtime: Runtime[Context]) -> Update:
    """Screen the client's draft and assess the client's risk by it."""
    context = runtime.context
    draft, before = _draft(now, CLIENT), now.get("risk") or Risk()
    question = next(iter(last_said(now.get("messages", ()), COUNSELOR)), "")
    verdicts = _screened(draft.text, context, standing=before.level, question=question)
    risk = assess(before, *verdicts)
    update = _opened(*verdicts) | {"risk": risk, "risk_before": before} | _anew(before, risk)
    update["suspended"] = now.get("suspended", 0) + 1 if risk.suspends_plan else 0
    acute = routing.after_client_turn({**now, **update}) in {"crisis", "taken"}
    if judged and draft.text and not acute:
        return update | {"pending": draft}
    return update | _commit(draft, now, context)


def _screen_other(now: State, runtime: Runtime[Context]) -> Update:
    """Screen what a third seat says, if it speaks: it may raise the client's risk, and nothing in it lowers it."""
    context, draft, before = runtime.context, now.get("draft"), now.get("risk") or Risk()
    if draft is None:
        return {}
    verdicts = _screened(draft.text, context)
    risk = assess(before, *verdicts) if max(verdict.level for verdict in verdicts) > before.level else before
    return _commit(draft, now, context) | {"draft": None, "risk": risk} | _anew(before, risk)


def _screen_counselor(judged: bool, now: State, runtime: Runtime[Context]) -> Update:
    """Screen the counselor's draft against its own rules, the dialogue and the client's risk."""
    draft, context = _draft(now, COUNSELOR), runtime.context
    verdicts = _screened_reply(draft.text, now, context)
    assessed = assess(None, *verdicts)
    update = _opened(*verdicts) | {"counselor_risk": assessed}
    # Words of ours come from data and those of a person who took over are theirs: reported, never replaced.
    given = draft.kind in {"crisis", "hand_over"}
    if assessed.level >= UNFIT and not given:
        return update | _refused(draft, assessed, now, runtime)
    if judged and draft.text and not given:
        return update | {"pending": draft}
    return update | _commit(draft, now, context) | _followed_up(draft, now, context)


def _screened(text: str, context: Context, **known: Any) -> tuple[Verdict, ...]:
    """What each layer says of a turn of the client's side, the rules first; `known` is for them."""
    layers = _layers(context.layers)
    found = screened(text, side=Side.CLIENT, language=context.language, layers=layers, **known)
    return tuple(one.verdict for one in found)


def _screened_reply(text: str, now: State, context: Context) -> tuple[Verdict, ...]:
    plan: Plan | None = now.get("plan")
    before = [Said(role_of(turn), text_of(turn)) for turn in now.get("messages", ())[-_LOOKS_BACK:]]
    others = beside_reply(text, before=before, language=context.language, layers=_layers(context.layers))
    by_rules = screen_reply(
        text,
        risk=now.get("risk") or Risk(),
        language=context.language,
        locale=context.locale,
        asked=now.get("asked", False),
        offered=now.get("offered", False),
        before=before,
        private=() if plan is None else (_QUOTED.sub("\n", plan.reason),),
    )
    return by_rules, *(found.verdict for found in others)


def _refused(draft: Draft, assessed: Risk, now: State, runtime: Runtime[Context]) -> Update:
    """What becomes of a counselor's draft that must not be said: its writer mends it once, then a safe reply stands in.

    An opening that came with the intake has no writer, and who leaves is not called back.
    """
    context, again = runtime.context, now.get("rework") is None and draft.kind == "turn" and draft.end is None
    findings = [finding.model_dump(mode="json") for finding in assessed.findings]
    refusal = {"event": "reject", "role": draft.role, "text": draft.text, "level": int(assessed.level)}
    emitter(runtime)(refusal | {"findings": findings, "then": "rewrite" if again else "safe_reply"})
    if again:
        risk = now.get("risk") or Risk()
        judged = Verdict(side=Side.COUNSELOR, level=assessed.turn_level, findings=assessed.findings)
        note = rewrite_note(judged, risk=risk, locale=context.locale, language=context.language)
        return {"rework": Rework(text=draft.text, note=note)}
    safe = _safe_reply(now, context).model_copy(update={"end": draft.end})
    return _commit(safe, now, context) | _followed_up(safe, now, context)


def _draft(now: State, role: str) -> Draft:
    draft: Draft | None = now.get("draft")
    if draft is None:
        raise ConfigError(f"Role {role!r} drafted no turn; this seat speaks in every exchange.")
    return draft


def _opened(*verdicts: Verdict) -> Update:
    """A new turn is taken up: the verdicts on it, the rules' first, and nothing else drafted yet."""
    return {"verdicts": Overwrite(list(verdicts)), "draft": None}


def _commit(draft: Draft, now: State, context: Context) -> Update:
    """The draft as a turn, if it has words, and as a leaving, if it ends the session."""
    update: Update = {"pending": None, "rework": None} | ({"leaving": draft} if draft.end else {})
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
