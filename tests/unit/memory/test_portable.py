from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from counselgraph.errors import ConfigError, InputError
from counselgraph.memory import Kind, MemoryRecord, MemoryStore, Moment
from counselgraph.memory.portable import export_store, import_store

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RecordMaker = Callable[..., MemoryRecord]
QUERIES = ("work", "the exam and my sleep", "", "tea")


def fill(store: MemoryStore, record: RecordMaker) -> None:
    """A small course of two clients, with everything that may become of a memory."""
    for number in (1, 2, 3):
        place = {"session": f"s{number}", "session_number": number, "day": 7.0 * (number - 1)}
        store.remember(
            [
                record(f"Work {number}: she has a job.", subject="job", **place),
                record(f"She sleeps badly before exam {number}.", owner="client", importance=number, **place),
                record(f"Call {number}.", kind=Kind.PROMISE, open=True, role="client", **place),
                record(f"Portrait {number}.", kind=Kind.PORTRAIT, **place),
                record("He likes tea \u2028\n\0 🙂.", client_id="ben", **place),
            ]
        )
    kept = store.history(owner="counselor", client_id="mina")
    store.strengthen(kept[:3], day=14.0)
    store.close_loops(kept[:2], session_number=2)


def everything_recalled(store: MemoryStore) -> list[object]:
    scopes = [("counselor", "mina"), ("client", "mina"), ("counselor", "ben")]
    moments = (None, Moment(2, 7.0), Moment(4, 90.0))
    asked = [
        (scope, query, at, store.recall(owner=scope[0], client_id=scope[1], query=query, k=50, at=at))
        for scope in scopes
        for query in QUERIES
        for at in moments
    ]
    return [*asked, *(store.history(owner=owner, client_id=client) for owner, client in scopes)]


def test_an_imported_store_recalls_what_the_exported_one_recalled(
    store: MemoryStore, tmp_path: Path, record: RecordMaker
) -> None:
    fill(store, record)
    file, other = tmp_path / "memories.jsonl", tmp_path / "imported"
    count = export_store(store, file)
    assert count == len(store.records()) == 15
    with MemoryStore.open(other) as imported:
        assert import_store(file, imported) == count
        assert everything_recalled(imported) == everything_recalled(store)
        assert import_store(file, imported) == count
        assert imported.records() == store.records()
        again = tmp_path / "again.jsonl"
        export_store(imported, again)
    assert again.read_bytes() == file.read_bytes()


def test_a_store_can_be_exported_without_its_embedder(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path / "a") as store:
        store.remember([record()])
    with MemoryStore.inspect(tmp_path / "a") as store:
        assert export_store(store, tmp_path / "f.jsonl") == 1
        with pytest.raises(ConfigError, match=r"opened without an embedder.*'lexical-v1-512'"):
            store.recall(owner="counselor", client_id="mina", query="x")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "is no memory export"),
        ("[]\n", "is no memory export"),
        ('{"format": "counselgraph memories", "version": 9, "memories": 0}\n', "is no memory export of version 1"),
        (
            '{"format": "counselgraph memories", "version": 1, "memories": 2}\n{}\n',
            "should hold 2 memories and holds 1",
        ),
        ('{"format": "counselgraph memories", "version": 1, "memories": 1}\n{}\n', "record 1: is no memory"),
    ],
)
def test_a_damaged_file_is_refused_before_anything_is_written(tmp_path: Path, lines: str, message: str) -> None:
    (tmp_path / "f.jsonl").write_text(lines, encoding="utf-8")
    with MemoryStore.open(tmp_path / "a") as store:
        with pytest.raises(InputError, match=message):
            import_store(tmp_path / "f.jsonl", store)
        assert store.records() == ()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with MemoryStore.open(tmp_path / "a") as store, pytest.raises(InputError, match="cannot be written"):
        export_store(store, tmp_path / "no" / "folder.jsonl")
