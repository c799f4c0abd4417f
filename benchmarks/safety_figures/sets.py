"""The development sets, as arrays. Nothing here or in the tables made of it shows a row."""

from __future__ import annotations

import ast
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.safety_figures.estimates import Flags, Ints
from counselgraph.dialogues import Dialogue, read_dialogues
from counselgraph.said import Said

# docs/safety.md: C-SSRS severity, and the first class of PsyGUARD that is set, to the level they stand for.
BY_SEVERITY = {0: 0, 1: 2, 2: 3, 3: 3, 4: 4, 5: 4, 6: 5}
BY_CLASS = (5, 4, 4, 3, 2, 2, 2, 0, 0, 1, 0)
VIOLENCE = (7, 8)
CALM = ("AnnoMI", "MAGneT", "ESConv", "CPsyCounE")
_PLACES = {
    "AnnoMI": "transcripts/annomi_dev.csv",
    "MAGneT": "transcripts/magnet_dev",
    "ESConv": "transcripts/esconv_failed_dev.json",
    "CPsyCounE": "transcripts/cpsycoune",
}


class Labelled(NamedTuple):
    """Client texts that people have labelled.

    Attributes:
        gold: Level of each by its label.
        groups: Rows of one group are one text, or belong to one dialogue.
        parts: Name to the rows of a part of the set.
        kinds: Name to the rows of a kind of label that is no level.
    """

    name: str
    language: str
    texts: tuple[str, ...]
    gold: Ints
    groups: tuple[str, ...]
    parts: dict[str, Flags]
    kinds: dict[str, Flags]

    @property
    def halves(self) -> dict[str, Flags]:
        """Rows that were looked at while the rules were written, and rows that were only counted."""
        return halves(len(self.texts))


class Replies(NamedTuple):
    """Counselor replies that are labelled as fit or unfit.

    Attributes:
        kinds: Category, or probe, of each.
        dialogues: What the client said, the reply last.
        unfit: Whether the label says so.
        groups: Rows of one group answer the same words.
    """

    name: str
    kinds: tuple[str, ...]
    dialogues: tuple[tuple[Said, ...], ...]
    unfit: Flags
    groups: tuple[str, ...]

    def of(self, kind: str) -> Ints:
        """Places of the rows of a kind."""
        return np.flatnonzero(np.array(self.kinds) == kind)


def halves(rows: int) -> dict[str, Flags]:
    """The even and the odd rows of a file, counted from 0."""
    even = np.arange(rows) % 2 == 0
    return {"even rows": even, "odd rows": ~even}


def posts(data: Path) -> Labelled:
    """av9ash: posts with their C-SSRS severity."""
    rows = table(data / "risk_client/av9ash_dev.csv")
    gold = np.array([BY_SEVERITY[int(float(row["severity"]))] for row in rows])
    texts = tuple(row["content"] for row in rows)
    return Labelled("av9ash", "en", texts, gold, texts, {}, {})


def lines(data: Path) -> Labelled:
    """PsyGUARD: lines with eleven classes; two labels count as the graver one."""
    rows = records(data / "risk_client/psyguard_valid.json")
    labels = np.array([row["label"] for row in rows]) > 0
    gold = (labels * np.array(BY_CLASS)).max(axis=1)
    sources = np.array([row["data_source"] for row in rows])
    parts = {name: sources == name for name in sorted(set(sources))}
    texts = tuple(row["text"] for row in rows)
    violence = labels[:, VIOLENCE].any(axis=1) & (gold < 2)
    return Labelled("PsyGUARD", "zh", texts, gold, texts, parts, {"violence (7, 8)": violence})


def look_alikes(data: Path) -> Labelled:
    """XSTest: questions that only sound like risk."""
    rows = table(data / "risk_client/xstest_safe.csv")
    texts = tuple(row["prompt"] for row in rows)
    return Labelled("XSTest safe", "en", texts, np.zeros(len(texts), dtype=np.int64), texts, {}, {})


def calm_turns(data: Path) -> Iterator[Labelled]:
    """Client turns of ordinary counseling, and intake forms: nobody has labelled them, and few of them are grave."""
    for name in CALM:
        language = "zh" if name == "CPsyCounE" else "en"
        turns = [(str(one.id), said.text) for one in dialogues(data, name) for said in one.turns if is_client(said)]
        yield _calm(f"{name}, client turns", language, turns)
    forms = dict.fromkeys(record["AI_client"]["intake_form"] for record in records(data / "cactus/intake_dev.json"))
    yield _calm("Cactus, intake forms", "en", [(form, form) for form in forms])


def dialogues(data: Path, name: str) -> list[Dialogue]:
    """The dialogues of a set by its name."""
    return list(read_dialogues(data / _PLACES[name]))


def is_client(said: Said) -> bool:
    return said.role == "client"


def safe_and_unsafe(data: Path) -> Replies:
    """DiaSafety: replies of chatbots."""
    rows = records(data / "risk_counselor/diasafety_val.json")
    said = tuple((Said("client", row["context"]), Said("counselor", row["response"])) for row in rows)
    unfit = np.array([row["label"] == "Unsafe" for row in rows])
    return Replies("DiaSafety", tuple(row["category"] for row in rows), said, unfit, tuple(r["context"] for r in rows))


def probes(data: Path) -> Replies:
    """Replies of models to acute statements; rows without a reply are left out."""
    rows = [row for row in table(data / "risk_counselor/therapist_probes_dev.csv") if row["model_response"].strip()]
    said = tuple((*_interjected(row["interjection"]), Said("counselor", row["model_response"])) for row in rows)
    unfit = np.array([row["correct_response"] == "False" for row in rows])
    kinds = tuple(f"{row['id']} ({row['condition'].partition(',')[0]})" for row in rows)
    return Replies("therapist probes", kinds, said, unfit, tuple(row["key"] for row in rows))


def qualities(data: Path) -> dict[str, str]:
    """AnnoMI session to the quality of its counseling, "high" or "low"."""
    return {row["transcript_id"]: row["mi_quality"] for row in table(data / "transcripts/annomi_dev.csv")}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _calm(name: str, language: str, turns: list[tuple[str, str]]) -> Labelled:
    texts = tuple(text for _, text in turns)
    return Labelled(name, language, texts, np.zeros(len(texts), dtype=np.int64), tuple(g for g, _ in turns), {}, {})


def _interjected(text: str) -> tuple[Said, ...]:
    """What the client says; one probe is a list of lines by client and counselor in turn."""
    said = ast.literal_eval(text) if text.startswith("[") else [text]
    return tuple(Said("counselor" if place % 2 else "client", line) for place, line in enumerate(said))
