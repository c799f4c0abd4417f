"""Forgetting after MemoryBank (Zhong et al., 2023): what is not recalled fades, what is recalled lasts longer.

The curve is Ebbinghaus's, R = exp(-t / S): t is the time since a memory was last in mind and S its strength. So says
the paper; its published code computes exp(-t / 5 * S), in which S multiplies, and a memory recalled often fades faster.
Here R falls with t and rises with S. Time is simulated and nothing is left to chance: MemoryBank keeps a memory with
probability R, which plays differently every time; here it is out of reach once R is below a threshold. Nothing is
deleted: what is out of reach is not recalled, but it stays in the history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from counselgraph.memory.record import USUAL, Kind, MemoryRecord, Moment

_KEPT = frozenset({Kind.RISK, Kind.PORTRAIT})


@dataclass(frozen=True)
class Forgetting:
    """How fast memories fade.

    Attributes:
        days: Strength of a memory of usual importance that was never recalled: after so many days R is 1/e (37 %).
        threshold: A memory whose R is below it is out of reach.
    """

    days: float = 14.0
    threshold: float = 0.05

    def __post_init__(self) -> None:
        if not (self.days > 0 and 0 <= self.threshold <= 1):
            raise ValueError(f"`days` must be positive and `threshold` from 0 to 1, got {self}")

    def retention(self, record: MemoryRecord, day: float) -> float:
        """How well a memory is kept on a day, from 1 (just in mind) towards 0.

        Later recalls do not count, so that a session played again finds what it found the first time.
        """
        recalled = [on for on in record.recalled_on if on < day]
        since = max([record.day, *recalled])
        return retention(max(0.0, day - since), strength(self.days, record.importance, len(recalled)))

    def out_of_reach(self, record: MemoryRecord, at: Moment) -> bool:
        """Whether a memory is forgotten; never one about risk, a portrait, or one that still owes something."""
        if record.kind in _KEPT or record.open_at(at):
            return False
        return self.retention(record, at.day) < self.threshold


def strength(days: float, importance: int, recalls: int) -> float:
    """Strength S in days: grows with importance, and by its first value with every recall."""
    return days * importance / USUAL * (1 + recalls)


def retention(elapsed: float, strength: float) -> float:
    """R = exp(-t / S), for t and S in the same unit, t >= 0 and S > 0."""
    return math.exp(-elapsed / strength)
