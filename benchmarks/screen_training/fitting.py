"""Fitting a learned screen: one linear head a level, thresholds by nested cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.screen_training.corpora import Row
from counselgraph.safety.fold import fold
from counselgraph.safety.learned.features import VIEWS, see
from counselgraph.safety.learned.weights import Card, Weights, in_order
from counselgraph.safety.levels import Level, Side
from counselgraph.safety.screen import screen

Floats = NDArray[np.float64]
Levels = NDArray[np.int64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

HEADS = {"en": (2, 3, 4), "zh": (2, 3), "en-reply": (2,)}
FOLDS = 5
LABELLED = "labelled"
_SCALE = 3.0  # of every view beside the bias
_SOFT = 0.5  # how far the ratio of a bucket in risk and rest scales it: 0 not at all, 1 as naive Bayes does
_INVERSE_PENALTY = 5.0
_FEWEST = 5  # texts that must share a bucket before it gets a weight: no rare word, no name is in the weights
_CALM_SHARE = 0.5  # weight of all calm texts together, against all labelled ones
_CALM_ALARMS = 0.01  # share of the texts of any calm set on which a head may speak while the rules are silent

_FIT_ALARMS = {"en-reply": 0.1}  # the same for labelled texts, where a head must not speak on most of what is fit


class Task(NamedTuple):
    """Everything about the rows of one language that a fit needs, in the order of the rows."""

    model: str
    matrix: Any
    level: NDArray[np.int64]
    rules: NDArray[np.int64]
    source: NDArray[np.str_]
    asked: Flags
    groups: NDArray[np.int64]
    weight: Floats

    @property
    def calm(self) -> Flags:
        """Rows that are no part of the labelled set."""
        return np.asarray(self.source != LABELLED)

    def part(self, rows: Places) -> Task:
        """The same for some of the rows."""
        return Task(
            self.model, self.matrix[rows], self.level[rows], self.rules[rows], self.source[rows], self.asked[rows],
            self.groups[rows], self.weight[rows],
        )  # fmt: skip


class Head(NamedTuple):
    """One fitted linear model."""

    coefficients: Floats
    bias: float

    def scores(self, matrix: Any) -> Floats:
        """The score of every row."""
        return np.asarray(matrix @ self.coefficients + self.bias)


def task_of(rows: Sequence[Row], model: str) -> Task:
    """Read the texts in every view and screen them by the rules."""
    language, _, reply = model.partition("-")
    side = Side.COUNSELOR if reply else Side.CLIENT
    calm = np.array([row.calm for row in rows])
    weight = np.where(calm, _CALM_SHARE * (~calm).sum() / max(calm.sum(), 1), 1.0)
    return Task(
        model,
        matrix_of([row.text for row in rows], model),
        np.array([row.level for row in rows]),
        np.array([int(screen(row.text, side=side, language=language).level) for row in rows]),
        np.array([row.source if row.calm else LABELLED for row in rows]),
        np.array([row.asked for row in rows]),
        np.unique([row.group for row in rows], return_inverse=True)[1],
        weight,
    )


def matrix_of(texts: Sequence[str], model: str) -> Any:
    """Texts as rows, the buckets of all views as columns."""
    seen = [[one.counted() for one in see(fold(text).text, model)] for text in texts]
    blocks = []
    for place, view in enumerate(VIEWS[model]):
        found = [views[place] for views in seen]
        ends = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
        columns = np.concatenate([buckets for buckets, _ in found])
        values = np.concatenate([values for _, values in found])
        blocks.append(sparse.csr_matrix((values, columns, ends), shape=(len(texts), 2**view.bits)))
    return sparse.csr_matrix(sparse.hstack(blocks))


def fit_head(task: Task, level: int) -> Head:
    """Fit one head: logistic regression on buckets scaled by how unevenly they are spread."""
    risk = task.level >= level
    present = task.matrix.sign()
    common = np.asarray(present.sum(axis=0)).ravel() >= _FEWEST
    scale = _SCALE * common * _unevenness(present, risk)
    model = LogisticRegression(C=_INVERSE_PENALTY, solver="liblinear", class_weight="balanced", random_state=0)
    model.fit(task.matrix @ sparse.diags(scale), risk, sample_weight=task.weight)
    return Head(model.coef_[0] * scale, float(model.intercept_[0]))


def _unevenness(present: Any, risk: Flags) -> Floats:
    with_risk, without = (np.asarray(present[rows].sum(axis=0)).ravel() + 0.1 for rows in (risk, ~risk))
    ratio = np.abs(np.log((with_risk / with_risk.sum()) / (without / without.sum()))) ** _SOFT
    return np.asarray(ratio / ratio.mean() * 0.2)


def out_of_fold(task: Task, seed: int) -> Floats:
    """Scores of every row by heads that did not see it, in order, shape (heads, rows)."""
    return in_order(raw_scores(task, seed))


def raw_scores(task: Task, seed: int) -> Floats:
    """The same, each head for itself."""
    scores = np.zeros((len(HEADS[task.model]), len(task.level)))
    for train, test in splits(task, seed):
        part = task.part(train)
        for place, level in enumerate(HEADS[task.model]):
            scores[place, test] = fit_head(part, level).scores(task.matrix[test])
    return scores


def splits(task: Task, seed: int) -> list[tuple[Places, Places]]:
    """Folds that keep groups together and the mix of sets and levels even."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    return list(folds.split(task.level, np.where(task.calm, -1, task.level), task.groups))


def thresholds(task: Task, scores: Floats) -> list[float]:
    """For every head the threshold at which rules and head together are best on the labelled texts."""
    return [_threshold(task, level, scores[place]) for place, level in enumerate(HEADS[task.model])]


def _threshold(task: Task, level: int, scores: Floats) -> float:
    silent = task.rules < level
    risk = (task.level >= level)[~task.calm]
    quiet = [np.where(silent, scores, -np.inf)[task.source == source] for source in set(task.source[task.calm])]
    lowest = max((np.quantile(of_one, 1 - _CALM_ALARMS, method="higher") for of_one in quiet), default=-np.inf)
    if task.model in _FIT_ALARMS:
        lowest = max(lowest, np.quantile(scores[~task.calm][~risk], 1 - _FIT_ALARMS[task.model]))
    candidates = np.unique(np.maximum(scores[~task.calm], max(lowest, 0.0) + 1e-6))
    spoken = (scores[~task.calm] >= candidates[:, None]) | ~silent[~task.calm]
    right = (spoken & risk).sum(axis=1)
    return float(candidates[np.argmax(2 * right / (spoken.sum(axis=1) + risk.sum()))])


def decide(scores: Floats, limits: Sequence[float], model: str) -> Levels:
    """The level of every row, as `Weights.level` gives it."""
    spoken = scores >= np.array(limits)[:, None]
    return np.asarray((spoken * np.array(HEADS[model])[:, None]).max(axis=0))


class Decided(NamedTuple):
    """Levels of rows by what was learned without them, shape (rows,).

    Attributes:
        beside: With the thresholds that are best beside the rules.
        alone: With those that are best without.
    """

    beside: Levels
    alone: Levels


def nested(task: Task, seed: int) -> Decided:
    """Level of every row by heads and thresholds that did not see it."""
    found = Decided(np.zeros_like(task.level), np.zeros_like(task.level))
    for train, test in splits(task, seed):
        for levels, decided in zip(found, train_and_decide(task, train, test, seed), strict=True):
            levels[test] = decided
    return found


def train_and_decide(task: Task, train: Places, test: Places, seed: int) -> Decided:
    """Levels of some rows by what was learned from others alone."""
    part = task.part(train)
    inner = out_of_fold(part, seed)
    scores = in_order(np.array([fit_head(part, level).scores(task.matrix[test]) for level in HEADS[task.model]]))
    without = part._replace(rules=np.zeros_like(part.rules))
    asked = task.asked[test]
    return Decided(*(decide(scores, thresholds(one, inner), task.model) * asked for one in (part, without)))


def packed(task: Task, heads: Sequence[Head], limits: Sequence[float], version: str, about: dict[str, Any]) -> Weights:
    """Heads as they are stored: int8 and one scale a view and head."""
    ends = np.cumsum([2**view.bits for view in VIEWS[task.model]])[:-1]
    blocks = [np.split(head.coefficients, ends) for head in heads]
    views, scales = [], []
    for place in range(len(VIEWS[task.model])):
        rows = np.array([block[place] for block in blocks])
        scale = np.maximum(np.abs(rows).max(axis=1), 1e-9) / 127
        views.append(np.round(rows / scale[:, None]).astype(np.int8))
        scales.append(scale)
    card = Card(
        version=version,
        model=task.model,
        levels=tuple(Level(level) for level in HEADS[task.model]),
        thresholds=tuple(round(limit, 4) for limit in limits),
        about=about,
    )
    bias = np.array([head.bias for head in heads], dtype=np.float32)
    return Weights(card, tuple(views), np.array(scales, dtype=np.float32), bias)
