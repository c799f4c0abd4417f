"""Do clients of different attitudes behave differently? Read off the logs of a run, by attitude.

    counselgraph run --personas FILE --seed 7 --out RUN
    python benchmarks/attitudes.py RUN

words: mean words per client turn. held: share of client turns that give the counselor nothing to work with, by the
protocol's cues. exchanges: mean length of a session. moved: mean change from a client's first to its last number
(0 to 100), in the sessions with at least two.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from statistics import mean

from counselgraph import SessionRecord, read_run
from counselgraph.protocols.protocol import load_protocol

_NUMBER = re.compile(r"\b(\d{1,2}0|\d?5|100)\b")


def main() -> None:
    """Print one row per attitude."""
    groups: dict[str, list[SessionRecord]] = defaultdict(list)
    for record in read_run(sys.argv[1]):
        groups[record.header["persona"]["attitude"]].append(record)
    print("| attitude | sessions | words | held | exchanges | moved |")
    print("|---|---|---|---|---|---|")
    for attitude in ("positive", "neutral", "negative"):
        records = groups[attitude]
        said = [turn["text"] for record in records for turn in client_turns(record)]
        held = mean(load_protocol().holds(text, "en") for text in said)
        length = mean(record.events[-1]["exchanges"] for record in records)
        words = mean(len(text.split()) for text in said)
        print(f"| {attitude} | {len(records)} | {words:.1f} | {held:.1%} | {length:.1f} | {moved(records):.1f} |")


def client_turns(record: SessionRecord) -> list[dict[str, str]]:
    """Client turns that were made, not recorded openings."""
    return [turn for turn in record.turns if turn["role"] == "client" and turn["kind"] == "turn"]


def moved(records: Iterable[SessionRecord]) -> float:
    """Mean absolute change from a session's first number to its last."""
    changes = []
    for record in records:
        numbers = [int(found) for turn in client_turns(record) for found in _NUMBER.findall(turn["text"])]
        if len(numbers) > 1:
            changes.append(abs(numbers[-1] - numbers[0]))
    return mean(changes) if changes else 0.0


if __name__ == "__main__":
    main()
