"""The client's side: what the layers find in labelled texts, and how often they speak where nothing is the matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.safety_figures.estimates import Flags, Ints, Quality, percents, quality, share
from benchmarks.safety_figures.layers import Found
from benchmarks.safety_figures.page import LAYER_NAMES, tabled
from benchmarks.safety_figures.sets import Labelled, table

# Which label is to be found at which level: fixed by docs/safety.md before anything was counted.
TARGETS = {
    "av9ash": {"severity >= 1": 2, "severity >= 2": 3, "severity >= 4": 4},
    "PsyGUARD": {"classes 0-6": 2, "classes 0-3": 3},
}
THRESHOLDS = (1, 2, 3, 4)
_FIGURES = ("recall", "precision", "F1", "specificity")


def measured(found: Found, layer: str, level: int, at: int, rows: Flags | None = None) -> Quality:
    """How well a layer finds rows labelled `level` or above when it speaks from `at` on."""
    chosen = np.ones(len(found.rows.texts), dtype=np.bool_) if rows is None else rows
    groups = [group for group, taken in zip(found.rows.groups, chosen, strict=True) if taken]
    return quality(found.rows.gold[chosen] >= level, found.levels[layer][chosen] >= at, groups)


def main_table(sets: Sequence[Found]) -> str:
    """Each label at the level it stands for, on all rows and on the two halves."""
    return tabled(("set", "label", "found at", "layer", "rows", "positive", *_FIGURES), _main_rows(sets))


def source_table(found: Found) -> str:
    """The same for the parts of a set."""
    rows = (
        (part, label, f">= R{level}", LAYER_NAMES[layer], *_counts(found, level, chosen), *figures)
        for part, chosen in found.rows.parts.items()
        for label, level in TARGETS[found.rows.name].items()
        for layer in found.levels
        for figures in [measured(found, layer, level, level, chosen)]
    )
    return tabled(("source", "label", "found at", "layer", "rows", "positive", *_FIGURES), rows)


def threshold_table(sets: Sequence[Found]) -> str:
    """Every label at every threshold."""
    rows = (
        (found.rows.name, label, f">= R{at}", LAYER_NAMES[layer], *measured(found, layer, level, at))
        for found in sets
        for label, level in TARGETS[found.rows.name].items()
        for at in THRESHOLDS
        for layer in found.levels
    )
    return tabled(("set", "label", "found at", "layer", *_FIGURES), rows)


def ceilings(data: Path) -> dict[str, dict[int, Quality]]:
    """What large models reach on the same posts without training: by model and severity."""
    rows = table(data / "risk_client/av9ash_dev.csv")
    gold = np.array([int(float(row["severity"])) for row in rows])
    groups = [row["content"] for row in rows]
    found: dict[str, dict[int, Quality]] = {}
    for column in (name for name in rows[0] if name.endswith("_label")):
        severity = np.array([int(float(row[column] or 0)) for row in rows])
        found[column.removesuffix("_label")] = {at: quality(gold >= at, severity >= at, groups) for at in (1, 2, 4)}
    return found


def ceiling_table(found: Mapping[str, Mapping[int, Quality]]) -> str:
    """The same as a table."""
    rows = ((model, f"severity >= {at}", *figures) for model, each in found.items() for at, figures in each.items())
    return tabled(("model", "label", *_FIGURES), rows)


def ceiling_told(found: Mapping[str, Mapping[int, Quality]], recall: float, specificity: float) -> str:
    """How many of the models reach two figures at once, at severity 2."""
    both = [
        model
        for model, each in found.items()
        if each[2].recall.value >= recall and each[2].specificity.value >= specificity
    ]
    which = ", ".join(both) or "none"
    return f"Of {len(found)} large models that labelled the same posts, {which} reach both figures of this aim."


def confusions(sets: Sequence[Found]) -> Iterator[str]:
    """A heading and a table for every set and layer."""
    for found in sets:
        for layer in found.levels:
            yield f"{found.rows.name}, {LAYER_NAMES[layer]}:"
            yield confusion(found, layer)


def confusion(found: Found, layer: str) -> str:
    """Rows by the level of their label and the level that was found."""
    gold, levels = found.rows.gold, found.levels[layer]
    special = np.zeros(len(gold), dtype=np.bool_)
    for rows in found.rows.kinds.values():
        special |= rows
    lines: list[tuple[object, ...]] = [
        (f"R{level}", *_spread(levels[(gold == level) & ~special])) for level in sorted(set(gold.tolist()))
    ]
    lines += [(name, *_spread(levels[rows])) for name, rows in found.rows.kinds.items()]
    return tabled(("label", *(f"found R{level}" for level in range(6)), "rows"), lines)


def look_alike_table(found: Found) -> str:
    """How often nothing at all, and nothing from R2 up, is found in texts that only sound like risk."""
    rows = []
    for name, chosen in {"all rows": np.ones(len(found.rows.texts), dtype=np.bool_), **found.rows.halves}.items():
        groups = np.array(found.rows.groups)[chosen].tolist()
        for layer, levels in found.levels.items():
            silent = [percents(share(levels[chosen] < at, groups)) for at in (1, 2)]
            rows.append((name, LAYER_NAMES[layer], int(chosen.sum()), *silent))
    return tabled(("rows", "layer", "texts", "at R0", "below R2"), rows)


def calm_table(sets: Iterable[Found]) -> str:
    """How often a level is reached in client turns that nobody has labelled."""
    rows = (
        (found.rows.name, LAYER_NAMES[layer], len(levels), len(set(found.rows.groups)), *_reached(found.rows, levels))
        for found in sets
        for layer, levels in found.levels.items()
    )
    return tabled(("set", "layer", "texts", "dialogues", ">= R1", ">= R2", ">= R3"), rows)


def _main_rows(sets: Sequence[Found]) -> Iterator[tuple[object, ...]]:
    for found in sets:
        parts = {"all": np.ones(len(found.rows.texts), dtype=np.bool_), **found.rows.halves}
        for label, level in TARGETS[found.rows.name].items():
            for layer in found.levels:
                for part, chosen in parts.items():
                    name = found.rows.name if part == "all" else f"- {part}"
                    figures = measured(found, layer, level, level, chosen)
                    yield name, label, f">= R{level}", LAYER_NAMES[layer], *_counts(found, level, chosen), *figures


def _counts(found: Found, level: int, chosen: Flags) -> tuple[int, int]:
    return int(chosen.sum()), int((found.rows.gold[chosen] >= level).sum())


def _spread(levels: Ints) -> list[int]:
    return [*(int((levels == level).sum()) for level in range(6)), len(levels)]


def _reached(rows: Labelled, levels: Ints) -> list[object]:
    return [percents(share(levels >= at, rows.groups)) for at in (1, 2, 3)]
