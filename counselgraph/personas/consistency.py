"""Whether a client with a tracked readiness stayed consistent: counted over the trace of its state."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.moves import ALLOWED, WEIGHTS, Tells, items
from counselgraph.personas.readiness import Readiness
from counselgraph.personas.words import told_in

SAID = 0.6
"""Share of a thing's topic words from which a client's turn gives it away."""


class Inconsistencies(NamedTuple):
    """What was found.

    Attributes:
        turns: Turns looked at.
        skipped: Turns at which the stage moved by more than one.
        forbidden: Turns with an action, or about to tell a thing, that their stage does not have.
        untimely: Things that the words gave away before their time.
    """

    turns: int
    skipped: int
    forbidden: int
    untimely: int

    @property
    def rate(self) -> float:
        """Inconsistencies a turn, 0 for no turns."""
        return (self.skipped + self.forbidden + self.untimely) / self.turns if self.turns else 0.0


def inconsistencies(trace: Sequence[Readiness]) -> Inconsistencies:
    """Count over the readiness of one session at each of the client's turns, oldest first.

    A turn's words are judged by the state of the next turn, so those of the last turn are not counted.
    """
    stages = list(Stage)
    places = [stages.index(state.stage) for state in trace]
    first = len(trace[0].untimely) if trace else 0
    return Inconsistencies(
        turns=len(trace),
        skipped=sum(abs(after - before) > 1 for before, after in pairwise(places)),
        forbidden=sum(_forbidden(state) for state in trace),
        untimely=len(trace[-1].untimely) - first if trace else 0,
    )


def given_away(words: str, profile: MotivationProfile, stage: Stage) -> tuple[Tells, ...]:
    """Kinds of things that a client's turn tells although its stage does not have them yet."""
    return tuple(
        kind
        for kind, things in items(profile).items()
        if kind not in ALLOWED[stage] and any(told_in(thing, words) >= SAID for thing in things)
    )


def _forbidden(state: Readiness) -> bool:
    known = state.action is None or state.action in WEIGHTS[state.stage]
    return not known or state.tells not in ALLOWED[state.stage]
