"""The review: after each session of a course it judges progress and fit, and sets the next agenda."""

from __future__ import annotations

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask
from counselgraph.agents.cards import approach_card, intake_card, memory_card, other_approaches
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.memory.record import MemoryRecord
from counselgraph.personas.persona import Intake
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Level, Risk


class ReviewView(TypedDict, total=False):
    """The review knows what the counselor's side knows: the intake, the session just played, and what is remembered."""

    intake: Intake
    messages: list[AnyMessage]
    number: int
    approach: ApproachName
    risk: Risk
    reviews: list[Review]
    counselor_memories: list[MemoryRecord]


@role(view=ReviewView)
async def review(view: ReviewView, ask: Ask) -> Update:
    """Judges how a session went and whether the approach fits, and says what the next one should take up."""
    instruction = render(
        "review",
        approach=approach_card(load_protocol(view["approach"])),
        others=other_approaches(view["approach"]),
        intake=intake_card(view["intake"]),
        memories=memory_card(view.get("counselor_memories", ())),
    )
    found = await ask.typed(Review, instruction, view["messages"], _card(view, ask.scene.sessions))
    return {"reviews": [_consistent(found, view["approach"])]}


def _card(view: ReviewView, planned: int) -> str:
    before = view.get("reviews", [])
    told = f" The review before said: {before[-1].moved} Progress then: {before[-1].progress}." if before else ""
    risk = view.get("risk") or Risk()
    danger = f" The client stands at risk level R{risk.level:d}." if risk.level >= Level.PASSIVE else ""
    return f"This was session {view['number']} of {planned}.{told}{danger} Give your review."


def _consistent(found: Review, approach: ApproachName) -> Review:
    """Keeping an approach and naming another contradict each other: what is named counts."""
    decision = "keep" if found.approach is approach else "change"
    return found.model_copy(update={"decision": decision})
