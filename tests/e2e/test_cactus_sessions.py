"""The main job on real intake records: sixty sessions, whole, repeatable, and without leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from counselgraph import RunSpec, SessionRecord, Technique, read_run, run_sync
from counselgraph.protocols.protocol import load_protocol

pytestmark = [pytest.mark.data, pytest.mark.slow]


def sessions(file: Path, out: Path, **options: Any) -> list[SessionRecord]:
    run_sync(RunSpec(**{"personas": str(file), "seed": 7, "memory": "none", "out": out, **options}))
    return list(read_run(out))


@pytest.fixture(scope="module")
def intake(test_data: Path) -> Path:
    return test_data / "cactus" / "intake_dev.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cactus")


@pytest.fixture(scope="module")
def played(intake: Path, folder: Path) -> list[SessionRecord]:
    return sessions(intake, folder / "seven")


def talk(record: SessionRecord) -> list[tuple[str, str]]:
    return [(turn["role"], turn["text"]) for turn in record.turns]


def ends(records: list[SessionRecord]) -> Iterator[dict[str, Any]]:
    for record in records:
        assert record.end is not None, record.id
        yield record.end


def test_all_sixty_sessions_end_and_hardly_any_by_the_cap(played: list[SessionRecord]):
    stops = [end["stop"] for end in ends(played)]
    assert len(stops) == 60
    assert not {"model_error", "infrastructure_error"} & set(stops)
    assert stops.count("max_exchanges") <= 6


def test_every_plan_names_one_of_the_fourteen(played: list[SessionRecord]):
    known = {technique.value for technique in Technique}
    plans = [plan for record in played for plan in record.of("plan")]
    assert {plan["technique"] for plan in plans} <= known
    assert len({plan["technique"] for plan in plans}) >= 4
    assert all(plan["reason"] and plan["trigger"] for plan in plans)


def test_no_session_says_a_line_twice(played: list[SessionRecord]):
    for record in played:
        for role in ("client", "counselor"):
            said = [text.casefold() for who, text in talk(record) if who == role]
            assert len(said) == len(set(said)), record.id


def test_the_same_seed_plays_the_same_and_another_seed_something_else(
    played: list[SessionRecord], intake: Path, folder: Path
):
    again = sessions(intake, folder / "again", limit=12, concurrency=3)
    other = sessions(intake, folder / "other", limit=12, seed=8)
    assert [talk(record) for record in again] == [talk(record) for record in played[:12]]
    assert all(talk(one) != talk(two) for one, two in zip(other, again, strict=True))


def test_attitudes_differ(played: list[SessionRecord]):
    words: dict[str, list[int]] = {"positive": [], "neutral": [], "negative": []}
    held: dict[str, list[bool]] = {"positive": [], "neutral": [], "negative": []}
    for record in played:
        attitude = record.header["persona"]["attitude"]
        own = [turn["text"] for turn in record.turns if turn["role"] == "client" and turn["kind"] == "turn"]
        words[attitude] += [len(text.split()) for text in own]
        held[attitude] += [load_protocol().holds(text, "en") for text in own]
    assert mean(words["negative"]) < 0.75 * mean(words["positive"])
    assert mean(held["positive"]) < 0.02
    assert mean(held["negative"]) > 0.08


def test_nothing_of_the_counselors_side_is_in_any_client_prompt(played: list[SessionRecord], intake: Path):
    raw = json.loads(intake.read_text(encoding="utf-8"))
    by_record = {record.header["source"]["record"]: record for record in played}
    for number, source in enumerate(raw, 1):
        record = by_record[number]
        prompts = [record.prompt(call) for call in record.of("model_call") if call["role"] == "client"]
        assert prompts
        plans = [plan[key] for plan in record.of("plan") for key in ("reason", "hypothesis")]
        cards = [call["card"] for call in record.of("model_call") if call["role"] != "client" and call["card"]]
        said = "\n".join(text for _, text in talk(record))
        form = source["AI_client"]["intake_form"] + source["AI_client"]["dialogue_history_init"]
        counselor_only = [
            line
            for key in ("init_history_client", "reason_counseling", "init_history_counselor")
            for line in [source["AI_counselor"]["CBT"][key]]
            if line not in form and line not in said
        ]
        labels = [label for label in source["ground_truth_CBT"] if label not in form and label not in said]
        for hidden in (*plans, *cards, *counselor_only, *labels):
            assert not any(hidden in prompt for prompt in prompts), record.id


def test_nothing_of_the_hidden_form_is_in_the_counselors_or_planners_instructions(
    played: list[SessionRecord], intake: Path
):
    raw = json.loads(intake.read_text(encoding="utf-8"))
    by_record = {record.header["source"]["record"]: record for record in played}
    for number, source in enumerate(raw, 1):
        record = by_record[number]
        told = source["AI_counselor"]["CBT"]
        known = told["client_information"] + told["reason_counseling"]
        form = source["AI_client"]["intake_form"].splitlines()
        hidden = [line for line in form if len(line) > 40 and line not in known]
        assert hidden
        hidden.append(source["AI_client"]["attitude_instruction"])
        own = {call["system"] for call in record.of("model_call") if call["role"] != "client"}
        texts = [(record.file.parent.parent / "texts" / f"{address}.txt").read_text() for address in own]
        assert len(texts) >= 2
        assert not any(line in text for line in hidden for text in texts), record.id
