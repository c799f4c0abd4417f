"""Numbers of a screen on labelled rows, with bootstrap intervals, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.screen_training.fitting import Flags, Floats, Levels

RESAMPLES = 1000
NAMES = ("recall", "precision", "F1", "specificity")


class Measured(NamedTuple):
    """What one layer does at one level.

    Attributes:
        rates: Recall, precision, F1, specificity; means over the runs.
        low: Lower ends of their 95 % intervals.
        high: Upper ends.
    """

    rates: Floats
    low: Floats
    high: Floats

    def cells(self) -> str:
        """The rates with their intervals as cells of a table."""
        each = zip(self.rates, self.low, self.high, strict=True)
        return " | ".join(f"{rate:.3f} ({low:.3f}-{high:.3f})" for rate, low, high in each)

    def plain(self) -> dict[str, list[float]]:
        """Rate and interval by name, for a card."""
        each = zip(NAMES, self.rates, self.low, self.high, strict=True)
        return {name: [round(float(value), 3) for value in values] for name, *values in each}


def measure(risk: Flags, fired: Sequence[Flags], seed: int = 0) -> Measured:
    """Rates of one or more runs on the same rows; a resample draws rows, the same for all runs.

    Args:
        risk: Which rows are positive.
        fired: For each run, on which rows the screen spoke.
        seed: Of the resamples.
    """
    draw = np.random.default_rng(seed)
    drawn = [draw.integers(0, len(risk), len(risk)) for _ in range(RESAMPLES)]
    resampled = np.array([_rates(risk[rows], [one[rows] for one in fired]) for rows in drawn])
    low, high = np.nanquantile(resampled, (0.025, 0.975), axis=0)
    return Measured(_rates(risk, fired), low, high)


def _rates(risk: Flags, fired: Sequence[Flags]) -> Floats:
    return np.asarray(np.mean([_rates_of_one(risk, one) for one in fired], axis=0))


def _rates_of_one(risk: Flags, fired: Flags) -> tuple[float, float, float, float]:
    hit, spoken, real = float((risk & fired).sum()), float(fired.sum()), float(risk.sum())
    calm = len(risk) - real
    return (
        hit / real if real else np.nan,
        hit / spoken if spoken else np.nan,
        2 * hit / (spoken + real) if spoken + real else np.nan,
        1 - (spoken - hit) / calm if calm else np.nan,
    )


def alarms(levels: Sequence[Levels], heads: Sequence[int]) -> dict[str, float]:
    """Share of calm rows at each level or above, as the mean over runs."""
    return {f"R{head}": round(float(np.mean([(one >= head).mean() for one in levels])), 4) for head in heads}
