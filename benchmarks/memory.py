"""What is remembered: recall and MRR on dated chats, leakage, latency and bytes. Writes benchmarks/memory.md.

    python benchmarks/memory.py DATA [--minilm FOLDER] [--sizes 1000 10000 100000]

DATA is a folder with `memory_recall/memory_bank_en.json` and `memory_recall/probing_questions_en.jsonl`. Which turns
answer which question stands in `memory_recall_labels.json` beside this file, as ids alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.memory_cost import bytes_a_session, crowd, latencies, leaks
from counselgraph.memory import (
    Embedder,
    Forgetting,
    Kind,
    MemoryRecord,
    MemoryStore,
    Moment,
    Weights,
    load_embedder,
)
from counselgraph.memory.layout import SCOPE
from counselgraph.memory.record import scope

HERE = Path(__file__).parent
PAGE = HERE / "memory.md"
OWNER = "counselor"
Turn = tuple[str, int]
Ask = Callable[[str, str], Sequence[Turn]]


@dataclass(frozen=True)
class Question:
    """A question, and the turns that answer it."""

    user: str
    text: str
    turns: frozenset[Turn]
    row: int


def read_memories(data: Path) -> dict[str, list[MemoryRecord]]:
    """One memory for every exchange: what both said, on the day on which they did."""
    bank = json.loads((data / "memory_bank_en.json").read_text(encoding="utf-8"))
    return {name.strip(): _of_user(name.strip(), user["history"]) for name, user in bank.items()}


def _of_user(name: str, history: Mapping[str, list[dict[str, str]]]) -> list[MemoryRecord]:
    first = min(map(date.fromisoformat, history))
    return [
        MemoryRecord(
            owner=OWNER,
            client_id=name,
            kind=Kind.FACT,
            text=f"{said['query']}\n{said['response']}",
            session=day,
            session_number=number,
            exchange=exchange,
            day=(date.fromisoformat(day) - first).days,
        )
        for number, (day, exchanges) in enumerate(sorted(history.items()), 1)
        for exchange, said in enumerate(exchanges)
    ]


def dated(record: MemoryRecord) -> MemoryRecord:
    """The same memory with its date in words in front."""
    on = date.fromisoformat(record.session)
    return record.model_copy(update={"text": f"{on:%B} {_ordinal(on.day)}: {record.text}"})


def _ordinal(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day // 10 != 1 else 0, "th")
    return f"{day}{ending}"


def read_questions(data: Path) -> list[Question]:
    """The questions that some turn answers, in the order of the file."""
    lines = (data / "probing_questions_en.jsonl").read_text(encoding="utf-8").splitlines()
    asked = {name.strip(): texts for line in lines for name, texts in json.loads(line).items()}
    labels = json.loads((HERE / "memory_recall_labels.json").read_text(encoding="utf-8"))
    found = [
        Question(
            label["user"],
            asked[label["user"]][label["question"]],
            frozenset((day, exchange) for day, exchange in label["turns"]),
            row,
        )
        for row, label in enumerate(labels)
    ]
    return [question for question in found if question.turns]


def scored(questions: Sequence[Question], ask: Ask) -> tuple[float, float, float]:
    """Recall@1, recall@5 and MRR; recall@k is the part of the labelled turns, k at most, among the first k."""
    first, five, ranks = [], [], []
    for question in questions:
        answer = list(ask(question.user, question.text))
        hits = [turn in question.turns for turn in answer]
        first.append(float(sum(hits[:1])))
        five.append(sum(hits[:5]) / min(5, len(question.turns)))
        ranks.append(1 / (hits.index(True) + 1) if any(hits) else 0.0)
    return fmean(first), fmean(five), fmean(ranks)


def halves(questions: Sequence[Question], ask: Ask) -> list[str]:
    """Cells of a row of the table: all questions, then even and odd rows."""
    parts = [list(questions), *([q for q in questions if q.row % 2 == odd] for odd in (0, 1))]
    return [f"{value:.2f}" for part in parts for value in scored(part, ask)]


def by_store(store: MemoryStore, at: Moment | None = None) -> Ask:
    """Ask `recall` for everything, so that MRR sees every rank."""

    def ask(user: str, text: str) -> list[Turn]:
        found = store.recall(owner=OWNER, client_id=user, query=text, k=500, at=at)
        return [(record.session, record.exchange) for record in found]

    return ask


def by_chroma(store: MemoryStore, embedder: Embedder) -> Ask:
    """Ask Chroma itself, with its filter and nothing else."""

    def ask(user: str, text: str) -> list[Turn]:
        with store._shared.use() as rows:  # noqa: SLF001 - the bare collection is what this measures
            found = rows.query(
                query_embeddings=embedder([text]),
                where={SCOPE: scope(OWNER, user)},
                n_results=100,
                include=["metadatas"],
            )
        data = [json.loads(str(metadata["data"])) for metadata in (found["metadatas"] or [[]])[0]]
        return [(fields["session"], fields.get("exchange", 0)) for fields in data]

    return ask


def by_window(memories: Mapping[str, list[MemoryRecord]]) -> Ask:
    """The latest turns, whatever was asked."""
    return lambda user, _: [(record.session, record.exchange) for record in reversed(memories[user])]


MEANING = Weights(words=0, recency=0, importance=0, open=0)
WORDS = Weights(meaning=0, recency=0, importance=0, open=0)
TITLES = ("recall@1", "recall@5", "MRR")


def quality(data: Path, embedders: Mapping[str, Embedder], *, with_dates: bool) -> list[str]:
    """Lines of the table of what is found."""
    memories = {user: [dated(r) if with_dates else r for r in kept] for user, kept in read_memories(data).items()}
    questions = read_questions(data)
    every = [record for kept in memories.values() for record in kept]
    lines = ["| how | " + " | ".join([*TITLES, *(f"{t} even" for t in TITLES), *(f"{t} odd" for t in TITLES)]) + " |"]
    lines.append("|---" * 10 + "|")
    lines.append(_row("the last turns, latest first", halves(questions, by_window(memories))))
    for name, embedder in embedders.items():
        lines += _of_embedder(name, embedder, every, questions)
    return lines


def _of_embedder(
    name: str, embedder: Embedder, every: Sequence[MemoryRecord], questions: Sequence[Question]
) -> list[str]:
    after = Moment(100, max(record.day for record in every) + 1)
    with tempfile.TemporaryDirectory() as folder:
        with MemoryStore.open(folder, embedder=embedder) as store:
            store.remember(every)
            rows = [_row(f"{name}: Chroma with its filter", halves(questions, by_chroma(store, embedder)))]
        for label, weights, forgetting in (
            ("meaning alone", MEANING, None),
            ("words alone", WORDS, None),
            ("hybrid", Weights(), None),
            ("hybrid, forgetting (14 days)", Weights(), Forgetting()),
            ("hybrid, forgetting (5 days)", Weights(), Forgetting(days=5)),
            ("hybrid, forgetting (2 days)", Weights(), Forgetting(days=2)),
            ("hybrid, forgetting (1 day)", Weights(), Forgetting(days=1)),
        ):
            if label == "words alone" and name != "lexical":
                continue
            with MemoryStore.open(folder, embedder=embedder, weights=weights, forgetting=forgetting) as store:
                rows.append(_row(f"{name}: {label}", halves(questions, by_store(store, after))))
    return rows


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minilm", type=Path, help="folder with model.onnx and tokenizer.json")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    embedders = {"lexical": load_embedder()}
    if given.minilm:
        embedders["minilm"] = load_embedder(f"minilm:{given.minilm}")
    data = given.data / "memory_recall"
    parts = {
        "quality": quality(data, embedders, with_dates=False),
        "dated": quality(data, embedders, with_dates=True),
        "leaks": leaks(),
        "crowd": crowd(),
        "bytes": bytes_a_session(),
        "latency": latencies(given.sizes),
    }
    text = (HERE / "memory_page.md").read_text(encoding="utf-8")
    for name, lines in parts.items():
        text = text.replace(f"{{{name}}}", "\n".join(lines))
    given.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
