"""Stores of the first layout, one metadata field for each of a record's and the text as a document, go on working."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from counselgraph.memory import MemoryRecord, MemoryStore, load_embedder
from counselgraph.memory.connect import collection_of, connect, disconnect
from counselgraph.memory.layout import to_metadata, to_records

RecordMaker = Callable[..., MemoryRecord]


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    """A folder as the first layout wrote it."""
    embed, client = load_embedder(), connect(tmp_path)
    rows = collection_of(client, tmp_path, embed.name)
    texts = ["She sleeps badly before exams.", "She plays the guitar."]
    rows.upsert(
        ids=["one", "two"],
        embeddings=embed(texts),
        documents=texts,
        metadatas=[
            {
                "owner": "counselor",
                "client_id": "mina",
                "kind": "fact",
                "session": "s1",
                "session_number": 2,
                "exchange": number,
                "scope": json.dumps(["counselor", "mina"]),
            }
            for number in range(2)
        ],
    )
    disconnect(client)
    return tmp_path


def test_an_old_store_is_read_and_written(old_store: Path, record: RecordMaker) -> None:
    with MemoryStore.open(old_store) as store:
        store.remember([record("She passed the exam.", session="s3", session_number=3)])
        found = store.recall(owner="counselor", client_id="mina", query="exams", k=2)
        assert {item.session_number for item in found} == {2, 3}
        assert store.sessions("mina") == 3
        assert store.sessions("mina", unless="s3") == 2
        assert len(store.history(owner="counselor", client_id="mina")) == 3


def test_purging_brings_an_old_store_into_todays_layout(old_store: Path, record: RecordMaker) -> None:
    with MemoryStore.open(old_store) as store:
        store.remember([record("Gone.", client_id="other")])
        before = store.history(owner="counselor", client_id="mina")
        assert store.forget("other", purge=True) == 1
        assert store.history(owner="counselor", client_id="mina") == before
        with store._shared.use() as rows:
            found = rows.get(include=["metadatas", "documents"])
        assert {tuple(sorted(metadata)) for metadata in found["metadatas"] or []} == {("client_id", "data", "scope")}
        assert not any(found["documents"] or ())


def test_only_what_is_filtered_on_has_a_field_of_its_own(record: RecordMaker) -> None:
    assert set(to_metadata(record(importance=5, open=True, day=7.0))) == {"scope", "client_id", "data"}
    assert set(to_metadata(record(subject="job"))) == {"scope", "client_id", "data", "subject"}


def test_a_record_survives_its_row(record: RecordMaker) -> None:
    kept = record("a\0b \u2028 🙂", recalled_on=(1.5, 2.0), subject="job", session="se\0ssion")
    assert to_records({"metadatas": [to_metadata(kept)], "documents": None}) == [kept]
