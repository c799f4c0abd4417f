"""The weights of a learned screen and the card beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from counselgraph.safety.learned.features import VIEWS, Seen
from counselgraph.safety.levels import Frozen, Level

Float = TypeVar("Float", bound=np.floating[Any])
PACKAGE = "counselgraph.safety.learned"


class Card(Frozen):
    """What the weights are, as written beside them by the training script.

    Attributes:
        version: Goes into the source of every finding.
        model: Name of the weights, a key of `VIEWS`.
        levels: The level each head stands for, lowest first.
        thresholds: Score from which on a head speaks, by head.
        about: Data sets with licence and commit, counts, date and measured numbers; for readers.
    """

    version: str
    model: str
    levels: tuple[Level, ...] = Field(min_length=1)
    thresholds: tuple[float, ...]
    about: dict[str, Any]


class Weights(NamedTuple):
    """A linear model over hashed views.

    Attributes:
        views: Per view, weights in int8, shape (heads, buckets).
        scales: What one step of a weight is worth, shape (views, heads).
        bias: Shape (heads,).
    """

    card: Card
    views: tuple[NDArray[np.int8], ...]
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scores(self, seen: Sequence[Seen]) -> NDArray[np.float32]:
        """The score of every head, in order, shape (heads,)."""
        total = self.bias.copy()
        for view, scale, one in zip(self.views, self.scales, seen, strict=True):
            buckets, values = one.counted()
            total += (view[:, buckets] @ values) * scale
        return in_order(total)

    def level(self, scores: NDArray[np.float32]) -> Level:
        """The highest level whose head speaks."""
        spoken = (
            level
            for level, score, threshold in zip(self.card.levels, scores, self.card.thresholds, strict=True)
            if score >= threshold
        )
        return max(spoken, default=Level.NONE)

    def weight_by_place(self, seen: Sequence[Seen], level: Level, length: int) -> NDArray[np.float32]:
        """What starts at each character of a text speaks this much for a level, shape (length,)."""
        head = self.card.levels.index(level)
        found = np.zeros(length, dtype=np.float32)
        for view, scale, one in zip(self.views, self.scales, seen, strict=True):
            share = scale[head] / np.sqrt(max(len(one.buckets), 1))
            np.add.at(found, one.starts, view[head, one.buckets] * share)
        return found


def in_order(scores: NDArray[Float]) -> NDArray[Float]:
    """Scores in which a head is silent where the next lower one leans the other way, shape (heads, ...)."""
    believed = scores.copy()
    believed[1:][scores[:-1] <= 0] = -np.inf
    return believed


@lru_cache(maxsize=1)
def trained() -> tuple[str, ...]:
    """Names of the models that have weights."""
    return tuple(code for code in VIEWS if (files(PACKAGE) / "weights" / f"{code}.npz").is_file())


@lru_cache(maxsize=8)
def load_weights(model: str) -> Weights:
    """Read the weights of one model, once."""
    return read_weights(files(PACKAGE) / "weights", model)


def read_weights(folder: Traversable, model: str) -> Weights:
    """Read `<model>.npz` and `<model>.json` of a folder."""
    card = Card.model_validate_json((folder / f"{model}.json").read_bytes())
    with np.load(BytesIO((folder / f"{model}.npz").read_bytes()), allow_pickle=False) as stored:
        views = tuple(stored[view.name] for view in VIEWS[model])
        return Weights(card, views, stored["scales"], stored["bias"])


def write_weights(folder: Path, weights: Weights) -> None:
    """Write `<model>.npz` and `<model>.json` into a folder."""
    model = weights.card.model
    arrays: dict[str, Any] = {view.name: array for view, array in zip(VIEWS[model], weights.views, strict=True)}
    np.savez_compressed(folder / f"{model}.npz", scales=weights.scales, bias=weights.bias, **arrays)
    text = json.dumps(weights.card.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (folder / f"{model}.json").write_text(f"{text}\n", encoding="utf-8")
