"""What happens to a client between two sessions: the client's own business until it tells of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from counselgraph.personas.part import Line, Part, Text


class Homework(StrEnum):
    """What became of the task agreed on in the last session."""

    NONE = "none"
    DONE = "done"
    HALF = "half"
    UNDONE = "undone"


class Interlude(Part):
    """The time between two sessions.

    Attributes:
        days: How long it was.
        event: What happened, one or two sentences in the client's own words.
        mood: How the client is compared with the end of the last session: -2 much worse, 0 the same, 2 much better.
        homework: What became of the task; `none` where none was agreed on.
        homework_note: How that went, in the client's own words; empty without a task.
        relapse: Whether the old trouble came back with its old force.
        leaves: Whether the client does not come back.
        reason: Why it does not; empty if it does.
    """

    days: int = Field(default=7, ge=1, le=90, description="Days until the next session; 7 is usual.")
    event: Line = Field(max_length=400, description="What happened, one or two sentences in the client's own words.")
    mood: int = Field(default=0, ge=-2, le=2, description="Compared with the end of the last session, -2 to 2.")
    homework: Homework = Field(default=Homework.NONE, description="What became of the task; none if there was none.")
    homework_note: Text = Field(default="", max_length=300, description="How the task went, in the client's own words.")
    relapse: bool = Field(default=False, description="Whether the old trouble came back with its old force.")
    leaves: bool = Field(default=False, description="Whether the client does not come back. Rare.")
    reason: Text = Field(default="", max_length=300, description="Why not, in the client's own words; else empty.")
