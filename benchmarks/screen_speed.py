"""How many turns a second `counselgraph screen` takes on one core, JSON in and out included, start-up left out.

Prints a table: a row for each kind of data, a column for each choice of layers. Without the folder of test inputs
(COUNSELGRAPH_TEST_DATA) only lines of our own are screened. `--profile KIND` prints where the time goes instead.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import json
import os
import pstats
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from counselgraph.cli.screen import Job, screen_into
from counselgraph.safety.fold import folded_turn
from counselgraph.safety.levels import Side

Row = dict[str, Any]
LAYERS = (("rules",), ("rules", "learned"))

ENGLISH = (
    "I slept badly again and the meeting this morning went over my head.",
    "Yeah.",
    "My sister says I should talk to somebody, so here I am.",
    "Some days I think it would be easier not to wake up.",
    "It is not that I want to drink, it is just what we do on Fridays.",
    "I keep thinking that I let everybody down when I left that job.",
    "I don't know, maybe a six?",
    "He said the deadline is killing him, and we both laughed about it.",
)
CHINESE = (
    "我最近总是睡不好 早上起来很累。",
    "嗯 是的。",
    "有时候觉得活着没什么意思。",
    "我妈妈希望我考研 可是我想先工作。",
    "考试快把我逼死了 不过周末还是出去玩了。",
    "我也不知道该怎么跟他说。",
)


def main() -> None:
    options = parsed()
    kinds = dict(all_kinds(options.rows))
    if options.profile:
        profile(*kinds[options.profile])
        return
    print(f"| data | turns | characters a turn | {' | '.join('+'.join(layers) for layers in LAYERS)} |")
    print(f"|---|---|---|{'---|' * len(LAYERS)}")
    for kind, (side, rows) in kinds.items():
        turns = list(turns_in(rows, side))
        speeds = [f"{len(turns) / seconds(side, rows, layers):.0f}" for layers in LAYERS]
        length = sum(map(len, turns)) / len(turns)
        print(f"| {kind} | {len(turns)} | {length:.0f} | {' | '.join(speeds)} |", flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000, help="lines of our own (4000)")
    parser.add_argument("--profile", metavar="KIND", help="profile one kind of data with the rules layer")
    return parser.parse_args()


def all_kinds(rows: int) -> Iterator[tuple[str, tuple[Side, list[Row]]]]:
    deal = random.Random(7)
    yield "own lines, English", (Side.CLIENT, lines(f"{deal.choice(ENGLISH)} At {minute(n)}." for n in range(rows)))
    yield "own lines, Chinese", (Side.CLIENT, lines(f"{deal.choice(CHINESE)}{minute(n)}。" for n in range(rows)))
    folder = os.environ.get("COUNSELGRAPH_TEST_DATA")
    if folder:
        yield from of_test_data(Path(folder))


def of_test_data(folder: Path) -> Iterator[tuple[str, tuple[Side, list[Row]]]]:
    psyguard = json.loads((folder / "risk_client/psyguard_valid.json").read_text(encoding="utf-8"))
    yield "PsyGUARD lines", (Side.CLIENT, lines(row["text"] for row in psyguard))
    annomi = table(folder / "transcripts/annomi_dev.csv")
    spoken = (row["utterance_text"] for row in annomi if row["interlocutor"] == "client")
    yield "AnnoMI client turns", (Side.CLIENT, lines(spoken))
    yield "AnnoMI sessions", (Side.CLIENT, sessions(annomi))
    yield "av9ash posts", (Side.CLIENT, lines(row["content"] for row in table(folder / "risk_client/av9ash_dev.csv")))
    yield "AnnoMI sessions, counselor", (Side.COUNSELOR, sessions(annomi))
    replies = json.loads((folder / "risk_counselor/diasafety_val.json").read_text(encoding="utf-8"))
    yield "DiaSafety replies", (Side.COUNSELOR, [pair(row, number) for number, row in enumerate(replies)])


def minute(number: int) -> str:
    """A time of the day, so that no line comes twice: what was folded once is remembered."""
    return f"{number // 60 % 24}:{number % 60:02}"


def lines(texts: Iterator[str]) -> list[Row]:
    return [{"id": number, "content": text} for number, text in enumerate(texts)]


def pair(row: Row, number: int) -> Row:
    said = [{"role": "client", "text": row["context"]}, {"role": "counselor", "text": row["response"]}]
    return {"id": number, "content": said}


def sessions(rows: list[Row]) -> list[Row]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        turn = {"role": row["interlocutor"], "text": row["utterance_text"]}
        found.setdefault(row["transcript_id"], []).append(turn)
    return [{"id": name, "content": turns} for name, turns in found.items()]


def table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def turns_in(rows: list[Row], side: Side) -> Iterator[str]:
    """What is screened: the client's turns, and on the counselor's side all."""
    for row in rows:
        content = row["content"]
        if isinstance(content, str):
            yield content
        else:
            yield from (turn["text"] for turn in content if side is Side.COUNSELOR or turn["role"] == "client")


def seconds(side: Side, rows: list[Row], layers: tuple[str, ...]) -> float:
    """CPU seconds, the better of two runs, after one that reads rules and weights and compiles what is needed."""
    once(side, rows, layers)
    return min(once(side, rows, layers) for _ in range(2))


def once(side: Side, rows: list[Row], layers: tuple[str, ...]) -> float:
    with tempfile.TemporaryDirectory() as place:
        source, out = Path(place) / "in.jsonl", Path(place) / "out.jsonl"
        source.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
        folded_turn.cache_clear()
        with out.open("wb") as stream:
            started = time.process_time()
            screen_into(stream, str(source), Job(side, layers=layers))
            return time.process_time() - started


def profile(side: Side, rows: list[Row]) -> None:
    once(side, rows, LAYERS[0])
    profiler = cProfile.Profile()
    profiler.runcall(once, side, rows, LAYERS[0])
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
