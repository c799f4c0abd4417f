from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from counselgraph.runner.export import export
from counselgraph.runner.tally import SHOWN_PROMPTS, Capped
from tests.unit.runner.logs import SECRET, call, end, header, risk, session, turn, write_run

MANIFEST: dict[str, Any] = {
    "run": "run-1",
    "started": "2026-11-21T05:00:00+00:00",
    "spec": {
        "personas": "/home/me/private/forms.json",
        "model": "vllm//models/small",
        "models": {"client": "script//home/me/private/lines.yaml"},
        "params": {"temperature": 0.7},
        "seed": 11,
        "base_url": "http://10.1.2.3:8000/v1",
        "memory": "/home/me/private/store",
        "embedder": "minilm:/home/me/private/minilm",
        "out": "/home/me/private/run",
    },
    "versions": {"counselgraph": "9.8.7"},
    "servers": {
        "vllm//models/small": {
            "base_url": "http://10.1.2.3:8000/v1",
            "model": {"id": "/models/small", "root": "/models/private/small", "max_model_len": 4096, "permission": [1]},
        }
    },
    "changed": [
        {
            "at": "2026-11-21T06:00:00+00:00",
            "diff": {
                "seed": {"there": 10, "now": 11},
                "models.client": {"there": None, "now": "script//home/me/private/lines.yaml"},
            },
        }
    ],
}


@pytest.fixture
def card(tmp_path: Path) -> str:
    risky = [
        header(),
        turn("client", "One.", 1),
        risk(1, 3, quote="one"),
        turn("counselor", "Two.", 1, "safe_reply"),
        end("crisis", highest_risk=3, technique=None, unusable_by={"client rehearsal": 3}),
    ]
    failing = end("model_error", by="run", reason="ModelError: empty twice")
    sessions = {"a": session(), "b": session()[:6], "c": session(finish=failing), "d": risky}
    run = write_run(tmp_path / "run", sessions, manifest=MANIFEST)
    return export(run, "chatml", tmp_path / "train.jsonl").card.read_text(encoding="utf-8")


def table(card: str, *head: str) -> list[list[str]]:
    """The rows of the table with these columns."""
    _, _, rest = card.partition(f"| {' | '.join(head)} |\n")
    assert rest, f"no table {head} in: {card}"
    lines = rest.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_a_card_says_what_it_is_and_is_not(card: str) -> None:
    assert card.startswith("# Data card of train.jsonl\n\nSimulated counseling dialogue for research")
    assert "Not care" in card
    assert "The assistant speaks for the counselor." in card
    assert "2 of 2 sessions are rehearsal material." in card
    assert "## Limits of use" in card
    assert "## Licence\n\nLeft to whoever publishes" in card


def test_a_card_tells_how_the_sessions_were_made(card: str) -> None:
    facts = dict(table(card, "what", "value"))
    assert facts == {
        "sessions": "2",
        "counselgraph": "9.8.7",
        "started": "2026-11-21T05:00:00+00:00",
        "personas": "forms.json",
        "model": "vllm/small",
        "models": "client=script/lines.yaml",
        "params": "temperature=0.7",
        "seed": "11",
        "memory": "a store that outlives the run",
        "embedder": "minilm:minilm",
        "server of vllm/small": "id=small, max_model_len=4096, root=small",
    }
    assert "`models.client` from not set to script/lines.yaml, `seed` from 10 to 11." in card


def test_a_card_names_no_folder_and_no_address(card: str) -> None:
    assert not re.search(r"private/|/home|/models|10\.1\.2\.3", card)


def test_a_card_keeps_what_only_one_role_knew(card: str) -> None:
    assert SECRET not in card
    assert "What only one role knew is left out" in card


def test_a_card_names_the_file_by_its_digest(card: str, tmp_path: Path) -> None:
    written = (tmp_path / "train.jsonl").read_bytes()
    (row,) = table(card, "file", "split", "share", "sessions", "clients", "exchanges", "bytes", "SHA-256")
    digest = hashlib.sha256(written).hexdigest()
    assert row == ["train.jsonl", "all", "1", "2", "1", "4", str(len(written)), f"`{digest}`"]


def test_a_card_counts_what_was_written(card: str) -> None:
    assert "2 sessions, 1 clients, 4 exchanges, 7 turns." in card
    assert table(card, "role", "kind of turn", "turns") == [
        ["client", "turn", "3"],
        ["counselor", "opening", "1"],
        ["counselor", "safe_reply", "1"],
        ["counselor", "turn", "2"],
    ]
    tokens = table(card, "role", "model", "calls", "prompt tokens", "cached tokens", "completion tokens", "unusable")
    assert tokens == [
        ["client", "rehearsal", "10", "2400", "1800", "280", "3"],
        ["counselor", "rehearsal", "10", "2400", "1800", "280", "0"],
    ]
    assert table(card, "stop", "sessions") == [["completed", "1"], ["crisis", "1"]]
    assert table(card, "technique", "sessions") == [["decatastrophizing", "1"], ["none", "1"]]
    assert table(card, "language", "sessions") == [["en", "2"]]
    assert table(card, "attitude", "sessions") == [["neutral", "2"]]
    assert table(card, "highest risk", "sessions") == [["R1", "1"], ["R3", "1"]]


def test_a_card_says_what_was_left_out_and_why(card: str) -> None:
    assert table(card, "sessions left out because", "sessions") == [
        ["not ended yet", "1"],
        ["ended by an error: model_error", "1"],
    ]


def test_a_card_counts_safety_events_by_level_and_category(card: str) -> None:
    assert table(card, "side", "level of the turn", "assessments") == [
        ["client", "R1", "2"],
        ["client", "R3", "1"],
        ["counselor", "R0", "1"],
    ]
    assert table(card, "side", "category", "level", "findings") == [
        ["client", "HOPELESSNESS", "R1", "1"],
        ["client", "HOPELESSNESS", "R3", "1"],
    ]


def test_a_card_names_where_personas_come_from(card: str) -> None:
    assert table(card, "format", "file", "sessions") == [["cactus", "forms.json", "2"]]


def test_a_card_names_prompts_by_content_address(card: str, tmp_path: Path) -> None:
    rows = table(card, "role", "prompt", "sessions")
    assert [(role, count) for role, _, count in rows] == [("client", "1"), ("counselor", "1")]
    assert all((tmp_path / "run" / "texts" / f"{prompt.strip('`')}.txt").is_file() for _, prompt, _ in rows)


def test_a_card_does_not_grow_with_the_prompts_of_a_run(tmp_path: Path) -> None:
    def played(number: int) -> list[dict[str, Any]]:
        return [header(), call("client", 1, f"You are client {number}."), *session()[2:3], end()]

    run = write_run(tmp_path / "run", {f"s{number:02}": played(number) for number in range(SHOWN_PROMPTS + 5)})
    told = export(run, "jsonl", tmp_path / "out").card.read_text(encoding="utf-8")
    rows = table(told, "role", "prompt", "sessions")
    assert len(rows) == SHOWN_PROMPTS + 1
    assert rows[-1] == ["client", "others", "5"]


def test_counts_with_room_for_two_count_the_rest_together() -> None:
    capped = Capped(2)
    for value in "abcacb":
        capped.add(value)
    assert (dict(capped.first), capped.rest) == ({"a": 2, "b": 2}, 2)


def test_a_card_of_splits_tells_their_sizes(tmp_path: Path) -> None:
    personas = [{"id": f"client-{number}", "name": "Kim", "attitude": "neutral"} for number in range(8)]
    logs = {each["id"]: [header(persona=each), *session()[1:]] for each in personas}
    run = write_run(tmp_path / "run", logs)
    done = export(run, "jsonl", tmp_path / "all.jsonl", split={"train": 0.5, "test": 0.5}, split_seed=9)
    told = done.card.read_text(encoding="utf-8")
    rows = table(told, "file", "split", "share", "sessions", "clients", "exchanges", "bytes", "SHA-256")
    assert {row[0]: int(row[3]) for row in rows} == {path.name: count for path, count in done.files.items()}
    assert sum(int(row[4]) for row in rows) == 8
    assert "split seed 9" in told
