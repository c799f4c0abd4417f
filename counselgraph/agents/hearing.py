"""The conversation as a client that changes lives it: what was said to it, and what it had said just before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from langchain_core.messages import AnyMessage

from counselgraph.personas.lexicon import lexicon, lexicon_is_read
from counselgraph.personas.signs import Signs, signs_of
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of


class Heard(NamedTuple):
    """What the client answers in one of its turns.

    Attributes:
        words: What the counselor said since the client's last turn; "" if the client opens.
        before: What the client had said in that turn; "" in its first.
    """

    words: str
    before: str

    @property
    def signs(self) -> Signs:
        """What the counselor's words did."""
        return signs_of(self.words, self.before)


def heard_so_far(messages: Sequence[AnyMessage]) -> list[Heard]:
    """Every turn of the client with what it answers, oldest first; the last one is still to be spoken."""
    found: list[Heard] = []
    words, before = list[str](), ""
    for message in messages:
        role = role_of(message)
        if role == COUNSELOR:
            words.append(text_of(message))
        elif role == CLIENT:
            found.append(Heard(" ".join(words), before))
            words, before = [], text_of(message)
    return [*found, Heard(" ".join(words), before)]


async def read_lexicon() -> None:
    """Read the words by which a client takes a turn, if nobody has yet: an event loop is no place to read files."""
    if not lexicon_is_read():
        await asyncio.to_thread(lexicon)
