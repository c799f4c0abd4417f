from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import InputError
from counselgraph.runner.export import export
from counselgraph.runner.log import Event
from counselgraph.runner.splits import Splits, client_of, parse_shares
from tests.unit.runner.logs import header, session, write_run

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}
clients = st.lists(st.text(min_size=1), unique=True, min_size=1)


def persona(id_: str, name: str, attitude: str = "neutral") -> dict[str, str]:
    return {"id": id_, "name": name, "attitude": attitude}


def played(id_: str, name: str, attitude: str = "neutral") -> list[Event]:
    return [header(persona=persona(id_, name, attitude)), *session()[1:]]


def sessions_of(file: Path) -> set[str]:
    return {json.loads(line)["session"] for line in file.read_text(encoding="utf-8").splitlines()}


@given(clients, st.integers())
def test_who_is_added_later_moves_nobody(names: list[str], seed: int) -> None:
    splits = Splits.of(SHARES, seed)
    before = {name: splits.name_for(name) for name in names[: len(names) // 2]}
    after = {name: splits.name_for(name) for name in reversed(names)}
    assert before.items() <= after.items()
    assert set(after.values()) <= set(SHARES)


def test_the_shares_come_out_as_asked() -> None:
    splits = Splits.of(SHARES, 3)
    dealt = [splits.name_for(f"id client-{number}") for number in range(10_000)]
    assert {name: pytest.approx(share, abs=0.02) for name, share in SHARES.items()} == {
        name: dealt.count(name) / len(dealt) for name in SHARES
    }


def test_another_seed_deals_anew_and_the_same_seed_does_not() -> None:
    names = [f"id {number}" for number in range(200)]
    first, again, other = (list(map(Splits.of(SHARES, seed).name_for, names)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_published_splits_are_dealt_the_same_by_every_later_version() -> None:
    dealt = {number: Splits.of(SHARES).name_for(f"id client-{number}") for number in range(24)}
    dev, test = ({number for number, name in dealt.items() if name == split} for split in ("dev", "test"))
    assert (dev, test) == ({3, 9, 15}, {6, 11, 19, 20, 22})


def test_replicates_and_attitudes_of_one_form_are_never_in_two_splits(tmp_path: Path) -> None:
    logs = {}
    for number in range(20):
        for place, attitude in enumerate(("positive", "neutral", "negative")):
            id_ = f"{3 * number + place:03d}-client-{number}-{attitude}"
            for replicate in (1, 2):
                logs[f"{id_}-r{replicate}"] = played(id_, f"Client {number}", attitude)
    run = write_run(tmp_path / "run", logs)
    done = export(run, "jsonl", tmp_path / "all.jsonl", split={"train": 0.5, "test": 0.5})
    assert sum(done.files.values()) == done.written == 120
    places = defaultdict(set)
    for file in done.files:
        for name in sessions_of(file):
            places[name.split("-")[2]].add(file.name)
    assert {name for found in places.values() for name in found} == {"all.train.jsonl", "all.test.jsonl"}
    assert all(len(found) == 1 for found in places.values())
    assert not (tmp_path / "all.jsonl").exists()
    assert (tmp_path / "all.jsonl.card.md").is_file()


def test_a_fork_stays_with_the_session_it_came_from() -> None:
    parent = header(persona=persona("ada-lindt", "Ada Lindt"))
    fork = parent | {"session": "ada-lindt-fork-1", "replicate": 1, "run": "run-2"}
    assert client_of(parent) == client_of(fork)


def test_personas_of_one_name_that_come_from_no_form_are_two_clients() -> None:
    one, other = (header(persona=persona(id_, "Kim")) for id_ in ("kim-a", "kim-b"))
    assert client_of(one) != client_of(other)


@pytest.mark.parametrize("to", ["cactus", "parquet", "sharegpt"])
def test_a_split_that_nobody_fell_into_is_an_empty_file(tmp_path: Path, to: str) -> None:
    run = write_run(tmp_path / "run", {"a": session()})
    done = export(run, to, tmp_path / "all.x", split={"a": 0.5, "b": 0.5})
    assert sorted(done.files.values()) == [0, 1]
    assert all(file.is_file() for file in done.files)


def test_shares_are_read_as_they_are_written() -> None:
    assert parse_shares("train=0.8, dev=0.1,test=.1") == SHARES


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("train", "'train' is no share"),
        ("train=most", "'train=most' is no share"),
        ("train=0.5,train=0.5", "there twice"),
        ("train=0.8,test=0.1", "add up to 0.9"),
        ("train=1.5,test=-0.5", "1.5"),
        ("train=nan,test=0.5", "nan"),
        ("../up=1", "no name for a split"),
        ("", "'' is no share"),
    ],
)
def test_shares_that_cannot_be_used_are_refused_with_a_fix(text: str, named: str) -> None:
    with pytest.raises(InputError, match=rf"{named}.*Fix:"):
        Splits.of(parse_shares(text))
