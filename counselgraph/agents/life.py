"""Life: what happens to the client between two sessions of a course."""

from __future__ import annotations

from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask
from counselgraph.agents.cards import attitude_card, client_card, memory_card
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.languages import language_name
from counselgraph.memory.record import MemoryRecord
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.personas.persona import Persona


class LifeView(TypedDict, total=False):
    """Life knows the client and what the client took home, and nothing of the counselor's side."""

    persona: Persona
    number: int
    task: str
    interludes: list[Interlude]
    client_memories: list[MemoryRecord]


@role(view=LifeView)
async def life(view: LifeView, ask: Ask) -> Update:
    """Writes what happens to the client until the next session: events, mood, homework, relapse, drop-out."""
    instruction = render(
        "life",
        case=client_card(view["persona"]),
        attitude=attitude_card(view["persona"]),
        memories=memory_card(view.get("client_memories", ())),
        language=language_name(ask.scene.language),
    )
    found = await ask.typed(Interlude, instruction, (), _card(view))
    return {"interludes": [_consistent(found, view.get("task", ""))]}


def _card(view: LifeView) -> str:
    task = view.get("task", "")
    agreed = f'The task agreed on was: "{task}"' if task else "No task was agreed on."
    last = view.get("interludes", [])
    before = f" The time before that: {last[-1].event}" if last else ""
    return f"Session {view['number']} is over. {agreed}{before} Write the time until the next one."


def _consistent(found: Interlude, task: str) -> Interlude:
    """There is no homework without a task, none left open with one, and a reason only for staying away."""
    homework = found.homework
    if not task:
        homework = Homework.NONE
    elif homework is Homework.NONE:
        homework = Homework.UNDONE
    return found.model_copy(
        update={
            "homework": homework,
            "homework_note": found.homework_note if task else "",
            "reason": (found.reason or "The client did not say why.") if found.leaves else "",
        }
    )
