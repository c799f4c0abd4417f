"""Sessions per second with one worker process and with more, beside what the machine can give at best.

The rehearsal model thinks in the process that plays, so a run is bound by the processor and a second process should
give nearly twice. The ideal is measured in the same run: as many runs of one worker side by side, each on its share of
the sessions, which share nothing but the machine. Sessions per second leave start-up out: the clock runs from the end
of the first fifth to the end of the last session. Processor seconds are those of all processes, start-up included, and
say what sharing costs also on a machine that has other things to do.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from counselgraph import RunSpec, run_sync


def rate(out: Path, *, sessions: int, workers: int, seed: int = 0) -> tuple[float, float]:
    """Play sessions; sessions per second without start-up, and processor seconds with it."""
    ends: list[float] = []
    spec = RunSpec(
        limit=20, replicates=sessions // 20, workers=workers, seed=seed, concurrency=16, min_exchanges=10,
        max_exchanges=10, out=out,
    )  # fmt: skip
    before = spent()
    run_sync(spec, on_progress=lambda _: ends.append(time.perf_counter()))
    # The first sessions to end have been played side by side since before the clock started.
    skipped = len(ends) // 5
    return (len(ends) - skipped) / (ends[-1] - ends[skipped - 1]), spent() - before


def spent() -> float:
    """Processor seconds of this process and of those it has started and seen end."""
    return sum(os.times()[:4])


def ideal(folder: Path, *, sessions: int, runs: int) -> float:
    """Sessions per second of so many runs side by side that share nothing."""
    commands = [
        [sys.executable, __file__, "--one", str(folder / str(number)), str(sessions // runs), str(number)]
        for number in range(runs)
    ]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    return sum(float(process.communicate()[0]) for process in processes)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sessions", type=int, default=400, help="a multiple of 20 times the workers")
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--one", nargs=3, metavar=("OUT", "SESSIONS", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        print(rate(Path(given.one[0]), sessions=int(given.one[1]), workers=1, seed=int(given.one[2]))[0])
        return
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{given.sessions} sessions of ten exchanges, rehearsal model, memory on, 16 side by side\n")
    print("| workers | sessions/s | times one worker | of ideal | processor seconds |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        alone, cpu = rate(folder / "one", sessions=given.sessions, workers=1)
        print(f"| 1 | {alone:.1f} | 1.00 | | {cpu:.1f} |", flush=True)
        for workers in given.workers:
            best = ideal(folder / f"ideal-{workers}", sessions=given.sessions, runs=workers)
            found, cpu = rate(folder / f"many-{workers}", sessions=given.sessions, workers=workers)
            print(f"| {workers} | {found:.1f} | {found / alone:.2f} | {found / best:.2f} | {cpu:.1f} |")
            print(f"| {workers} runs that share nothing | {best:.1f} | {best / alone:.2f} | 1.00 | |", flush=True)


if __name__ == "__main__":
    main()
