"""What a client has told so far: its own notes of the session, kept from one session to the next."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from counselgraph.personas.part import Line, Part


class About(StrEnum):
    """What a note is about."""

    COMPLAINT = "complaint"
    DISCLOSURE = "disclosure"
    BELIEF = "belief"
    REASON = "reason"
    PLAN = "plan"


class Told(Part):
    """Something the client has told.

    Attributes:
        session: Session it was told in, 1 for the first.
        exchange: Exchange it was told in.
        about: What it is about.
        text: The thing itself, as the persona has it.
    """

    session: int = Field(default=1, ge=1)
    exchange: int = Field(ge=0)
    about: About
    text: Line


Notes = tuple[Told, ...]


def before(notes: Notes, session: int, exchange: int) -> Notes:
    """Notes made before this turn: a turn that is written anew, because a screen threw it away, is noted once."""
    return tuple(note for note in notes if (note.session, note.exchange) < (session, exchange))


def with_note(notes: Notes, note: Told) -> Notes:
    """The notes with one more, unless the same has been told."""
    return notes if note.text in texts(notes) else (*notes, note)


def texts(notes: Iterable[Told]) -> frozenset[str]:
    """What has been told."""
    return frozenset(note.text for note in notes)
