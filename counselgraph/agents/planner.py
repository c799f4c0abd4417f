"""The planner: chooses the technique, and revises the plan on a schedule and on trigger."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage

from counselgraph.agents.ask import Ask, Scene
from counselgraph.agents.cards import bullets, intake_card, memory_card, technique_list
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import PlannerView
from counselgraph.protocols.plan import Decision, Plan, Position, Trigger, assemble, decision_type, position
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import Phase
from counselgraph.safety.levels import Risk
from counselgraph.transcript import CLIENT, last_said, said_by, said_since

_WHY = {
    Trigger.START: "This is the first plan of the session.",
    Trigger.SCHEDULE: "This is the regular look at the plan.",
    Trigger.RISK: "The client's risk has changed; make sure the plan still fits.",
    Trigger.STALLED: "The current step has stalled: the client gives nothing to work with.",
    Trigger.NEW_BELIEF: "The client has just said what they take themselves to be.",
    Trigger.STEPS_DONE: "All steps of the technique are done and there is time left.",
}


@role(view=PlannerView)
async def planner(view: PlannerView, ask: Ask) -> Update:
    """Chooses the technique and the phase; revises both when something calls for it, with its reason."""
    plan, risk = view.get("plan"), view.get("risk") or Risk()
    trigger = due(plan, risk, view["messages"], ask.scene)
    if trigger is None:
        return {}
    if trigger is Trigger.TIME and plan is not None:
        return {"plan": _wrap_up(plan, risk, ask.scene)}
    protocol = load_protocol(ask.scene.protocol)
    instruction = render(
        "planner",
        approach=protocol.approach.label,
        choosing=bullets(protocol.choosing),
        phases=bullets(f"{phase}: {words}" for phase, words in protocol.phasing.items()),
        intake=intake_card(view["intake"]),
        memories=memory_card(view.get("counselor_memories", ())),
        techniques=technique_list(protocol),
    )
    decision = await ask.typed(
        decision_type(protocol.protocol), instruction, view["messages"], _card(plan, view, ask, trigger)
    )
    return {"plan": revise(plan, decision, trigger, risk, view["messages"], ask.scene)}


def due(plan: Plan | None, risk: Risk, messages: Sequence[AnyMessage], scene: Scene) -> Trigger | None:
    """Whether the plan must be looked at while the client speaks, and why; None if not.

    Tested in this order: suspended plan (never due), first plan, changed risk, time, steps done, stalled step, new
    belief, schedule. A session that is closing is left to close unless the risk changes.
    """
    if risk.suspends_plan:
        return None
    if plan is None:
        return Trigger.START
    if risk.level != plan.level:
        return Trigger.RISK
    protocol, at = plan.protocol, standing(plan, messages, scene.language)
    if phase_at(plan, at) is Phase.CLOSING:
        return None
    if scene.max_exchanges - scene.exchange < len(protocol.phases[Phase.CLOSING]):
        return Trigger.TIME
    if at.index >= len(plan.steps) - 1:  # the client is answering the last one
        return Trigger.STEPS_DONE
    if at.held >= protocol.patience:
        return Trigger.STALLED
    age = scene.exchange - plan.made_at
    if age > 1 and _new_belief(plan, messages, scene.language):
        return Trigger.NEW_BELIEF
    return Trigger.SCHEDULE if age >= protocol.schedule else None


def standing(plan: Plan, messages: Sequence[AnyMessage], language: str) -> Position:
    """Where the plan stands after what the client has said since it was made."""
    return position(plan, said_since(messages, CLIENT, plan.made_at), plan.protocol, language)


def phase_at(plan: Plan, at: Position) -> Phase:
    """Phase of the current step; of the last step when all are done."""
    return plan.steps[min(at.index, len(plan.steps) - 1)].phase


def revise(
    plan: Plan | None,
    decision: Decision,
    trigger: Trigger,
    risk: Risk,
    messages: Sequence[AnyMessage],
    scene: Scene,
) -> Plan:
    """Turn a planner's decision into the next plan.

    A decision that keeps technique and phase keeps the place: only the steps still ahead remain, first the one that the
    client is answering while the planner decides. Another technique does not explore again what was explored. A session
    does not go back to its agenda, and does not close before `scene.min_exchanges`.
    """
    protocol = load_protocol(scene.protocol)
    if plan is not None and plan.approach != scene.protocol:
        plan = None
    if plan is not None and decision.phase is Phase.AGENDA:
        decision = decision.model_copy(update={"phase": Phase.EXPLORATION})
    if decision.phase is Phase.CLOSING and scene.exchange < scene.min_exchanges:
        decision = decision.model_copy(update={"phase": Phase.INTERVENTION})
    ahead = protocol.steps_from(decision.phase, decision.technique, close=True)
    close = scene.exchange + len(ahead) > scene.min_exchanges
    made = assemble(
        decision, protocol, previous=plan, exchange=scene.exchange, trigger=trigger, level=risk.level, close=close
    )
    if plan is None or trigger is Trigger.STEPS_DONE:
        return made
    at = standing(plan, messages, scene.language)
    same = plan.technique is decision.technique
    if same and trigger is not Trigger.STALLED and decision.phase is phase_at(plan, at):
        return made.model_copy(update={"steps": plan.steps[at.index :], "made_at": scene.exchange - 1})
    return made if same else made.model_copy(update={"steps": _unexplored(made, plan, at)})


def _unexplored(made: Plan, before: Plan, at: Position) -> tuple[Step, ...]:
    """The steps of a new technique, without the exploration that the plan before has behind it or just asks for."""
    ahead = {step.id for step in before.steps[at.index + 1 :]}
    return tuple(step for step in made.steps if step.phase is not Phase.EXPLORATION or step.id in ahead)


def _wrap_up(plan: Plan, risk: Risk, scene: Scene) -> Plan:
    """Time is nearly up: close, whatever was planned. Decided by the clock, not by a model."""
    left = scene.max_exchanges - scene.exchange + 1
    return plan.model_copy(
        update={
            "steps": plan.protocol.phases[Phase.CLOSING][-left:],
            "made_at": scene.exchange,
            "revision": plan.revision + 1,
            "trigger": Trigger.TIME,
            "level": risk.level,
            "reason": f"Time is nearly up: {left} counselor turns are left, enough to close properly.",
        }
    )


def _new_belief(plan: Plan, messages: Sequence[AnyMessage], language: str) -> bool:
    protocol = plan.protocol
    if not any(protocol.discloses_belief(text, language) for text in last_said(messages, CLIENT)):
        return False
    said = said_by(messages, CLIENT)
    before = len(said) - len(said_since(messages, CLIENT, plan.made_at))
    return not any(protocol.discloses_belief(text, language) for text in said[:before])


def _card(plan: Plan | None, view: PlannerView, ask: Ask, trigger: Trigger) -> str:
    left = ask.scene.max_exchanges - view["exchange"]
    now = "There is no plan yet."
    if plan is not None:
        at = standing(plan, view["messages"], ask.scene.language)
        step = plan.steps[min(at.index, len(plan.steps) - 1)]
        now = f"Plan so far: {plan.technique}, focus: {plan.focus}. Phase: {step.phase}, step: {step.id}."
    if trigger is Trigger.START and view.get("agenda"):
        now += f" The review of the last session asks to take up first: {view['agenda']}"
    return f"{_WHY[trigger]} {now} Exchange {view['exchange']}; {left} more are possible. Give your decision."
