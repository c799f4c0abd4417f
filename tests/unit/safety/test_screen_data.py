"""Development numbers on real inputs, as floors. Failure messages carry counts only, never a text."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from counselgraph.safety.levels import Subject
from counselgraph.safety.screen import screen

pytestmark = pytest.mark.data


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scores(pairs: list[tuple[bool, bool]]) -> tuple[float, float]:
    """Recall and precision of (true, found) pairs."""
    hits = sum(true and found for true, found in pairs)
    return hits / sum(true for true, _ in pairs), hits / sum(found for _, found in pairs)


@pytest.mark.parametrize(
    ("severity", "level", "recall", "precision"),
    [(1, 2, 0.75, 0.9), (2, 2, 0.8, 0.74), (2, 3, 0.68, 0.87), (4, 4, 0.5, 0.68)],
)
def test_most_posts_of_a_severity_reach_its_level(
    test_data: Path, severity: int, level: int, recall: float, precision: float
):
    posts = rows(test_data / "risk_client" / "av9ash_dev.csv")
    assert len(posts) == 561
    pairs = [(int(float(post["severity"])) >= severity, screen(post["content"]).level >= level) for post in posts]
    found, right = scores(pairs)
    assert found >= recall
    assert right >= precision


def test_harmless_prompts_hardly_ever_fire(test_data: Path):
    prompts = rows(test_data / "risk_client" / "xstest_safe.csv")
    assert len(prompts) == 250
    assert sum(screen(prompt["prompt"]).level > 0 for prompt in prompts) <= 2


def test_ordinary_clients_do_not_start_the_safety_flow(test_data: Path):
    turns = [
        row["utterance_text"]
        for row in rows(test_data / "transcripts" / "annomi_dev.csv")
        if row["interlocutor"] == "client"
    ]
    assert len(turns) == 2516
    assert sum(screen(turn).level >= 2 for turn in turns) <= 5


def test_no_intake_form_starts_the_safety_flow(test_data: Path):
    records = json.loads((test_data / "cactus" / "intake_dev.json").read_text(encoding="utf-8"))
    assert len(records) == 60
    levels = [screen(record["AI_client"]["intake_form"]).level for record in records]
    assert max(levels) <= 1


SELF_DIRECTED = {"SI_PASSIVE", "SI_ACTIVE", "PLAN", "INTENT", "MEANS_ACCESS", "PREPARATION", "NSSI", "METHOD_SEEKING"}
SELF_DIRECTED |= {"ATTEMPT_RECENT", "ATTEMPT_REMOTE", "RISK_TAKING"}


def own_level(text: str) -> int:
    """Highest level of what is said of dying or hurting oneself; violence and others' risk are other classes."""
    findings = screen(text, language="zh").findings
    own = (found for found in findings if found.category in SELF_DIRECTED and found.subject is Subject.SELF)
    return max((int(found.level) for found in own), default=0)


@pytest.mark.parametrize(("half", "recall", "precision"), [(0, 0.88, 0.9), (1, 0.79, 0.81)])
def test_most_chinese_lines_with_self_directed_risk_are_found(
    test_data: Path, half: int, recall: float, precision: float
):
    """Even rows were looked at while the rules were written, odd rows only counted: the second numbers hold."""
    lines = json.loads((test_data / "risk_client" / "psyguard_valid.json").read_text(encoding="utf-8"))
    assert len(lines) == 1480
    found, right = scores([(any(line["label"][:7]), own_level(line["text"]) >= 2) for line in lines[half::2]])
    assert found >= recall
    assert right >= precision


def test_chinese_lines_without_self_directed_risk_stay_below_active(test_data: Path):
    lines = json.loads((test_data / "risk_client" / "psyguard_valid.json").read_text(encoding="utf-8"))
    others = [line["text"] for line in lines if not any(line["label"][:7])]
    assert len(others) == 1155
    assert sum(own_level(text) >= 3 for text in others) <= 23


def test_ordinary_chinese_clients_do_not_start_the_safety_flow(test_data: Path):
    files = sorted((test_data / "transcripts" / "cpsycoune").glob("*/*.json"))
    said = [line for file in files for line in json.loads(file.read_text(encoding="utf-8"))]
    turns = [line.partition("\uff1a")[2] for line in said if line.startswith("\u6c42\u52a9\u8005")]
    assert len(turns) == 296
    assert sum(screen(turn, language="zh").level >= 2 for turn in turns) <= 9
    record = json.loads((test_data / "personas_formats" / "psychEval_cbt_1.json").read_text(encoding="utf-8"))
    turns = [
        turn["text"]
        for session in record["sessions"]
        for turn in session["session_dialogue"]
        if turn["role"] == "Client"
    ]
    assert len(turns) == 159
    assert max(screen(turn, language="zh").level for turn in turns) == 0
