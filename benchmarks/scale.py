"""What a run makes of its model server: many sessions against a fake one of known speed, beside the ideal.

    python benchmarks/scale.py --sessions 64 256 1024
    python benchmarks/scale.py --sessions 64 --exchanges 5 20 80 200
    python benchmarks/scale.py --sessions 16 --screens --places 0

Every row is a `counselgraph run` in a process of its own: client, counselor, planner, rule screens and memory on, all
sessions in flight at once. *first call* counts from the start of the process; *steady* from the first call to the last.
The ideal is what calls and places allow: every place busy, or one session's calls in a row, whichever takes longer.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.cost import write_personas
from benchmarks.serving import ideal_s, serving

TICK_S = 0.02
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """One look at a running process and its server."""

    at: float
    cpu_s: float
    calls: int


@dataclass(frozen=True)
class Row:
    """What came out of one run."""

    summary: dict[str, Any]
    first_s: float
    steady_s: float
    cpu_s: float
    peak_mb: float
    calls_in_a_row: int

    @property
    def exchanges(self) -> int:
        return int(self.summary["exchanges"])

    def ideal_s(self, latency: float, places: int) -> float:
        return ideal_s(latency, int(self.summary["usage"]["calls"]), in_a_row=self.calls_in_a_row, places=places)


def play(sessions: int, exchanges: int, given: argparse.Namespace, folder: Path) -> Row:
    """One run, watched from outside."""
    people, out = folder / "people", folder / "run"
    write_personas(people, sessions)
    with serving("--latency", str(given.latency), "--places", str(given.places)) as address:
        command = [sys.executable, "-m", "counselgraph.cli", "run", "--model", "vllm/fake", "--display", "none"]
        command += ["--base-url", address, "--personas", str(people), "--out", str(out)]
        command += ["--min-exchanges", str(exchanges), "--max-exchanges", str(exchanges)]
        command += ["--concurrency", str(sessions), "--set", f"max_calls={given.flight or sessions}"]
        command += [flag for name in given.roles for flag in ("--role", name)]
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
            samples = list(watched(run, address))
        assert run.returncode == 0, "the run failed"
    summary = orjson.loads((out / "summary.json").read_bytes())
    assert summary["exchanges"] == sessions * exchanges, summary
    first = next(sample for sample in samples if sample.calls)
    last = next(sample for sample in samples if sample.calls == samples[-1].calls)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    in_a_row = 1 + 2 * exchanges + bool(given.roles)
    return Row(
        summary, first.at - started, last.at - first.at + given.latency, last.cpu_s - first.cpu_s, peak, in_a_row
    )


def watched(run: subprocess.Popen[bytes], address: str) -> Iterator[Sample]:
    """Looks at the run until it ends."""
    while run.poll() is None:
        with urllib.request.urlopen(f"{address}/stats") as answer:
            stats = orjson.loads(answer.read())
        calls = stats.get("calls", 0)
        try:
            fields = Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return
        yield Sample(time.perf_counter(), (int(fields[11]) + int(fields[12])) / TICKS_PER_S, calls)
        time.sleep(TICK_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", nargs="+", type=int, default=(64,), help="sessions in flight")
    parser.add_argument("--exchanges", nargs="+", type=int, default=(10,), help="exchanges of every session")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds a call takes at the server")
    parser.add_argument("--places", type=int, default=64, help="calls the server works on at once; 0 for no limit")
    parser.add_argument("--flight", type=int, default=0, help="calls the run keeps in flight; as many as sessions if 0")
    parser.add_argument("--screens", dest="roles", action="store_const", const=("monitor", "reviewer"), default=())
    given = parser.parse_args()
    if given.latency <= 0:
        parser.error("--latency is above 0")
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    places = given.places or "unlimited"
    print(f"{given.latency * 1000:g} ms a call, {places} places; roles added: {', '.join(given.roles) or 'none'}\n")
    print("| sessions | exchanges | calls per exchange | first call s | steady s | ideal s | efficiency ", end="")
    print("| latencies per exchange | CPU ms per exchange | peak MB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for sessions, exchanges in product(given.sessions, given.exchanges):
        with tempfile.TemporaryDirectory() as folder:
            row = play(sessions, exchanges, given, Path(folder))
        ideal = row.ideal_s(given.latency, given.places)
        calls = row.summary["usage"]["calls"] / row.exchanges
        print(
            f"| {sessions} | {exchanges} | {calls:.2f} | {row.first_s:.1f} "
            f"| {row.steady_s:.1f} | {ideal:.1f} | {ideal / row.steady_s:.2f} "
            f"| {row.steady_s / given.latency / exchanges:.2f} "
            f"| {row.cpu_s * 1000 / row.exchanges:.2f} | {row.peak_mb:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
