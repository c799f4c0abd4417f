"""One memory: something one owner keeps of one client, when it was learned, and what became of it."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

LEAST, USUAL, MOST = 1, 3, 5


class Kind(StrEnum):
    """What a memory is about."""

    SUMMARY = "summary"
    FACT = "fact"
    HOMEWORK = "homework"
    INSIGHT = "insight"
    RISK = "risk"
    PREFERENCE = "preference"
    PROMISE = "promise"
    PORTRAIT = "portrait"


class Moment(NamedTuple):
    """A point in a client's course: what was learned or changed in this session or later is not known yet.

    Attributes:
        session_number: Number of the session that is about to be played; 1 for the client's first.
        day: Simulated days since the client's first session.
    """

    session_number: int
    day: float = 0.0


class SourceTurn(NamedTuple):
    """The turn that a memory comes from.

    Attributes:
        exchange: Number of the exchange, 0 for the opening.
        role: Who spoke.
    """

    exchange: int
    role: str


class MemoryRecord(BaseModel):
    """Something one owner keeps of one client.

    What a record says never changes after it is written; what became of it does: the last five fields.

    Attributes:
        owner: Role that keeps it ("client", "counselor"); another owner never recalls it.
        client_id: Persona id of the client it is about; another client's session never recalls it.
        kind: What it is about.
        text: The memory, one or two sentences.
        session: Id of the session it comes from.
        session_number: 1 for the client's first session, 2 for the next.
        exchange: Exchange it comes from, 0 for the opening.
        role: Who said what it comes from; empty if it comes from no single turn.
        importance: 1 (passing) to 5 (must not be lost).
        subject: What a fact is about in one or two words ("job", "sleep"). Of one owner's memories of a client with
            the same subject the newest is valid, the others are superseded. Empty: it supersedes nothing.
        day: Simulated days from the client's first session to the one it comes from.
        open: Something is owed: homework not asked about yet, a promise not kept yet.
        closed_in: Number of the session in which an open one was settled, 0 if it was not.
        recalled_on: Days on which it was recalled, in order; every one of them strengthens it.
        valid_until: Day on which a newer memory superseded it, None if it holds.
        superseded_by: Id of that memory, empty if it holds.
        superseded_in: Number of the session that brought that memory, 0 if it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str = Field(min_length=1)
    client_id: str = Field(min_length=1)
    kind: Kind
    text: str = Field(min_length=1)
    session: str = Field(min_length=1)
    session_number: int = Field(default=1, ge=1)
    exchange: int = Field(default=0, ge=0)
    role: str = ""
    importance: int = Field(default=USUAL, ge=LEAST, le=MOST)
    subject: str = ""
    day: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    open: bool = False
    closed_in: int = Field(default=0, ge=0)
    recalled_on: tuple[float, ...] = ()
    valid_until: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    superseded_by: str = ""
    superseded_in: int = Field(default=0, ge=0)

    @property
    def id(self) -> str:
        """Content address: writing the same memory twice is writing it once; a valid portrait has one id for ever."""
        if self.kind is Kind.PORTRAIT and not self.superseded_by:
            return portrait_id(self.owner, self.client_id)
        return _digest(self.owner, self.client_id, self.kind, self.session, str(self.exchange), self.text)

    @property
    def source_turn(self) -> SourceTurn | None:
        """The turn it comes from, None if it comes from a session as a whole."""
        return SourceTurn(self.exchange, self.role) if self.role else None

    @property
    def valid_from(self) -> float:
        """Day from which it holds: the one on which it was learned."""
        return self.day

    @property
    def recalls(self) -> int:
        """On how many days it was recalled."""
        return len(self.recalled_on)

    @property
    def last_recalled(self) -> float | None:
        """Last day on which it was recalled, None if it never was."""
        return self.recalled_on[-1] if self.recalled_on else None

    def known_at(self, at: Moment | None) -> bool:
        """Whether it was learned before the session at hand; always, if there is none."""
        return at is None or self.session_number < at.session_number

    def valid_at(self, at: Moment | None) -> bool:
        """Whether nothing that was learned before the session at hand supersedes it."""
        return _not_yet(self.superseded_in, at)

    def open_at(self, at: Moment | None) -> bool:
        """Whether something was still owed when the session at hand began."""
        return self.open and _not_yet(self.closed_in, at) and self.valid_at(at)


def portrait_id(owner: str, client_id: str) -> str:
    """Id of the one valid portrait that an owner keeps of a client."""
    return _digest(owner, client_id, Kind.PORTRAIT)


def scope(owner: str, client_id: str) -> str:
    """An owner and a client in one word; JSON, because no two pairs may ever be written alike."""
    return json.dumps([owner, client_id])


def order(record: MemoryRecord) -> tuple[int, int, str, str]:
    """Sorting key: memories in the order they come from."""
    return record.session_number, record.exchange, record.text, record.id


def _not_yet(happened_in: int, at: Moment | None) -> bool:
    return happened_in == 0 or (at is not None and happened_in >= at.session_number)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
