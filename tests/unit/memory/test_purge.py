"""Deleting for good: what was forgotten is in no byte of the folder."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from counselgraph.errors import ConfigError
from counselgraph.memory import MemoryRecord, MemoryStore, load_embedder
from counselgraph.memory import purge as purging
from counselgraph.memory.connect import NAME, connect, create_collection, disconnect

RecordMaker = Callable[..., MemoryRecord]

SECRET = "Zebrawood"
KEPT = "Applewood"


@pytest.fixture
def filled(tmp_path: Path, record: RecordMaker) -> MemoryStore:
    store = MemoryStore.open(tmp_path / "memory")
    for number in range(30):  # in small writes, as sessions do it, past what Chroma's index waits for
        store.remember(
            [record(f"{SECRET} {number}-{n}", client_id="gone", exchange=n, subject=f"{SECRET} s{n}") for n in range(5)]
        )
        store.remember([record(f"{KEPT} {number}-{n}", client_id="stays", exchange=n) for n in range(5)])
    return store


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def traces(folder: Path, *, text: str = SECRET) -> int:
    stored = bytes_of(folder).lower()
    vector = load_embedder()([f"{text} 7-2"])[0].tobytes()
    return stored.count(text.lower().encode()) + bytes_of(folder).count(vector)


def unset(folder: Path) -> bytes:
    """What Chroma's index wrote of the process's memory without setting it: a word a row, and room for rows to come."""
    (header,) = folder.glob("*/header.bin")
    used, size = struct.unpack_from("<QQ", header.read_bytes(), 20)
    return header.with_name("length.bin").read_bytes() + header.with_name("data_level0.bin").read_bytes()[used * size :]


def recalled(store: MemoryStore, client: str) -> int:
    return len(store.recall(owner="counselor", client_id=client, query="wood", k=999))


def test_a_purged_client_is_in_no_file(filled: MemoryStore, tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    assert traces(folder) > 100
    before = filled.history(owner="counselor", client_id="stays")
    assert filled.forget("gone", purge=True) == 150
    assert traces(folder) == 0
    assert b"gone" not in bytes_of(folder)
    assert filled.history(owner="counselor", client_id="stays") == before
    assert recalled(filled, "stays") == 150
    filled.close()
    assert traces(folder) == 0
    assert traces(folder, text=KEPT) > 0
    assert len(unset(folder)) >= 4 * 60
    assert not any(unset(folder))
    with MemoryStore.open(folder) as store:
        assert store.history(owner="counselor", client_id="stays") == before
        assert recalled(store, "gone") == 0


def test_forgetting_alone_leaves_bytes_behind_and_purging_can_follow(filled: MemoryStore, tmp_path: Path) -> None:
    with filled as store:
        store.forget("gone")
        assert recalled(store, "gone") == 0
        assert traces(tmp_path / "memory") > 0
        assert store.forget("gone", purge=True) == 0
        assert traces(tmp_path / "memory") == 0


def test_the_last_client_of_a_store_can_be_purged(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path) as store:
        store.remember([record(f"{SECRET} 7-2")])
        assert store.forget("mina", purge=True) == 1
        assert traces(tmp_path) == 0
        store.remember([record()])
        assert recalled(store, "mina") == 1
    assert len(unset(tmp_path)) > 100_000, "room for rows to come"
    assert not any(unset(tmp_path))


def test_other_calls_wait_for_a_purge_and_find_everything(filled: MemoryStore, record: RecordMaker) -> None:
    with filled as store, ThreadPoolExecutor(8) as pool:
        purges = [pool.submit(store.forget, "gone", purge=True) for _ in range(2)]
        writes = [pool.submit(store.remember, [record(f"{KEPT} new {n}", client_id="stays")]) for n in range(20)]
        reads = [pool.submit(recalled, store, "stays") for _ in range(20)]
        assert sum(purge.result(60) for purge in purges) == 150
        assert [write.result(60) for write in writes] == [1] * 20
        assert all(150 <= read.result(60) <= 170 for read in reads)
        assert recalled(store, "stays") == 170


@pytest.mark.parametrize("moment", ["create", "copied", "dropped", "scrub"])
def test_a_purge_that_was_killed_loses_nothing_and_can_be_repeated(
    filled: MemoryStore, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "memory"
    kept = filled.history(owner="counselor", client_id="stays")
    filled.forget("gone")
    filled.close()
    client = connect(folder)
    if moment != "scrub":
        old = client.get_collection(NAME, embedding_function=None)
        copy = create_collection(client, f"{NAME}-copy", load_embedder().name)
        if moment != "create":
            page = old.get(include=["embeddings", "metadatas"])
            copy.add(ids=page["ids"], embeddings=page["embeddings"], metadatas=page["metadatas"])
        if moment == "dropped":
            client.delete_collection(NAME)
    else:
        purging.rebuild(client, NAME, lambda name: create_collection(client, name, load_embedder().name))
    disconnect(client)
    with MemoryStore.open(folder) as store:
        assert store.history(owner="counselor", client_id="stays") == kept
        store.forget("gone", purge=True)
        assert store.history(owner="counselor", client_id="stays") == kept
    assert traces(folder) == 0


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_files_of_a_server_are_not_ours(empty_server: str, record: RecordMaker) -> None:
    with MemoryStore.open(empty_server) as store:
        store.remember([record()])
        with pytest.raises(ConfigError, match=r"has its files open.*Fix: forget without purging, or stop the server"):
            store.forget("mina", purge=True)
        assert recalled(store, "mina") == 1
        assert store.forget("mina") == 1
