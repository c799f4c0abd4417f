"""The private state of a client that changes: a complaint that unfolds, an emotion with inertia, earlier sessions."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from counselgraph.personas.part import Line, Lines, Part, Text


class Speaker(StrEnum):
    """Who said something in an earlier session."""

    CLIENT = "client"
    COUNSELOR = "counselor"


class Mood(Part):
    """Where the client's emotion comes to rest when nothing happens.

    Attributes:
        word: A noun for it ("sadness"); empty where the source names none.
        valence: -1 is as unpleasant as can be, 1 as pleasant.
        arousal: 0 is flat, 1 agitated.
    """

    word: Text = ""
    valence: float = Field(default=-0.3, ge=-1, le=1)
    arousal: float = Field(default=0.4, ge=0, le=1)


class EarlierMemory(Part):
    """Something the client remembers of an earlier session.

    Attributes:
        session: Which session, counted from 1.
        by: Who said it.
        text: What was said, as it was said.
    """

    session: int = Field(default=1, ge=1)
    by: Speaker = Speaker.CLIENT
    text: Line


class EvolvingProfile(Part):
    """How a client changes while it talks, and what it brings along from earlier sessions.

    Attributes:
        complaints: The complaint as it unfolds, one stage after the other, in the client's own sentences; the first
            is what the client comes with. Empty where the presenting problem is all there is.
        baseline: Where the emotion comes to rest.
        inertia: Share of the emotion of one turn that is still there in the next: 0 follows every word of the
            counselor's, 1 never moves.
        earlier: What is remembered of earlier sessions, oldest first.
        since: How the client has fared since the last of them.
    """

    complaints: Lines = ()
    baseline: Mood = Mood()
    inertia: float = Field(default=0.7, ge=0, le=1)
    earlier: tuple[EarlierMemory, ...] = ()
    since: Text = ""

    @property
    def sessions(self) -> int:
        """Number of earlier sessions that something is remembered of."""
        return max((memory.session for memory in self.earlier), default=0)

    def complaint(self, stage: int) -> str:
        """The complaint at a stage counted from 1; the last one after the chain has ended, empty without a chain."""
        return self.complaints[min(max(stage, 1), len(self.complaints)) - 1] if self.complaints else ""
