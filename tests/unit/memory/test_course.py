"""Memories over several sessions of one client, in a folder and on a server."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from counselgraph.errors import ConfigError
from counselgraph.memory import Forgetting, Kind, MemoryRecord, MemoryStore, Moment

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RecordMaker = Callable[..., MemoryRecord]


def texts(records: Sequence[MemoryRecord]) -> list[str]:
    return [record.text for record in records]


def recalled(store: MemoryStore, query: str = "work", **options: object) -> list[str]:
    found = store.recall(owner="counselor", client_id="mina", query=query, **options)  # type: ignore[arg-type]
    return texts(found)


@pytest.fixture
def job(record: RecordMaker) -> Callable[[int, str], MemoryRecord]:
    def make(number: int, text: str) -> MemoryRecord:
        return record(text, subject="job", session=f"s{number}", session_number=number, day=7.0 * (number - 1))

    return make


def test_every_field_comes_back(store: MemoryStore, record: RecordMaker) -> None:
    kept = record(
        kind=Kind.PROMISE, role="counselor", importance=5, subject="plan", day=3.5, open=True, closed_in=4,
        recalled_on=(7.0, 9.5), valid_until=21.0, superseded_by="abc", superseded_in=4, session_number=2, exchange=3,
    )  # fmt: skip
    store.remember([kept])
    assert store.history(owner="counselor", client_id="mina") == (kept,)
    assert kept.source_turn == (3, "counselor")


def test_the_newer_fact_is_recalled_and_history_shows_both(
    store: MemoryStore, job: Callable[[int, str], MemoryRecord]
) -> None:
    store.remember([job(1, "She works at a bakery.")])
    store.remember([job(3, "She lost her work.")])
    assert recalled(store) == ["She lost her work."]
    old, new = store.history(owner="counselor", client_id="mina")
    assert (old.valid_from, old.valid_until, old.superseded_by, old.superseded_in) == (0.0, 14.0, new.id, 3)
    assert new.valid_until is None


def test_a_fact_that_arrives_late_does_not_supersede_a_newer_one(
    store: MemoryStore, job: Callable[[int, str], MemoryRecord]
) -> None:
    store.remember([job(3, "She lost her work.")])
    store.remember([job(1, "She works at a bakery."), job(2, "She works nights.")])
    assert recalled(store) == ["She lost her work."]


def test_a_session_played_again_recalls_what_it_recalled_the_first_time(
    store: MemoryStore, record: RecordMaker, job: Callable[[int, str], MemoryRecord]
) -> None:
    store.remember([job(1, "She works at a bakery."), record("She will ask for leave.", open=True)])
    store.remember([record("Shy at work.", kind=Kind.PORTRAIT)])
    ask = {"owner": "counselor", "client_id": "mina", "query": "work", "at": Moment(2, 7.0)}
    first = store.brief(**ask)  # type: ignore[arg-type]
    store.remember([job(2, "She lost her work.")])
    store.remember([record("Bolder.", kind=Kind.PORTRAIT, session="s2", session_number=2, day=7.0)])
    store.strengthen(first, day=7.0)
    store.close_loops([item for item in first if item.open], session_number=2)
    assert texts(store.brief(**ask)) == texts(first)  # type: ignore[arg-type]
    later = texts(store.brief(**(ask | {"at": Moment(3, 14.0)})))  # type: ignore[arg-type]
    assert set(later) == {"She will ask for leave.", "Bolder.", "She lost her work."}
    portrait = store.portrait(owner="counselor", client_id="mina", at=Moment(2, 7.0))
    assert portrait is not None
    assert portrait.text == "Shy at work."


def test_writing_a_memory_again_does_not_undo_what_became_of_it(
    store: MemoryStore, record: RecordMaker, job: Callable[[int, str], MemoryRecord]
) -> None:
    first = [job(1, "She works at a bakery."), record("She will ask for leave.", open=True)]
    store.remember(first)
    store.remember([job(2, "She lost her work.")])
    assert store.strengthen(first, day=7.0) == 2
    assert store.strengthen(first, day=7.0) == 0
    assert store.close_loops(first, session_number=2) == 1
    before = store.history(owner="counselor", client_id="mina")
    store.remember(first)
    assert store.history(owner="counselor", client_id="mina") == before


def test_what_is_owed_comes_to_mind_until_it_is_settled(store: MemoryStore, record: RecordMaker) -> None:
    owed = record("She will write three letters.", kind=Kind.HOMEWORK, open=True, session="s1")
    store.remember([owed])
    store.remember([record(f"Tea, cup {n}.", session=f"s{n}", session_number=n) for n in range(2, 12)])

    def in_mind() -> list[str]:
        return texts(store.brief(owner="counselor", client_id="mina", query="tea", k=2))

    assert owed.text in in_mind()
    assert store.close_loops([owed], session_number=12) == 1
    assert owed.text not in in_mind()


def test_recall_strengthens_what_would_have_faded(tmp_path: Path, record: RecordMaker) -> None:
    memories = [record("She likes work in the garden."), record("She likes work with wood.")]
    with MemoryStore.open(tmp_path, forgetting=Forgetting(days=7)) as store:
        store.remember(memories)
        store.strengthen(memories[:1], day=14.0)
        assert len(recalled(store, at=Moment(3, 14.0))) == 2
        assert recalled(store, at=Moment(6, 35.0)) == ["She likes work in the garden."]
        assert len(store.history(owner="counselor", client_id="mina")) == 2
    with MemoryStore.open(tmp_path) as store:
        assert len(recalled(store, at=Moment(6, 35.0))) == 2


def test_the_portrait_is_updated_and_its_versions_stay(store: MemoryStore, record: RecordMaker) -> None:
    drawn = [
        record(text, kind=Kind.PORTRAIT, session=f"s{n}", session_number=n, day=7.0 * n)
        for n, text in enumerate(["Shy at work.", "Speaks up at work.", "Leads at work."], 1)
    ]
    for portrait in drawn:
        store.remember([portrait])
    assert recalled(store) == ["Leads at work."]
    assert store.portrait(owner="counselor", client_id="mina") == drawn[-1]
    assert store.portrait(owner="client", client_id="mina") is None
    versions = store.history(owner="counselor", client_id="mina", kinds=[Kind.PORTRAIT])
    assert [(item.text, item.valid_from, item.valid_until) for item in versions] == [
        ("Shy at work.", 7.0, 14.0),
        ("Speaks up at work.", 14.0, 21.0),
        ("Leads at work.", 21.0, None),
    ]


def test_one_memory_can_supersede_another_by_name(store: MemoryStore, record: RecordMaker) -> None:
    old, new = record("She works."), record("She is on leave from work.", session="s2", session_number=2, day=7.0)
    store.remember([old])
    store.supersede(old, new)
    store.supersede(old, new)
    assert recalled(store) == [new.text]
    assert len(store.history(owner="counselor", client_id="mina")) == 2
    with pytest.raises(ConfigError, match="another owner or client"):
        store.supersede(old, record("x", client_id="other"))


def test_subjects_of_one_owner_do_not_supersede_those_of_another(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record("She works.", subject="job", owner=owner) for owner in ("client", "counselor")])
    store.remember([record("No work.", subject="job", owner="client", session="s2", session_number=2)])
    assert recalled(store) == ["She works."]


def test_of_very_many_memories_the_nearest_come_first(store: MemoryStore, record: RecordMaker) -> None:
    rng = random.Random(4)
    syllables = [a + b for a in "bdfglmnprst" for b in ("an", "el", "in", "or", "um")]

    def chatter() -> str:
        return " ".join("".join(rng.sample(syllables, 3)) for _ in range(8))

    store.remember([record(chatter(), exchange=n, session=f"s{n % 50}") for n in range(700)])
    store.remember([record(f"She fears the exam on {chatter()}.", exchange=n) for n in (901, 902)])
    assert all("exam" in text for text in recalled(store, query="afraid of exams", k=2))
    at = Moment(9, 0.0)
    near = recalled(store, query="afraid of exams", k=6, at=at)
    exact = recalled(store, query="afraid of exams", k=900, at=at)[:6]  # so many are read, not searched
    assert len(set(near) & set(exact)) >= 4
    assert len(recalled(store, query="afraid of exams", k=100)) == 100
    assert len(recalled(store, query="afraid of exams", k=900)) == len(recalled(store, query="", k=900)) == 702
    assert len(store.history(owner="counselor", client_id="mina")) == 702
    store.forget("mina")
    store.remember([record("She is back.")])
    assert recalled(store, query="exams") == ["She is back."]


def test_a_memory_written_a_moment_ago_is_recalled(store: MemoryStore, record: RecordMaker) -> None:
    for number in range(5):
        store.remember([record(f"work {number}", exchange=number)])
        assert len(recalled(store)) == number + 1
