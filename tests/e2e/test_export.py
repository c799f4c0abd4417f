"""The command `export`, on runs that were really played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.e2e.helpers import counselgraph, fake_flags, intake_record, refused, serving, transcripts, write_json
from tests.fakes.openai_server import FakeOpenAI


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six intake forms in three attitudes, played twice each, and another run of the first of them."""
    place = tmp_path_factory.mktemp("exports")
    names = ("Jo Marsh", "Kim Oduya", "Lea Brandt", "Max Ferro", "Nia Kovac", "Oli Sand")
    forms = [intake_record(name, attitude) for name in names for attitude in ("positive", "neutral", "negative")]
    write_json(place / "forms.json", forms)
    flags = ("--personas", "forms.json", "--max-exchanges", 2, "--memory", "none", "--display", "none")
    with serving(FakeOpenAI()) as server:
        for out, more in (("first", ("--replicates", 2)), ("second", ("--limit", 3, "--seed", 9))):
            result = counselgraph("run", *flags, *more, "--out", out, *fake_flags(server), cwd=place)
            assert result.returncode == 0, result.stderr
    return place


def test_a_session_comes_out_as_it_was_played(place: Path) -> None:
    result = counselgraph("export", "first", "second", "--to", "parquet", "--out", "all.parquet", cwd=place)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "Wrote all.parquet: 39 sessions. Data card: all.parquet.card.md\n"
    rows = parquet.read_table(place / "all.parquet").to_pylist()
    played = [transcripts(place / name) for name in ("first", "second")]
    assert len({row["run"] for row in rows}) == 2
    for row in rows:
        said = [message["content"] for message in row["messages"][1:]]
        assert said in [[text for _, text in one[row["session"]]] for one in played if row["session"] in one]


def test_nobody_is_in_two_splits_and_the_card_has_the_figures(place: Path) -> None:
    flags = ("--split", "train=0.5,test=0.5", "--split-seed", 3)
    result = counselgraph("export", "first", "second", "--to", "chatml", "--out", "some.jsonl", *flags, cwd=place)
    assert result.returncode == 0, result.stderr
    rows = {
        name: [json.loads(line) for line in (place / f"some.{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("train", "test")
    }
    train, test = ({row["persona"].split("-")[1] for row in found} for found in rows.values())
    assert train
    assert test
    assert not train & test
    assert train | test == {"jo", "kim", "lea", "max", "nia", "oli"}
    assert {row["source"]["file"] for found in rows.values() for row in found} == {"forms.json"}
    card = (place / "some.jsonl.card.md").read_text(encoding="utf-8")
    for name, found in rows.items():
        assert f"| some.{name}.jsonl | {name} | 0.5 | {len(found)} |" in card
    assert "| server of vllm/fake |" in card
    assert str(place) not in card
    assert "127.0.0.1" not in card


def test_shares_that_do_not_add_up_are_refused(place: Path) -> None:
    flags = ("--to", "jsonl", "--out", "bad.jsonl", "--split", "train=0.8,test=0.1")
    refused(counselgraph("export", "first", *flags, cwd=place), "the shares add up to 0.9", "Fix:")
    assert not list(place.glob("bad*"))
