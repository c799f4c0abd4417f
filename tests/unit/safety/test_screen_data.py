"""Development numbers on real inputs, as floors. Failure messages carry counts only, never a text."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from counselgraph.safety.screen import screen

pytestmark = pytest.mark.data


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_most_posts_with_active_thoughts_are_found(test_data: Path):
    posts = rows(test_data / "risk_client" / "av9ash_dev.csv")
    assert len(posts) == 561
    pairs = [(int(float(post["severity"])) >= 2, screen(post["content"]).level >= 2) for post in posts]
    recall = sum(true and found for true, found in pairs) / sum(true for true, _ in pairs)
    precision = sum(true and found for true, found in pairs) / sum(found for _, found in pairs)
    assert recall >= 0.65
    assert precision >= 0.7


def test_harmless_prompts_hardly_ever_fire(test_data: Path):
    prompts = rows(test_data / "risk_client" / "xstest_safe.csv")
    assert len(prompts) == 250
    assert sum(screen(prompt["prompt"]).level > 0 for prompt in prompts) <= 5


def test_no_intake_form_starts_the_safety_flow(test_data: Path):
    records = json.loads((test_data / "cactus" / "intake_dev.json").read_text(encoding="utf-8"))
    assert len(records) == 60
    levels = [screen(record["AI_client"]["intake_form"]).level for record in records]
    assert max(levels) <= 1


def test_most_chinese_lines_with_self_directed_risk_are_found(test_data: Path):
    lines = json.loads((test_data / "risk_client" / "psyguard_valid.json").read_text(encoding="utf-8"))
    assert len(lines) == 1480
    pairs = [(any(line["label"][:7]), screen(line["text"], language="zh").level >= 2) for line in lines]
    found = sum(true and fired for true, fired in pairs)
    assert found / sum(true for true, _ in pairs) >= 0.8
    assert found / sum(fired for _, fired in pairs) >= 0.72
