"""The counselor: follows the plan, one step a turn."""

from __future__ import annotations

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.cards import intake_card, memory_card
from counselgraph.agents.planner import standing
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import CounselorView
from counselgraph.languages import language_name
from counselgraph.protocols.plan import Plan
from counselgraph.protocols.protocol import load_protocol
from counselgraph.safety.levels import Level, Risk

_OPEN = "Greet the client by name and ask what brings them. Two short sentences."
_OPEN_AGAIN = "Welcome the client back by name, say what you remember of last time and ask how the homework went."
_NO_PLAN = "Follow the client; reflect, then ask one open question."
_ALL_DONE = "All planned steps are done. Follow what is most alive for the client with one open question."
_WATCH = "Something the client said may point to danger. Check in on it gently and directly before anything else."
_SUSPENDED = (
    "The plan is suspended: the client has spoken of suicide. Name the words, then ask one direct question, in this "
    "order over your turns: thoughts, plan, intent, means, when. Ask nothing that was already answered. Offer a crisis "
    "line and a trusted person. No blame, no contract, no method."
)


@role(view=CounselorView, speaks=True)
async def counselor(view: CounselorView, ask: Ask) -> Update:
    """The counselor; sees the intake, the plan and the standing risk, never the persona."""
    intake, memories = view["intake"], view.get("counselor_memories", ())
    if intake.opening and view["exchange"] == 0 and not memories:
        return {"draft": Draft(role="counselor", text=intake.opening, kind="opening")}
    instruction = render(
        "counselor",
        intake=intake_card(intake),
        memories=memory_card(memories),
        language=language_name(ask.scene.language),
    )
    return {"draft": await ask.turn(instruction, view["messages"], turn_card(view, ask.scene.language))}


def turn_card(view: CounselorView, language: str) -> str:
    """What the counselor should do in this turn: safety first, then the plan's current step."""
    risk = view.get("risk") or Risk()
    if view["exchange"] == 0:
        return _OPEN_AGAIN if view.get("counselor_memories") else _OPEN
    if risk.suspends_plan:
        return _SUSPENDED
    plan = view.get("plan")
    task = _NO_PLAN if plan is None else _task(plan, view, language)
    return f"{_WATCH} Then: {task}" if risk.turn_level > Level.NONE else task


def _task(plan: Plan, view: CounselorView, language: str) -> str:
    at = standing(plan, view["messages"], language)
    if at.index >= len(plan.steps):
        return _ALL_DONE
    protocol, step = load_protocol(), plan.steps[at.index]
    technique = protocol.techniques[plan.technique]
    again = " The client gave you nothing last time: make it smaller and gentler." if at.attempt else ""
    task = f" Suggested task: {technique.homework}" if step.id == "homework" else ""
    return f"{technique.label}. Working on: {plan.focus}. Now: {step.aim}{again}{task}"
