"""What the memory store costs, and that it does not leak: the parts of benchmarks/memory.py that need no data."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, quantiles

from counselgraph.memory import Kind, MemoryRecord, MemoryStore, Moment, Weights, load_embedder, rows
from counselgraph.memory.layout import SCOPE
from counselgraph.memory.ranking import Sight, cosines, rank
from counselgraph.memory.record import scope

OWNER = "counselor"
OWNERS = (OWNER, "client")
PAIRS = 1_000
A_SESSION = 12
SESSIONS = 400
QUERIES = 60
MEMORIES_A_CLIENT = 50
# Beyond the number that is ranked exactly: its nearest come from Chroma's index.
CROWDED = 1_000
AFTER = Moment(10_000, 3_000.0)
_STEMS = ("sleep", "work", "mother", "exam", "guitar", "friend", "fear", "money", "garden", "doctor", "night", "boss")
_ENDINGS = ("", "s", "ing", "ful", "less", "er")
_MORE = ("late", "again", "never", "early", "alone", "angry", "quiet", "proud", "tired", "busy", "calm", "lost", "sure")


def sentence(rng: random.Random) -> str:
    words = [rng.choice(_STEMS) + rng.choice(_ENDINGS) for _ in range(6)]
    return f"The client said that {' '.join(words)} is {rng.choice(_MORE)} and {rng.choice(_MORE)} this week."


def memory(rng: random.Random, owner: str, client: str, number: int) -> MemoryRecord:
    session = number // A_SESSION + 1
    return MemoryRecord(
        owner=owner,
        client_id=client,
        kind=rng.choice([Kind.FACT, Kind.HOMEWORK, Kind.INSIGHT]),
        text=sentence(rng),
        session=f"{client}-session-{session}",
        session_number=session,
        exchange=number,
        day=7.0 * session,
        importance=rng.randint(1, 5),
    )


def leaks() -> list[str]:
    """Ask one client's or owner's store words of another: everything that comes back must be its own."""
    rng = random.Random(7)
    names = [f"client-{number}" for number in range(200)]
    records = [memory(rng, owner, name, number) for name in names for owner in OWNERS for number in range(10)]
    by_client = {name: [record for record in records if record.client_id == name] for name in names}
    leaked = asked = 0
    with tempfile.TemporaryDirectory() as folder, MemoryStore.open(folder) as store:
        store.remember(records)
        for _ in range(PAIRS):
            mine, other = rng.sample(names, 2)
            query = rng.choice(by_client[other]).text
            for owner in OWNERS:
                found = store.recall(owner=owner, client_id=mine, query=query, k=20)
                asked += len(found)
                leaked += sum(record.client_id != mine or record.owner != owner for record in found)
    pairs = f"{PAIRS:,} random pairs of {len(names)} clients, one asked the other's very words, for both owners"
    return [f"{pairs}: {asked:,} memories came back, **{leaked}** of them another's."]


def bytes_a_session() -> list[str]:
    """Write sessions one by one, as a run does."""
    rng = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        with MemoryStore.open(folder) as store:
            opened = time.process_time()
            for number in range(SESSIONS):
                client = f"client-{number % 40}"
                store.remember(
                    [memory(rng, rng.choice(OWNERS), client, number * A_SESSION + n) for n in range(A_SESSION)]
                )
            spent = (time.process_time() - opened) / SESSIONS * 1e3
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    cost = f"**{size / SESSIONS / 1000:.1f} KB** and {spent:.1f} ms CPU a session, embedding included"
    return [f"{SESSIONS} sessions of {A_SESSION} memories, written one after another: {cost}."]


def crowd() -> list[str]:
    """How much of the exact answer is found for a client with too many memories to rank them all."""
    rng = random.Random(11)
    shares = []
    with tempfile.TemporaryDirectory() as folder, MemoryStore.open(folder) as store:
        store.remember([memory(rng, OWNER, "crowded", number) for number in range(5_000)])
        with store._shared.use() as collection:  # noqa: SLF001 - to rank what the store leaves to the index
            everything = rows.all_of(collection, OWNER, "crowded")
        for _ in range(QUERIES):
            query = sentence(rng)
            meaning = cosines(everything.vectors, load_embedder()([query])[0])
            exact = rank(everything, meaning, query, Sight(AFTER, None, None), Weights())[:6]
            found = store.recall(owner=OWNER, client_id="crowded", query=query, at=AFTER)
            shares.append(len(set(found) & set(exact)) / len(exact))
    return [f"Of a client's 5,000 memories, {fmean(shares):.0%} of the exact first six are found ({QUERIES} queries)."]


def latencies(sizes: Sequence[int]) -> list[str]:
    """Lines of the table of latencies."""
    lines = [
        "| memories | clients | what | p50 ms | p95 ms | p50 against raw |",
        "|---|---|---|---|---|---|",
    ]
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            lines += _at_size(Path(folder), size)
    return lines


def _at_size(folder: Path, size: int) -> list[str]:
    rng = random.Random(size)
    crowded = min(CROWDED, size // 2) if size >= 2 * CROWDED else 0
    clients = [f"client-{number}" for number in range((size - crowded) // MEMORIES_A_CLIENT)]
    records = [memory(rng, OWNER, client, number) for client in clients for number in range(MEMORIES_A_CLIENT)]
    records += [memory(rng, OWNER, "crowded", number) for number in range(crowded)]
    with MemoryStore.open(folder) as store:
        for start in range(0, len(records), 5_000):
            store.remember(records[start : start + 5_000])
        store.recall(owner=OWNER, client_id="nobody", query="warm up")
        lines = _compared(store, size, len(clients), lambda n: clients[n * 7 % len(clients)], "usual client")
        if crowded:
            lines += _compared(store, size, len(clients), lambda _: "crowded", f"client with {crowded:,}")
    return lines


def _compared(store: MemoryStore, size: int, clients: int, client: Callable[[int], str], what: str) -> list[str]:
    embed, rng = load_embedder(), random.Random(1)
    queries = [sentence(rng) for _ in range(QUERIES)]

    def raw(number: int) -> None:
        with store._shared.use() as collection:  # noqa: SLF001 - the bare collection is what this is measured against
            collection.query(
                query_embeddings=embed([queries[number]]),
                where={SCOPE: scope(OWNER, client(number))},
                n_results=6,
                include=["metadatas", "distances"],
            )

    def recall(number: int) -> None:
        store.recall(owner=OWNER, client_id=client(number), query=queries[number])

    def cold(number: int) -> None:
        store._shared.shelves.drop()  # type: ignore[union-attr]  # noqa: SLF001 - a folder has them
        recall(number)

    timed = {"raw Chroma query": raw, "recall, first": cold, "recall, again": recall}
    took: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(QUERIES):  # in turn, so that a busy moment slows all three
        for name, call in timed.items():
            if name == "recall, again":
                recall(number)
            took[name].append(_seconds(call, number))
    base = _percentile(took["raw Chroma query"], 50)
    return [
        f"| {size:,} | {clients:,} | {what}: {name} | {_percentile(times, 50):.2f} | {_percentile(times, 95):.2f} "
        f"| {_percentile(times, 50) / base:.2f} |"
        for name, times in took.items()
    ]


def _seconds(call: Callable[[int], None], number: int) -> float:
    started = time.perf_counter()
    call(number)
    return time.perf_counter() - started


def _percentile(times: Sequence[float], percent: int) -> float:
    return quantiles(times, n=100, method="inclusive")[percent - 1] * 1e3
