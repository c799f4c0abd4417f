"""The counselor: follows the plan, one step a turn."""

from __future__ import annotations

from counselgraph.agents.ask import Ask, Draft, Scene
from counselgraph.agents.cards import intake_card, memory_card, stance_card
from counselgraph.agents.planner import standing
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import CounselorView
from counselgraph.languages import language_name
from counselgraph.protocols.plan import Plan
from counselgraph.protocols.protocol import load_protocol
from counselgraph.safety.levels import Level, Risk
from counselgraph.safety.replies import Topic, topic_of
from counselgraph.safety.resources import resources_for
from counselgraph.safety.rewrite import check_in
from counselgraph.transcript import COUNSELOR, said_by

_OPEN = "Your first turn. Greet the client by name and ask what brings them. Two short sentences."
_OPEN_AGAIN = (
    "Your first turn. Welcome the client back by name, say one thing you remember of last time, and ask {question}. "
    "Three short sentences."
)
_NO_PLAN = "This turn: reflect what the client said, then ask one open question."
_ALL_DONE = "All planned steps are done. This turn: follow what is most alive for the client, with one open question."
_AGAIN = " The last try gave you little: ask for something smaller, and more gently."
_ASK = (
    "Safety comes first, the plan's step can wait. This turn: say back the client's words, then ask one direct "
    "question: {question}. If they have answered that already, ask what makes it worse and who could be with them."
)
_ASSESS = (
    "Safety comes first, the plan waits. This turn: say back the client's words, then ask one direct question: "
    "{question}. Keep for your next turns, one question each: {further}. Leave out what was answered."
)
_STILL_ASSESS = (
    "Safety comes first, the plan still waits. The client's last words hold no new sign of danger. This turn: take "
    "them up, then ask one question that is still open: {question}; {further}. If all was answered, ask what helps "
    "them to stay safe."
)
_OFFER = (
    "If you have not offered help from outside yet, offer this service, copied exactly, and no other: {service}. "
    "If the client has named somebody they trust, point to that person. No blame, no promise asked for, no talk of "
    "ways to do it."
)
_REWORK = (
    'You have drafted this turn already, and nobody has heard it: "{draft}". It must not be said as it stands. {note} '
    "Write the whole turn anew. The note was: {card}"
)
_QUESTIONS = {
    Topic.SELF: "whether they are thinking of killing themselves",
    Topic.HARMED: "whether they are safe where they are now",
    Topic.OTHERS: "whether they are thinking of hurting somebody",
    Topic.ANOTHER: "whether that person is in danger now, and who is with them",
    Topic.VOICES: "whether what they hear or notice tells them to hurt themselves or somebody else",
}
_FURTHER = {
    Topic.SELF: "a plan, the intent to act, the means at hand, when",
    Topic.HARMED: "who hurts them, when it last happened, where they can go tonight",
    Topic.OTHERS: "whom, a plan, the means at hand, when",
    Topic.ANOTHER: "what that person said, a plan, the means at hand, who can act now",
    Topic.VOICES: "what it tells them, whether they would follow it, the means at hand, how they have slept",
}
_MANNER = {
    Topic.VOICES: " Take the fear seriously; neither confirm nor dispute what only they perceive, and name no disorder."
}


@role(view=CounselorView, speaks=True)
async def counselor(view: CounselorView, ask: Ask) -> Update:
    """The counselor; sees the intake, the plan and the standing risk, never the persona."""
    return await draft_turn(view, ask)


async def draft_turn(view: CounselorView, ask: Ask, before: str = "") -> Update:
    """The counselor's next turn.

    Args:
        view: What the counselor sees.
        ask: Its way to its model.
        before: What the turn card says first.
    """
    intake, memories = view["intake"], view.get("counselor_memories", ())
    if intake.opening and view["exchange"] == 0 and not memories:
        return {"draft": Draft(role="counselor", text=intake.opening, kind="opening")}
    instruction = render(
        "counselor",
        approach=stance_card(load_protocol(ask.scene.protocol)),
        intake=intake_card(intake),
        memories=memory_card(memories),
        language=language_name(ask.scene.language),
    )
    card = before + turn_card(view, ask.scene)
    if rework := view.get("rework"):
        card = _REWORK.format(draft=" ".join(rework.text.split()), note=rework.note, card=card)
    return {"draft": await ask.turn(instruction, view["messages"], card)}


def turn_card(view: CounselorView, scene: Scene) -> str:
    """What the counselor should do in this turn: safety first, then the plan's current step.

    Args:
        view: The counselor's View.
        scene: Where it stands: the language the plan's place is read in, the country whose crisis service is named.
    """
    if view["exchange"] == 0:
        return _opening(view, scene)
    risk = view.get("risk") or Risk()
    if risk.suspends_plan or risk.turn_level >= Level.PASSIVE:
        return _safety(risk, scene.locale)
    plan = view.get("plan")
    task = _NO_PLAN if plan is None else _task(plan, view, scene.language)
    if risk.turn_level != Level.CONCERN:
        return task
    return f"{check_in(risk, said_by(view['messages'], COUNSELOR), scene.language)} {task}"


def _opening(view: CounselorView, scene: Scene) -> str:
    if not view.get("counselor_memories"):
        return _OPEN
    tasks = load_protocol(scene.protocol).approach.sets_tasks
    card = _OPEN_AGAIN.format(question="how the homework went" if tasks else "how they have been since")
    agenda = view.get("agenda", "")
    return f"{card} In mind for today: {agenda}" if agenda else card


def _safety(risk: Risk, locale: str) -> str:
    topic, line = topic_of(risk), resources_for(locale).first
    manner = _MANNER.get(topic, "")
    if not risk.suspends_plan:
        return _ASK.format(question=_QUESTIONS[topic]) + manner
    task = _ASSESS if risk.turn_level >= Level.PASSIVE else _STILL_ASSESS
    offer = _OFFER.format(service=f"{line.name}, {line.contact} ({line.hours})")
    return f"{task.format(question=_QUESTIONS[topic], further=_FURTHER[topic])}{manner} {offer}"


def _task(plan: Plan, view: CounselorView, language: str) -> str:
    at = standing(plan, view["messages"], language)
    if at.index >= len(plan.steps):
        return _ALL_DONE
    step, technique = plan.steps[at.index], plan.protocol.techniques[plan.technique]
    sets_task = step.id == "homework" and technique.homework and plan.protocol.approach.sets_tasks
    task = f" Suggested task: {technique.homework}" if sets_task else ""
    return (
        f"Technique, not to be named: {technique.label}. Working on: {plan.focus.rstrip('.')}. "
        f"This turn: {step.aim}{_AGAIN if at.attempt else ''}{task}"
    )
