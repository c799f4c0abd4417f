"""Roles that keep something of their own, for tests of what a fork takes along."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Annotated

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from counselgraph import Ask, Update, role
from counselgraph.transcript import exchange_of, text_of


@dataclass(frozen=True)
class Mark:
    """A value of a type that no checkpoint has been told of."""

    exchange: int
    words: int


class TallyView(TypedDict, total=False):
    messages: list[AnyMessage]
    tallied: Annotated[list[Mark], operator.add]
    summed: str


@role(view=TallyView, after="counselor")
async def tally(view: TallyView, ask: Ask) -> Update:
    """Counts the words of the counselor, and says what they come to so far."""
    last = view["messages"][-1]
    mark = Mark(exchange_of(last), len(text_of(last).split()))
    marks = [*view.get("tallied", ()), mark]
    return {"tallied": [mark], "summed": f"{len(marks)} turns, {sum(mark.words for mark in marks)} words"}
