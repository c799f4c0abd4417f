"""Prompts as they are sent today, made by the roles themselves. Run as a module it writes them into docs/prompts.md."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from counselgraph import Persona, load_personas
from counselgraph.agents.ask import Ask, Scene
from counselgraph.agents.client import client
from counselgraph.agents.counselor import counselor
from counselgraph.agents.keeper import keeper
from counselgraph.agents.life import life
from counselgraph.agents.monitor import monitor, reviewer
from counselgraph.agents.planner import planner
from counselgraph.agents.review import review
from counselgraph.agents.role import Role
from counselgraph.agents.theramind import Perception, Resistance, Strategy, theramind
from counselgraph.memory.kept import Kept
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Answer, ChatMessage, Request
from counselgraph.personas.interlude import Interlude
from counselgraph.protocols.plan import Plan, PlanDecision, Trigger, assemble
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName, Phase, Technique
from counselgraph.safety.levels import Category, Finding, Level, Risk, Verdict
from counselgraph.transcript import CLIENT, COUNSELOR, turn

PAGE = Path(__file__).parents[3] / "docs" / "prompts.md"
ROLES = {
    "client": client,
    "counselor": counselor,
    "planner": planner,
    "monitor": monitor,
    "reviewer": reviewer,
    "review": review,
    "life": life,
    "keeper": keeper,
    "perceive": theramind,
}
SAID = (
    (COUNSELOR, 0, "Hello Claire. What brings you here?"),
    (CLIENT, 1, "Sorry, it's silly really. I say yes to everything, and then I lie awake being furious."),
    (COUNSELOR, 1, "Furious, and awake with it. When did you last say yes and mean no?"),
    (CLIENT, 2, "On Monday. Doctor Aubin asked me to stay late, and I heard myself say it was no problem."),
)
DRAFT = (COUNSELOR, 2, "You heard yourself say it. What went through your mind just before?")
_ANSWERS = {
    Verdict: '{"side": "client"}',
    Review: Review(
        decision="keep", approach=ApproachName.CBT, evidence="no problem", reason="r", progress=0, moved="m", agenda="a"
    ).model_dump_json(),
    Interlude: Interlude(event="I walked.").model_dump_json(),
    Kept: Kept(items=()).model_dump_json(),
    Perception: Perception(
        emotion="anger", intensity=5, resistance=Resistance.NONE, strategy=Strategy.REFLECT, reason="r"
    ).model_dump_json(),
}
_BLOCK = re.compile(r"(<!-- example: (?P<name>[\w ]+) -->\n```text\n).*?(^```$)", re.MULTILINE | re.DOTALL)


class Recorder:
    """Keeps what it is asked and answers anything."""

    name = "recorder"

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.output is PlanDecision:
            return Answer(text=decision().model_dump_json())
        return Answer(text=_ANSWERS[request.output] if request.output else "Yes.")


def decision() -> PlanDecision:
    return PlanDecision(
        technique=Technique.ASSERTIVENESS,
        focus="If I say no, she'll think I'm selfish.",
        hypothesis="I have to earn my place with people.",
        phase=Phase.EXPLORATION,
        reason="She says yes and is furious afterwards.",
    )


def plan() -> Plan:
    return assemble(decision(), load_protocol(), previous=None, exchange=1, trigger=Trigger.START, level=0, close=True)


@lru_cache(maxsize=1)
def claire() -> Persona:
    return load_personas("builtin/claire-moreau").personas[0]


def view_of(said: Sequence[tuple[str, int, str]], **values: Any) -> dict[str, Any]:
    """Every channel that a View of ours names; more than any one role may read, which does not matter to its prompt."""
    persona = claire()
    return {
        "persona": persona.for_client(),
        "intake": persona.for_counselor(),
        "messages": [turn(role, text, exchange=number) for role, number, text in said],
        "exchange": said[-1][1] if said else 0,
        "plan": None,
        "risk": Risk(),
        "verdicts": [],
        **values,
    }


async def prompt_of(role: Role, view: Mapping[str, Any], language: str = "en") -> tuple[ChatMessage, ...]:
    """What a role's model is asked with a View."""
    model = Recorder()
    await role.act(view, Ask(role=role.name, model=model, scene=Scene(exchange=view["exchange"], language=language)))
    return model.requests[0].messages


def shown(messages: Sequence[ChatMessage]) -> str:
    return "\n\n".join(f"({message['role']})\n{message['content']}" for message in messages)


def examples() -> dict[str, str]:
    """Name of an example to its text, for every example of the page."""
    memories = [
        MemoryRecord(
            owner=COUNSELOR, client_id="c", kind=Kind.HOMEWORK, text="Say no once, in writing.", session="s",
            session_number=1,
        )
    ]  # fmt: skip
    found = Finding(
        category=Category.SI_ACTIVE, level=Level.ACTIVE, quote="killing myself", source="rules/en:suicide-self"
    )
    risk = Risk(level=Level.ACTIVE, turn_level=Level.ACTIVE, findings=(found,))
    views = {
        "client": view_of(SAID[:3], exchange=2),
        "counselor": view_of(SAID, plan=plan()),
        "planner": view_of(SAID, counselor_memories=memories),
        "monitor": view_of(SAID),
        "reviewer": view_of([*SAID, DRAFT]),
        "review": view_of([*SAID, DRAFT], number=2, approach=ApproachName.CBT, counselor_memories=memories),
        "life": view_of((), number=2, task="Say no once, in writing."),
        "keeper": view_of([*SAID, DRAFT]),
        "perceive": view_of(SAID, plan=plan(), counselor_memories=memories),
    }
    made = {name: shown(asyncio.run(prompt_of(ROLES[name], view))) for name, view in views.items()}
    danger = asyncio.run(prompt_of(counselor, view_of(SAID, plan=plan(), risk=risk)))
    return {**made, "danger": danger[-1]["content"].rpartition("\n\n")[2]}


def filled(page: str) -> str:
    """A page with its examples as they are today."""
    made = examples()
    return _BLOCK.sub(lambda found: f"{found[1]}{made[found['name']]}\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
