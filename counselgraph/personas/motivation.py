"""The private state of a client who may or may not change something: readiness, reasons, what moves it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from counselgraph.personas.part import Line, Lines, Part, Text

Suggestibility = Annotated[int, Field(ge=1, le=5)]


class Stage(StrEnum):
    """Readiness to change, in order."""

    PRECONTEMPLATION = "precontemplation"
    CONTEMPLATION = "contemplation"
    PREPARATION = "preparation"
    ACTION = "action"

    @property
    def next(self) -> Stage:
        """The stage after this one; the last has none and stays."""
        stages = list(Stage)
        return stages[min(stages.index(self) + 1, len(stages) - 1)]


class MotivationProfile(Part):
    """Where a client stands towards a change.

    Attributes:
        behaviour: What the client does ("smoking").
        change: What the change would be ("smoking less").
        stage: Readiness at the start of the first session.
        suggestibility: How easily the client takes a suggestion, 1 hardly to 5 readily, one number a rating.
        beliefs: What speaks against the change, in the client's own sentences.
        motivation: The one reason that would move the client; told only when the talk comes near it.
        topics: Topics that lead to that reason, the nearest first; the client grows attentive as they come up.
        plans: What the client would agree to do once it is ready; anything else is turned down.
    """

    behaviour: Text = ""
    change: Line
    stage: Stage = Stage.PRECONTEMPLATION
    suggestibility: tuple[Suggestibility, ...] = ()
    beliefs: Lines = ()
    motivation: Text = ""
    topics: Lines = ()
    plans: Lines = ()

    @property
    def receptivity(self) -> float:
        """Mean suggestibility on a scale from 0 to 1; 0.5 without ratings."""
        if not self.suggestibility:
            return 0.5
        return (sum(self.suggestibility) / len(self.suggestibility) - 1) / 4
