"""What a summariser decides to keep of a session, and the check that each item really comes from a turn.

`Kept` is the answer of a model role: its JSON schema is what the role asks for. A model may name a turn that does not
exist or a quote that nobody said; such items are dropped and reported, never repaired. A portrait comes from a session
as a whole, and takes the place of the one before it.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from langchain_core.messages import AnyMessage
from pydantic import BaseModel, ConfigDict, Field

from counselgraph.memory.record import LEAST, MOST, Kind, MemoryRecord
from counselgraph.transcript import exchange_of, role_of, text_of

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
_MOST_ITEMS = 12
PORTRAIT_CHARACTERS = 900
"""Longest portrait; the prompt asks for about half of it, because models do not count."""
_OWED = frozenset({Kind.HOMEWORK, Kind.PROMISE})

KeptKind = Literal[Kind.FACT, Kind.HOMEWORK, Kind.INSIGHT, Kind.RISK, Kind.PREFERENCE, Kind.PROMISE]


class KeptItem(BaseModel):
    """One thing to keep, with the turn it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: KeptKind = Field(description="What it is.")
    text: str = Field(min_length=1, max_length=300, description="What to remember, in one sentence that stands alone.")
    exchange: int = Field(ge=0, description="Number of the exchange it comes from.")
    role: str = Field(min_length=1, description="Who said it in that exchange.")
    quote: str = Field(min_length=1, max_length=300, description="A few words of that turn, copied exactly.")
    importance: int = Field(ge=LEAST, le=MOST, description="1 for passing, 5 for what must not be lost.")
    subject: str = Field(
        max_length=40,
        description="For a fact or preference that may change: what it is about in one or two words. Otherwise empty.",
    )


class Kept(BaseModel):
    """What is worth keeping of a session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[KeptItem, ...] = Field(max_length=_MOST_ITEMS, description="The most important first.")
    portrait: str = Field(
        default="",
        max_length=PORTRAIT_CHARACTERS,
        description="The client in a few sentences, the earlier portrait brought up to date; empty if none is wanted.",
    )


class Fault(StrEnum):
    """Why an item was not kept."""

    NO_SUCH_TURN = "no such turn"
    NOT_SAID = "the quote does not occur in its turn"
    EMPTY = "nothing to remember"


@dataclass(frozen=True)
class Dropped:
    """An item that was not kept, and why."""

    item: KeptItem
    fault: Fault


@dataclass(frozen=True)
class Checked:
    """What a summariser's answer came to.

    Attributes:
        records: Memories whose source turn was found, and the portrait, if there is one.
        dropped: The other items.
    """

    records: tuple[MemoryRecord, ...]
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True)
class Origin:
    """Whose memories they become, and of which session; the fields of `MemoryRecord` of the same names."""

    owner: str
    client_id: str
    session: str
    session_number: int = 1
    day: float = 0.0


def checked(kept: Kept, messages: Sequence[AnyMessage], origin: Origin) -> Checked:
    """Turn what was kept into memories, after looking up every source turn.

    Case, white space and typographic quotation marks of a quote do not matter. Homework and promises become open.

    Args:
        kept: The summariser's answer.
        messages: The transcript it read.
        origin: Whose memories they become.
    """
    said: defaultdict[tuple[int, str], str] = defaultdict(str)
    for message in messages:
        said[exchange_of(message), role_of(message)] += f" {_plain(text_of(message))}"
    records: list[MemoryRecord] = []
    dropped: list[Dropped] = []
    for item in kept.items:
        fault = _fault(item, said.get((item.exchange, item.role)))
        if fault is None:
            records.append(_record(item, origin))
        else:
            dropped.append(Dropped(item, fault))
    if portrait := " ".join(kept.portrait.split()):
        records.append(_portrait(portrait, origin, max((exchange for exchange, _role in said), default=0)))
    return Checked(tuple(records), tuple(dropped))


def _portrait(text: str, origin: Origin, exchange: int) -> MemoryRecord:
    return MemoryRecord(
        owner=origin.owner,
        client_id=origin.client_id,
        kind=Kind.PORTRAIT,
        text=text,
        session=origin.session,
        session_number=origin.session_number,
        exchange=exchange,
        day=origin.day,
    )


def _fault(item: KeptItem, turn: str | None) -> Fault | None:
    quote = _plain(item.quote)
    if turn is None:
        return Fault.NO_SUCH_TURN
    if not (quote and item.text.strip()):
        return Fault.EMPTY
    return None if quote in turn else Fault.NOT_SAID


def _record(item: KeptItem, origin: Origin) -> MemoryRecord:
    return MemoryRecord(
        owner=origin.owner,
        client_id=origin.client_id,
        kind=item.kind,
        text=item.text.strip(),
        session=origin.session,
        session_number=origin.session_number,
        exchange=item.exchange,
        role=item.role,
        importance=item.importance,
        subject=" ".join(item.subject.casefold().split()),
        day=origin.day,
        open=item.kind in _OWED,
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold().split()).strip(" .…\"'")
