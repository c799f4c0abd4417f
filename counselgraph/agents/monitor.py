"""Optional model screens: monitors that read the dialogue and give a typed verdict on its last turn."""

from __future__ import annotations

from counselgraph.agents.ask import Ask
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import MonitorView, ReviewerView
from counselgraph.safety.levels import Verdict
from counselgraph.transcript import text_of


@role(view=MonitorView, after="client", screens=True)
async def monitor(view: MonitorView, ask: Ask) -> Update:
    """Judges the client's last turn with a model, beside the rules; can raise the level, never lower it."""
    card = "Judge the client's last turn."
    verdict = await ask.typed(Verdict, render("monitor"), view["messages"], card)
    return {"verdicts": [_vouched(verdict, view, ask.role)]}


@role(view=ReviewerView, after="counselor", screens=True)
async def reviewer(view: ReviewerView, ask: Ask) -> Update:
    """Judges the counselor's draft with a model, beside the rules; what it finds unfit is replaced."""
    risk = view.get("risk")
    standing = f" The client stands at R{risk.level:d}." if risk is not None else ""
    card = f"Judge the counselor's last turn.{standing}"
    verdict = await ask.typed(Verdict, render("reviewer"), view["messages"], card)
    return {"verdicts": [_vouched(verdict, view, ask.role)]}


def _vouched(verdict: Verdict, view: MonitorView, role: str) -> Verdict:
    """What a model says of the last turn: quotes that are in it, and findings that name who found them."""
    checked = verdict.vouched(text_of(view["messages"][-1]))
    findings = tuple(finding.model_copy(update={"source": role}) for finding in checked.findings)
    return checked.model_copy(update={"findings": findings})
