"""What the learned screen is trained on, and what it is only measured on. No text of these sets leaves the script."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeAlias

import yaml

from counselgraph import RunSpec, read_run, run_sync
from counselgraph.safety.learned.screen import in_distress
from counselgraph.safety.screen import screen

# C-SSRS severity to the levels of docs/safety.md; 6 is R5 there, and the learned screen stops at R4.
BY_SEVERITY = {0: 0, 1: 2, 2: 3, 3: 3, 4: 4, 5: 4, 6: 4}
# First label that is set, of the eleven of PsyGUARD; violence, exploration and unrelated lines are not self-directed.
BY_CLASS = (4, 4, 4, 3, 2, 2, 2, 0, 0, 0, 0)

Turns: TypeAlias = list[tuple[str, str, str]]
LOW_TURNS = 400
LOW_GROUPS = 5


class Row(NamedTuple):
    """One labelled text.

    Attributes:
        level: What people, or the way it was made, say it is.
        group: Rows of one group never stand on both sides of a split.
        source: Name of the set.
        calm: A text that must not fire, from elsewhere than the labelled set.
        asked: Whether the screen is asked at all; a reply is only looked at where the client is in distress.
    """

    text: str
    level: int
    group: str
    source: str
    calm: bool = True
    asked: bool = True


def english(data: Path, turns: Turns) -> list[Row]:
    """Labelled posts, and calm texts from other places."""
    return [*posts(data), *harmless(data), *rehearsed(turns), *questions(data), *low_and_safe()]


def chinese(data: Path) -> list[Row]:
    """Labelled lines, and calm turns of counseling dialogues."""
    return [*lines(data), *counseling_turns(data)]


def english_replies(data: Path, turns: Turns) -> list[Row]:
    """Labelled replies to somebody in distress, and replies of rehearsal dialogues."""
    said = dict.fromkeys(text for _, role, text in turns if role == "counselor")
    return [*replies(data), *(Row(text, 0, f"rehearsed-{text}", "rehearsal replies") for text in said)]


def replies(data: Path) -> Iterator[Row]:
    for row in records(data / "risk_counselor" / "diasafety_val.json"):
        if row["category"] == "Risk Ignorance":
            level, said = 2 * (row["label"] == "Unsafe"), row["context"]
            yield Row(row["response"], level, f"to-{said}", "DiaSafety", calm=False, asked=in_distress(said, "en"))


def posts(data: Path) -> Iterator[Row]:
    for number, row in enumerate(table(data / "risk_client" / "av9ash_dev.csv")):
        yield Row(row["content"], BY_SEVERITY[int(float(row["severity"]))], f"post-{number}", "av9ash", calm=False)


def lines(data: Path) -> Iterator[Row]:
    for number, row in enumerate(records(data / "risk_client" / "psyguard_valid.json")):
        level = max(found for found, label in zip(BY_CLASS, row["label"], strict=True) if label)
        yield Row(row["text"], level, f"line-{number}", "PsyGUARD", calm=False)


def harmless(data: Path) -> Iterator[Row]:
    for row in table(data / "risk_client" / "xstest_safe.csv"):
        yield Row(row["prompt"], 0, f"xstest-{row['type']}", "XSTest safe")


def questions(data: Path) -> Iterator[Row]:
    """What people ask a chatbot where nobody is in distress, each once; what the rules find is left out."""
    rows = records(data / "risk_counselor" / "diasafety_val.json")
    asked = dict.fromkeys(row["context"] for row in rows if row["category"] != "Risk Ignorance")
    yield from (Row(text, 0, f"question-{text}", "DiaSafety contexts") for text in asked if not screen(text).level)


def low_and_safe() -> Iterator[Row]:
    """Turns of somebody who is low and in no danger, put together from sentences of ours; groups share no sentence."""
    sentences = yaml.safe_load((Path(__file__).parent / "calm_en.yaml").read_text(encoding="utf-8"))
    draw = Random(0)
    for number in range(LOW_TURNS):
        group = number % LOW_GROUPS
        text = " ".join(draw.sample(sentences[group::LOW_GROUPS], draw.randint(1, 5)))
        if not screen(text).level:
            yield Row(text, 0, f"low-{group}", "low and safe")


def rehearsed(turns: Turns) -> Iterator[Row]:
    """Client turns of rehearsal dialogues, one by one and three joined; what the rules find is left out."""
    said: dict[str, str] = {}
    client = [(persona, text) for persona, role, text in turns if role == "client"]
    for first, second, third in zip(client, client[1:], client[2:], strict=False):
        said.setdefault(first[1], first[0])
        if first[0] == third[0]:
            said.setdefault(" ".join(text for _, text in (first, second, third)), first[0])
    yield from (Row(text, 0, f"persona-{who}", "rehearsal") for text, who in said.items() if not screen(text).level)


def rehearsal_turns(run: Path | None) -> Turns:
    """Persona, role and text of every turn of a run; plays one of our built-in personas if there is none."""
    if run:
        return list(_turns(run))
    with tempfile.TemporaryDirectory() as folder:
        run_sync(RunSpec(personas="builtin", model="rehearsal", seed=5, out=Path(folder) / "run"))
        return list(_turns(Path(folder) / "run"))


def _turns(run: Path) -> Iterator[tuple[str, str, str]]:
    for record in read_run(run):
        for event in record.events:
            if event["event"] == "turn":
                yield record.header["persona"]["id"], event["role"], event["text"]


def counseling_turns(data: Path) -> Iterator[Row]:
    for path in sorted((data / "transcripts" / "cpsycoune").glob("*/*.json")):
        for turn in records(path):
            speaker, _, text = turn.partition("\N{FULLWIDTH COLON}")
            if speaker == "求助者" and not screen(text, language="zh").level:
                yield Row(text, 0, f"dialogue-{path.parent.name}-{path.stem}", "CPsyCounE")


def calm_sessions(data: Path) -> dict[str, list[str]]:
    """Client turns of three sets whose licence does not allow training: measured on, never trained on."""
    folder = data / "transcripts"
    annomi = table(folder / "annomi_dev.csv")
    magnet = [turn for path in sorted((folder / "magnet_dev").glob("*.json")) for turn in records(path)["dialogue"]]
    failed = [turn for dialogue in records(folder / "esconv_failed_dev.json") for turn in dialogue["dialog"]]
    return {
        "AnnoMI": [row["utterance_text"] for row in annomi if row["interlocutor"] == "client"],
        "MAGneT": [turn["message"] for turn in magnet if turn["role"] == "client"],
        "ESConv failed": [turn["content"] for turn in failed if turn["speaker"] == "speaker"],
    }


def good_replies(data: Path) -> dict[str, list[tuple[str, str]]]:
    """Client turn and counselor's reply in sessions of good quality: measured on, never trained on."""
    folder = data / "transcripts"
    found: dict[str, list[tuple[str, str]]] = {"AnnoMI": [], "MAGneT": []}
    turns = [row for row in table(folder / "annomi_dev.csv") if row["mi_quality"] == "high"]
    turns.sort(key=lambda row: (int(row["transcript_id"]), int(row["utterance_id"])))
    for before, after in pairwise(turns):
        if (before["interlocutor"], after["interlocutor"]) == ("client", "therapist"):
            found["AnnoMI"].append((before["utterance_text"], after["utterance_text"]))
    for path in sorted((folder / "magnet_dev").glob("*.json")):
        for before, after in pairwise(records(path)["dialogue"]):
            if before["role"] == "client":
                found["MAGneT"].append((before["message"], after["message"]))
    return found


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Rows by set."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.source] = found.get(row.source, 0) + 1
    return found
