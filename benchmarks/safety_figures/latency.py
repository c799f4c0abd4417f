"""How long a turn takes, layer by layer, one turn after the other on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from benchmarks.safety_figures.page import tabled
from benchmarks.safety_figures.sets import Labelled
from counselgraph.safety.layers import LEARNED, RULES, screen_layered
from counselgraph.safety.learned import screen_learned
from counselgraph.safety.levels import Side

_MOST = 600  # texts of a set that are timed
_WARM = 50

Screen = Callable[[str], object]


def latency_table(sets: Mapping[str, Labelled]) -> str:
    """Milliseconds a turn and turns a second, for each kind of text and each layer."""
    rows = [
        (kind, layer, *_timed(screen, rows.texts[:_MOST]))
        for kind, rows in sets.items()
        for layer, screen in _screens(rows.language).items()
    ]
    return tabled(("texts", "layer", "characters", "p50 ms", "p95 ms", "turns/s"), rows)


def _screens(language: str) -> dict[str, Screen]:
    screens: dict[str, Screen] = {"rules": partial(screen_layered, language=language, layers=(RULES,))}
    if screen_learned("", side=Side.CLIENT, language=language) is not None:
        screens["learned"] = partial(screen_learned, side=Side.CLIENT, language=language)
        screens["rules + learned"] = partial(screen_layered, language=language, layers=(RULES, LEARNED))
    return screens


def _timed(screen: Screen, texts: Sequence[str]) -> tuple[str, ...]:
    """Median length, median and 95th percentile of the time, and speed."""
    for text in texts[:_WARM]:
        screen(text)
    taken = []
    for text in texts:
        started = time.perf_counter()
        screen(text)
        taken.append(time.perf_counter() - started)
    p50, p95 = np.percentile(np.array(taken) * 1000, (50, 95))
    length = int(np.median([len(text) for text in texts]))
    return str(length), f"{p50:.3f}", f"{p95:.3f}", f"{len(texts) / sum(taken):,.0f}"
