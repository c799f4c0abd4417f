"""The levels that each layer finds; the learned layer's own training rows are judged by weights that never saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.safety_figures.estimates import Ints
from benchmarks.safety_figures.sets import Labelled
from counselgraph.safety.layers import LEARNED, RULES, screen_layered

Unseen = Mapping[str, int]
"""Text to the level that weights give it which were trained without it."""

REPLIES = "en-reply"
SEED = 0
_BY_CHANCE = 0.02


class Found(NamedTuple):
    """What the layers find in a set.

    Attributes:
        rows: The set.
        levels: Layer ("rules", "learned", "both") to the level of each row; the learned ones only where it has weights.
        trained_on: How many of the rows the shipped weights were trained on; these are judged out of fold.
    """

    rows: Labelled
    levels: dict[str, Ints]
    trained_on: int = 0


def find(rows: Labelled, unseen: Unseen | None) -> Found:
    """Screen every text of a set with every layer there is.

    Args:
        rows: The set.
        unseen: What the learned layer says of its own training texts without having seen them; None leaves it out.
    """
    layers = (RULES,) if unseen is None else (RULES, LEARNED)
    verdicts = [screen_layered(text, language=rows.language, layers=layers) for text in rows.texts]
    levels = {"rules": np.array([int(each[0].level) for each in verdicts])}
    if unseen is None or any(len(each) == 1 for each in verdicts):
        return Found(rows, levels)
    if any(each[1].failed for each in verdicts):
        raise RuntimeError(f"the learned layer failed on {rows.name}")
    pairs = zip(rows.texts, verdicts, strict=True)
    learned = np.array([unseen.get(text, int(each[1].level)) for text, each in pairs])
    both = np.maximum(levels["rules"], learned)
    return Found(rows, levels | {"learned": learned, "both": both}, sum(text in unseen for text in rows.texts))


def unseen_levels(data: Path) -> dict[str, dict[str, int]]:
    """Learned model to the levels of its training texts, each by weights that saw neither it nor its group."""
    # Slow, and an extra: only who measures the learned layer needs them.
    from benchmarks.screen_training import corpora  # noqa: PLC0415
    from benchmarks.screen_training.fitting import nested, task_of  # noqa: PLC0415

    turns = corpora.rehearsal_turns(None)
    models = {
        "en": corpora.english(data, turns),
        "zh": corpora.chinese(data),
        REPLIES: corpora.english_replies(data, turns),
    }
    found = {}
    for model, rows in models.items():
        levels = nested(task_of(rows, model), SEED).beside
        found[model] = {row.text: int(level) for row, level in zip(rows, levels, strict=True)}
    return found


def noted(sets: Sequence[Found]) -> str:
    """On how many rows of each set the learned layer is judged out of fold."""
    # A few short answers, such as "Yes.", stand in several sets.
    own = [found for found in sets if found.trained_on > _BY_CHANCE * len(found.rows.texts)]
    said = [f"{found.trained_on} of {len(found.rows.texts)} of {found.rows.name}" for found in own]
    if not said:
        return "The learned layer is not measured here: there are no weights, or it was left out."
    return (
        f"Of these rows the shipped weights were trained on {', '.join(said)}. There the learned layer's figures are "
        "**out of fold**: each row is judged by weights and thresholds of a five-fold cross-validation that saw "
        "neither it nor its group. All other rows are judged by the shipped weights, which never saw them. They are "
        "set to serve beside the rules, so *learned* alone is quieter than it could be."
    )
