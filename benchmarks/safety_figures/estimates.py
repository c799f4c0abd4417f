"""Figures with bootstrap intervals: groups are resampled, and every figure is made anew from the resampled counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

RESAMPLES, SEED = 2000, 20261121
LEVELS = 6

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Statistic: TypeAlias = Callable[[Floats], Any]
"""From counts, of shape (..., kinds), to one number for each row of them."""


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "-"
        return f"{short(self.value)} ({short(self.low)}-{short(self.high)})"


class Quality(NamedTuple):
    """How well a detector does."""

    recall: Estimate
    precision: Estimate
    f1: Estimate
    specificity: Estimate


def short(value: float) -> str:
    """Two digits, without the zero in front."""
    return "-" if np.isnan(value) else f"{value:.2f}".removeprefix("0")


def percents(found: Estimate) -> str:
    """A share in per cent with its interval, for shares that are close to none or all."""
    if np.isnan(found.value):
        return "-"
    value, low, high = (f"{100 * one:.1f}" for one in found)
    return f"{value} % ({low}-{high})"


def quality(gold: Flags, found: Flags, groups: Sequence[str]) -> Quality:
    """Recall, precision, F1 and specificity of what was found.

    Args:
        gold: Whether each row is a positive.
        found: Whether each row was found.
        groups: Rows of one group are resampled together.
    """
    counts = _by_group(np.stack([gold & found, ~gold & found, gold & ~found, ~gold & ~found], axis=1), groups)
    return Quality(*(estimate(counts, each) for each in (_recall, _precision, _f1, _specificity)))


def share(flags: Flags, groups: Sequence[str]) -> Estimate:
    """The share of rows that are true."""
    return estimate(_by_group(np.stack([flags, ~flags], axis=1), groups), lambda n: _ratio(n[..., 0], n.sum(-1)))


def auc(gold: Flags, severity: Ints, groups: Sequence[str]) -> Estimate:
    """The chance that a positive row has a higher severity than a negative one, ties counted half."""
    own = severity[:, None] == np.arange(LEVELS)
    return estimate(_by_group(np.hstack([own & gold[:, None], own & ~gold[:, None]]), groups), _auc)


def estimate(counts: Floats, statistic: Statistic) -> Estimate:
    """A statistic of summed counts, of shape (groups, kinds), with its interval over resampled groups."""
    if not len(counts):
        return Estimate(np.nan, np.nan, np.nan)
    again = np.asarray(statistic(_weights(len(counts)) @ counts))
    again = again[~np.isnan(again)]
    low, high = np.percentile(again, (2.5, 97.5)) if len(again) else (np.nan, np.nan)
    return Estimate(float(statistic(counts.sum(axis=0))), float(low), float(high))


@lru_cache(maxsize=4)
def _weights(groups: int) -> Floats:
    """How often each group is drawn, shape (resamples, groups)."""
    drawn = np.random.default_rng(SEED).multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    return drawn.astype(np.float64)


def _by_group(flags: NDArray[np.bool_], groups: Sequence[str]) -> Floats:
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.zeros((len(names), flags.shape[1]))
    np.add.at(counts, place, flags)
    return counts


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part / whole)


def _recall(counts: Floats) -> Floats:
    return _ratio(counts[..., 0], counts[..., 0] + counts[..., 2])


def _precision(counts: Floats) -> Floats:
    return _ratio(counts[..., 0], counts[..., 0] + counts[..., 1])


def _f1(counts: Floats) -> Floats:
    return _ratio(2 * counts[..., 0], 2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


def _specificity(counts: Floats) -> Floats:
    return _ratio(counts[..., 3], counts[..., 3] + counts[..., 1])


def _auc(counts: Floats) -> Floats:
    positive, negative = counts[..., :LEVELS], counts[..., LEVELS:]
    below = np.cumsum(negative, axis=-1) - negative / 2
    return _ratio((positive * below).sum(-1), positive.sum(-1) * negative.sum(-1))
