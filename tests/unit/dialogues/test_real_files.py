"""Real files of every format, counted against the raw file. Failure messages carry counts only, never a text."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from counselgraph.dialogues import Dialogue, read_dialogues

pytestmark = pytest.mark.data


def counted(dialogues: list[Dialogue]) -> tuple[int, Counter[str]]:
    return len(dialogues), Counter(turn.role for dialogue in dialogues for turn in dialogue.turns)


def same(dialogues: list[Dialogue], raw: list[list[str]]) -> bool:
    """Whether the words are those of the raw file, without showing any."""
    return [[turn.text for turn in dialogue.turns] for dialogue in dialogues] == raw


def test_annomi(test_data: Path) -> None:
    file = test_data / "transcripts" / "annomi_dev.csv"
    with file.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    raw: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        raw.setdefault(row["transcript_id"], []).append(row)
    for session in raw.values():
        session.sort(key=lambda row: int(row["utterance_id"]))
    found = list(read_dialogues(file))
    assert counted(found) == (67, Counter(client=2516, counselor=2549))
    assert same(found, [[row["utterance_text"] for row in session] for session in raw.values()])


def test_magnet(test_data: Path) -> None:
    folder = test_data / "transcripts" / "magnet_dev"
    raw = [
        [turn["message"] for turn in json.loads(file.read_text(encoding="utf-8"))["dialogue"]]
        for file in sorted(folder.iterdir())
    ]
    found = list(read_dialogues(folder))
    assert counted(found) == (12, Counter(client=252, counselor=252))
    assert {dialogue.id for dialogue in found} == {f"session_{number}" for number in range(1, 13)}
    assert same(found, raw)


def test_cpsycoune(test_data: Path) -> None:
    folder = test_data / "transcripts" / "cpsycoune"
    raw = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.json"))]
    found = list(read_dialogues(folder))
    assert counted(found) == (45, Counter(client=296, counselor=296))
    assert len({dialogue.id for dialogue in found}) == 45
    assert same(found, [[line[4:].strip() for line in lines] for lines in raw])


def test_esconv(test_data: Path) -> None:
    file = test_data / "transcripts" / "esconv_failed_dev.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    found = list(read_dialogues(file))
    assert counted(found) == (60, Counter(client=998, counselor=800))
    assert same(found, [[turn["content"] for turn in record["dialog"]] for record in raw])


def test_psychosis_bench(test_data: Path) -> None:
    file = test_data / "transcripts" / "psychosis_bench_test_cases.json"
    raw = json.loads(file.read_text(encoding="utf-8"))["cases"]
    found = list(read_dialogues(file))
    assert counted(found) == (16, Counter(client=192))
    assert [dialogue.id for dialogue in found] == [case["id"] for case in raw]
    assert same(found, [case["prompts"] for case in raw])


def test_cactus(test_data: Path) -> None:
    for name, records in (("intake_dev.json", 60), ("intake_zh_dev.json", 6)):
        found = list(read_dialogues(test_data / "cactus" / name))
        assert counted(found) == (records, Counter(client=records, counselor=records))
        assert all(turn.text for dialogue in found for turn in dialogue.turns)


def test_a_folder_of_many_formats_is_read_file_by_file(test_data: Path) -> None:
    found = list(read_dialogues(test_data / "transcripts"))
    assert counted(found) == (200, Counter(client=4254, counselor=3897))
    assert len({dialogue.id for dialogue in found}) == 200
