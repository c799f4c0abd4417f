"""Measures the safety monitor on the development sets and writes `safety.md`.

    python benchmarks/safety.py DATA_FOLDER [--out benchmarks/safety.md]

The page never shows a row. Intervals are 95 % bootstrap intervals (2,000 resamples, seeded; rows that share a context
are resampled together). `--rules-only` leaves out the learned layer, whose numbers need the extra `train`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.safety_figures import aims, client, counselor, psychosis, sets
from benchmarks.safety_figures.estimates import RESAMPLES, short
from benchmarks.safety_figures.latency import latency_table
from benchmarks.safety_figures.layers import REPLIES, Found, find, noted, unseen_levels
from benchmarks.safety_figures.page import written
from counselgraph.dialogues import Dialogue

Unseen: TypeAlias = dict[str, dict[str, int]] | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--rules-only", action="store_true")
    options = parser.parse_args()
    unseen = None if options.rules_only else unseen_levels(options.data)
    blocks = {
        "resamples": f"{RESAMPLES:,}",
        "margin": short(aims.MARGIN),
        **both_sides(options.data, unseen),
        **replayed(options.data),
        "latency": latency_table(timed(options.data)),
    }
    options.out.write_text(written(blocks), encoding="utf-8")


def both_sides(data: Path, unseen: Unseen) -> dict[str, str]:
    """The blocks about texts of clients and replies to them."""
    posts, lines, look_alikes = (
        found(rows, unseen) for rows in (sets.posts(data), sets.lines(data), sets.look_alikes(data))
    )
    calm = [found(rows, unseen) for rows in sets.calm_turns(data)]
    said = None if unseen is None else unseen[REPLIES]
    replies, probes = counselor.judge(sets.safe_and_unsafe(data), said), counselor.judge(sets.probes(data), said)
    ceilings = client.ceilings(data)
    reached = aims.aims(posts, lines, look_alikes, replies, client.ceiling_told(ceilings, 0.95, 0.90))
    return {
        "aims": aims.aim_table(reached),
        "reasons": aims.reasons(reached),
        "learned": noted([posts, lines, look_alikes, *calm]),
        "client": client.main_table([posts, lines]),
        "sources": client.source_table(lines),
        "ceiling": client.ceiling_table(ceilings),
        "thresholds": client.threshold_table([posts, lines]),
        "confusion": "\n\n".join(client.confusions([posts, lines])),
        "look_alikes": client.look_alike_table(look_alikes),
        "calm": client.calm_table(calm),
        "replies": counselor.kinds_table(replies, unfit="Unsafe", fit="Safe"),
        "probes": counselor.kinds_table(probes, unfit="unfit", fit="fit"),
        "counselors": counselor.human_table(counselors(data)),
    }


def replayed(data: Path) -> dict[str, str]:
    """The blocks about sessions with fixed client turns."""
    cases = psychosis.replay(data)
    tables = {"curves": psychosis.curve_table(cases), "harms": psychosis.harm_table(cases)}
    return {"psychosis": psychosis.told(cases), **tables}


def found(rows: sets.Labelled, unseen: Unseen) -> Found:
    return find(rows, None if unseen is None else unseen.get(rows.language, {}))


def counselors(data: Path) -> dict[str, list[Dialogue]]:
    """Sessions by who counsels in them."""
    annomi = counselor.by_quality(sets.dialogues(data, "AnnoMI"), sets.qualities(data))
    return {
        **{f"AnnoMI therapists, {kind} quality": sessions for kind, sessions in annomi.items()},
        "MAGneT counselors": sets.dialogues(data, "MAGneT"),
    }


def timed(data: Path) -> dict[str, sets.Labelled]:
    """The texts on which the time is taken."""
    return {
        "client turns, en (AnnoMI)": next(iter(sets.calm_turns(data))),
        "questions, en (XSTest)": sets.look_alikes(data),
        "short lines, zh (PsyGUARD)": sets.lines(data),
        "long posts, en (av9ash)": sets.posts(data),
    }


if __name__ == "__main__":
    main()
