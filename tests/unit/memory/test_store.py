from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph.errors import ConfigError
from counselgraph.memory import Kind, MemoryRecord, MemoryStore
from counselgraph.memory.lexical import LexicalEmbedder

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])  # every test is run on a folder and on a server

RecordMaker = Callable[..., MemoryRecord]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ONE_STORE_FOR_ALL_EXAMPLES = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


def texts(records: Sequence[MemoryRecord]) -> list[str]:
    return [record.text for record in records]


def test_a_memory_comes_back_as_it_was_written(store: MemoryStore, record: RecordMaker) -> None:
    kept = record(kind=Kind.HOMEWORK, session="s7", session_number=7, exchange=12)
    assert store.remember([kept]) == 1
    assert store.recall(owner="counselor", client_id="mina", query="exams") == (kept,)


@pytest.mark.parametrize(
    "text",
    ["a\0b", "🙂👩‍👩‍👧", " \n\t ", "x" * 1_000_000, "'; DROP TABLE embeddings; --", "{template} %s $x", "\u202eabc"],
)
def test_awkward_texts_survive(store: MemoryStore, record: RecordMaker, text: str) -> None:
    kept = record(text, session="se\0ssion 🙂")
    store.remember([kept])
    assert store.recall(owner="counselor", client_id="mina", query=text) == (kept,)


def test_the_nearest_memory_comes_first(store: MemoryStore, record: RecordMaker) -> None:
    memories = ["Her sister moved abroad.", "She sleeps badly before exams.", "She plays the guitar in a band."]
    store.remember([record(text) for text in memories])
    found = store.recall(owner="counselor", client_id="mina", query="I could not sleep, the exam is tomorrow", k=2)
    assert texts(found)[0] == "She sleeps badly before exams."
    assert len(found) == 2


def test_few_memories_all_come_back(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record(f"memory {n}") for n in range(6)])
    assert len(store.recall(owner="counselor", client_id="mina", query="nothing of that kind", k=6)) == 6


def test_equally_near_memories_come_by_later_session_then_exchange_then_id(
    store: MemoryStore, record: RecordMaker
) -> None:
    same = [record("Same.", session=f"s{s}", session_number=s, exchange=e) for s in (1, 2) for e in (3, 1)]
    twins = [record("Same.", session=name, session_number=2, exchange=1) for name in ("a", "b", "c")]
    store.remember(same + twins)
    found = store.recall(owner="counselor", client_id="mina", query="Same.", k=10)
    assert [(r.session_number, r.exchange) for r in found] == [(2, 1)] * 4 + [(2, 3), (1, 1), (1, 3)]
    assert [r.id for r in found[:4]] == sorted(r.id for r in found[:4])


def test_recall_does_not_depend_on_the_order_of_writing(tmp_path: Path, record: RecordMaker) -> None:
    words = ["sleep", "exam", "mother", "guitar", "band", "friend", "fear"]
    records = [
        record(f"She said {a} and {b}.", exchange=n) for n, (a, b) in enumerate(itertools.permutations(words, 2))
    ]
    found = []
    for name, order in [("forward", records), ("backward", records[::-1]), ("twice", records[10:] + records)]:
        with MemoryStore.open(tmp_path / name) as store:
            for start in range(0, len(order), 7):
                store.remember(order[start : start + 7])
            found.append(store.recall(owner="counselor", client_id="mina", query="the exam and my sleep", k=20))
    assert found[0] == found[1] == found[2]


def test_recall_is_exact_among_many_nearer_memories_of_others(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record(f"She fears the exam, number {n}.", client_id="other") for n in range(1200)])
    own = [record(f"He likes tea, cup {n}.") for n in range(10)]
    store.remember(own)
    found = store.recall(owner="counselor", client_id="mina", query="fear of the exam", k=10)
    assert set(found) == set(own)


@pytest.mark.parametrize("query", ["", "  \n", "!!!", "\0"])
def test_a_query_without_content_returns_the_latest_session_first(
    store: MemoryStore, record: RecordMaker, query: str
) -> None:
    store.remember([record(f"memory {n}", session=f"s{n}", session_number=n) for n in (1, 2, 3)])
    assert texts(store.recall(owner="counselor", client_id="mina", query=query, k=2)) == ["memory 3", "memory 2"]


@pytest.mark.parametrize("k", [0, -1])
def test_asking_for_no_memories_returns_none(store: MemoryStore, record: RecordMaker, k: int) -> None:
    store.remember([record()])
    assert store.recall(owner="counselor", client_id="mina", query="exams", k=k) == ()


def test_an_empty_store_answers_every_question(store: MemoryStore) -> None:
    assert store.remember([]) == 0
    assert store.recall(owner="counselor", client_id="mina", query="exams") == ()
    assert store.history(owner="counselor", client_id="mina") == ()
    assert store.sessions("mina") == 0
    assert store.forget("mina") == 0


def test_writing_a_memory_again_changes_nothing(store: MemoryStore, record: RecordMaker) -> None:
    assert store.remember([record(), record(), record("Another.")]) == 2
    store.remember([record()])
    assert len(store.history(owner="counselor", client_id="mina")) == 2


def test_more_memories_than_one_chroma_write_takes(store: MemoryStore, record: RecordMaker) -> None:
    count = store._shared.batch + 10
    assert store.remember([record(f"memory {n}", exchange=n) for n in range(count)]) == count
    history = store.history(owner="counselor", client_id="mina")
    assert [r.exchange for r in history] == list(range(count))
    assert store.forget("mina") == count


@ONE_STORE_FOR_ALL_EXAMPLES
@given(names=st.lists(TEXT, min_size=2, max_size=4, unique=True), text=TEXT)
def test_owners_and_clients_never_read_each_other(
    store: MemoryStore, record: RecordMaker, names: list[str], text: str
) -> None:
    for client_id in names:
        store.forget(client_id)
    kept = {pair: record(text, owner=pair[0], client_id=pair[1]) for pair in itertools.product(names, names)}
    store.remember(list(kept.values()))
    for (owner, client_id), own in kept.items():
        assert store.recall(owner=owner, client_id=client_id, query=text, k=100) == (own,)
        assert store.history(owner=owner, client_id=client_id) == (own,)


def test_a_pair_that_reads_like_another_pair_is_not_that_pair(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record(owner='a", "b', client_id="c"), record(owner="a", client_id='b", "c')])
    assert len(store.history(owner='a", "b', client_id="c")) == 1
    assert store.history(owner="a", client_id="b") == ()


def test_history_is_in_the_order_of_the_sessions(store: MemoryStore, record: RecordMaker) -> None:
    records = [record(f"{s}.{e}", session=f"s{s}", session_number=s, exchange=e) for s in (10, 2, 1) for e in (11, 2)]
    store.remember(records)
    assert texts(store.history(owner="counselor", client_id="mina")) == ["1.2", "1.11", "2.2", "2.11", "10.2", "10.11"]


def test_history_can_be_narrowed_to_kinds(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record(kind.value, kind=kind) for kind in Kind])
    kinds = {Kind.HOMEWORK, Kind.RISK}
    assert {r.kind for r in store.history(owner="counselor", client_id="mina", kinds=kinds)} == kinds
    assert store.history(owner="counselor", client_id="mina", kinds=[]) == ()


def test_sessions_counts_over_owners_up_to_the_latest(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record(session_number=1), record("b", owner="client", session="s3", session_number=3)])
    store.remember([record("c", client_id="other", session="s9", session_number=9)])
    assert store.sessions("mina") == 3


def test_forgetting_deletes_one_client_for_every_owner_and_for_good(tmp_path: Path, record: RecordMaker) -> None:
    kept = record(client_id="other")
    with MemoryStore.open(tmp_path) as store:
        store.remember([record(), record(owner="client"), kept])
        assert store.forget("mina") == 2
        assert store.forget("mina") == 0
    with MemoryStore.open(tmp_path) as store:
        assert (
            store.history(owner="counselor", client_id="mina") == store.history(owner="client", client_id="mina") == ()
        )
        assert store.recall(owner="client", client_id="mina", query="exams") == ()
        assert store.sessions("mina") == 0
        assert store.history(owner="counselor", client_id="other") == (kept,)


def test_a_forgotten_memory_can_be_written_again(store: MemoryStore, record: RecordMaker) -> None:
    store.remember([record()])
    store.forget("mina")
    store.remember([record()])
    assert store.history(owner="counselor", client_id="mina") == (record(),)


def test_sixteen_threads_write_and_read_at_once(store: MemoryStore, record: RecordMaker) -> None:
    def session(client: int) -> int:
        for exchange in range(10):
            store.remember([record(f"{client} said {exchange}", client_id=f"c{client}", exchange=exchange)])
            found = store.recall(owner="counselor", client_id=f"c{client}", query="said", k=50)
            assert sorted(r.exchange for r in found) == list(range(exchange + 1))
        return client

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(session, range(16))) == list(range(16))
    assert all(len(store.history(owner="counselor", client_id=f"c{n}")) == 10 for n in range(16))


async def test_many_sessions_use_the_async_calls_at_once(store: MemoryStore, record: RecordMaker) -> None:
    async def session(client: int) -> int:
        await store.aremember([record(f"{client}", client_id=f"c{client}")])
        return len(await store.arecall(owner="counselor", client_id=f"c{client}", query="x", k=1))

    assert await asyncio.gather(*(session(n) for n in range(32))) == [1] * 32


async def test_the_async_calls_leave_the_event_loop_free(store: MemoryStore, record: RecordMaker) -> None:
    from blockbuster import blockbuster_ctx

    with blockbuster_ctx():
        await store.aremember([record()])
        assert await store.arecall(owner="counselor", client_id="mina", query="exams") == (record(),)


def test_closing_waits_for_calls_in_flight(tmp_path: Path, record: RecordMaker) -> None:
    embedding = threading.Event()

    class SlowEmbedder(LexicalEmbedder):
        def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            embedding.set()
            return super().__call__(texts)

    store = MemoryStore.open(tmp_path, embedder=SlowEmbedder())
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.remember, [record(f"memory {n}") for n in range(3000)])
        embedding.wait(10)
        while store._shared._users < 2 and not writing.done():
            time.sleep(0.001)
        store.close()
        assert writing.result(30) == 3000
    with MemoryStore.open(tmp_path) as store:
        assert len(store.history(owner="counselor", client_id="mina")) == 3000


def test_a_closed_store_says_so(tmp_path: Path, record: RecordMaker) -> None:
    store = MemoryStore.open(tmp_path)
    store.close()
    store.close()
    for call in (
        lambda: store.remember([record()]),
        lambda: store.recall(owner="counselor", client_id="mina", query="x"),
        lambda: store.history(owner="counselor", client_id="mina"),
        lambda: store.sessions("mina"),
        lambda: store.forget("mina"),
    ):
        with pytest.raises(ConfigError, match=r"is closed. Fix: open it again"):
            call()


def test_an_embedder_that_loses_a_text_is_refused(tmp_path: Path, record: RecordMaker) -> None:
    class Lossy(LexicalEmbedder):
        def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            return super().__call__(texts[1:])

    with MemoryStore.open(tmp_path, embedder=Lossy()) as store, pytest.raises(ConfigError, match="one row per text"):
        store.remember([record(), record("Another.")])
