"""A counselor with an inner loop: before each turn it perceives the client, chooses a strategy, and recalls."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from pydantic import BaseModel, ConfigDict, Field

from counselgraph.agents.ask import Ask
from counselgraph.agents.cards import intake_card, memory_card
from counselgraph.agents.counselor import draft_turn
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import CounselorView
from counselgraph.memory.lexical import LexicalEmbedder
from counselgraph.memory.record import MemoryRecord
from counselgraph.transcript import CLIENT, last_said

_RECALLED = 3


class Resistance(StrEnum):
    """How far the client goes along."""

    NONE = "none"
    HESITANT = "hesitant"
    AVOIDING = "avoiding"
    OPPOSING = "opposing"


class Strategy(StrEnum):
    """What the counselor does in its next turn, whatever the plan's step is about."""

    REFLECT = "reflect"
    VALIDATE = "validate"
    EXPLORE = "explore"
    CHALLENGE_GENTLY = "challenge_gently"
    EXPLAIN = "explain"
    ROLL_WITH_RESISTANCE = "roll_with_resistance"
    OFFER_CHOICE = "offer_choice"
    ENCOURAGE_ACTION = "encourage_action"


class Perception(BaseModel):
    """What the inner loop makes of the client's last turn.

    Attributes:
        emotion: The feeling that stands out, one or two words.
        intensity: How strong it is, 0 to 10.
        resistance: How far the client goes along.
        strategy: What the next turn should do.
        reason: Why, in one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    emotion: str = Field(min_length=1, max_length=40, description="The feeling that stands out, one or two words.")
    intensity: int = Field(ge=0, le=10, description="How strong it is.")
    resistance: Resistance = Field(description="How far the client goes along.")
    strategy: Strategy = Field(description="What the counselor's next turn should do.")
    reason: str = Field(min_length=1, max_length=300, description="Why, in one sentence, from what the client said.")


_DOES = {
    Strategy.REFLECT: "say back what the client feels, a shade deeper than it was said",
    Strategy.VALIDATE: "say what makes sense about how the client feels",
    Strategy.EXPLORE: "ask one open question about it",
    Strategy.CHALLENGE_GENTLY: "wonder aloud about another way to see it",
    Strategy.EXPLAIN: "explain one thing in a plain sentence, and ask whether it fits",
    Strategy.ROLL_WITH_RESISTANCE: "do not push; take the doubt up as the client's own good reason",
    Strategy.OFFER_CHOICE: "offer two ways to go on and let the client choose",
    Strategy.ENCOURAGE_ACTION: "help the client name one small next thing",
}


class TheraMindView(CounselorView, total=False):
    """The counselor's View, and what it perceived so far (each a `Perception` as JSON), which nobody else reads."""

    perceptions: Annotated[list[dict[str, Any]], operator.add]


@role(name="counselor", view=TheraMindView, speaks=True)
async def theramind(view: TheraMindView, ask: Ask) -> Update:
    """A counselor that first perceives emotion and resistance, chooses a strategy and recalls; then it speaks."""
    if not last_said(view["messages"], CLIENT) or view.get("rework"):
        return await draft_turn(view, ask)
    memories = view.get("counselor_memories", ())
    instruction = render("perceive", intake=intake_card(view["intake"]), memories=memory_card(memories))
    seen = await ask.typed(Perception, instruction, view["messages"], _card(view.get("perceptions", ())))
    return await draft_turn(view, ask, f"{_told(seen)}{_recalled(view['messages'], memories)} ") | {
        "perceptions": [seen.model_dump(mode="json")]
    }


def _card(before: Sequence[Mapping[str, Any]]) -> str:
    if not before:
        return "Judge the client's last turn."
    last = Perception.model_validate(before[-1])
    return (
        f"Before: {last.emotion} ({last.intensity}), {last.resistance}, {last.strategy}. Judge the client's last turn."
    )


def _told(seen: Perception) -> str:
    return (
        f"Perceived: {seen.emotion}, {seen.intensity} of 10; going along: {seen.resistance}. In how you do this turn, "
        f"{_DOES[seen.strategy]}."
    )


def _recalled(messages: Sequence[AnyMessage], memories: Sequence[MemoryRecord]) -> str:
    """The memories of earlier sessions nearest to the client's last words."""
    (words,) = last_said(messages, CLIENT)
    if not memories:
        return ""
    embed = LexicalEmbedder()
    nearness = embed([memory.text for memory in memories]) @ embed([words])[0]
    near = [memories[place] for place in sorted(range(len(memories)), key=lambda at: (-nearness[at], at))]
    kept = [memory.text for memory, score in zip(near, sorted(nearness, reverse=True), strict=True) if score > 0]
    return f" From earlier sessions: {' '.join(kept[:_RECALLED])}" if kept else ""
