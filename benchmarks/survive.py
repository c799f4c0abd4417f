"""What a kill and a failing server cost: SIGKILL at a share of the calls, then `resume`; and faults of every kind.

    python benchmarks/survive.py

*repeated* are calls the server had to answer again; at most those in flight when the run died. *identical* compares the
transcripts with those of an unbroken run against the same server. With faults, *named* sessions ended with a reason.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import orjson

from counselgraph import read_run

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.cost import write_personas
from benchmarks.serving import serving

FAULTS = {"error": 0.05, "hang": 0.02, "malformed": 0.03, "drop": 0.02, "empty": 0.01}
Transcripts = dict[str, list[tuple[str, str]]]


def served(address: str) -> int:
    """Calls the server has taken."""
    with urllib.request.urlopen(f"{address}/stats") as answer:
        return int(orjson.loads(answer.read()).get("calls", 0))


def counselgraph(*arguments: object) -> subprocess.Popen[bytes]:
    """A command in a process group of its own."""
    command = (sys.executable, "-m", "counselgraph.cli", *map(str, arguments))
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def said(out: Path) -> Transcripts:
    """Every session's turns."""
    return {record.id: [(turn["role"], turn["text"]) for turn in record.turns] for record in read_run(out)}


def flags(given: argparse.Namespace, address: str, people: Path, out: Path) -> Sequence[object]:
    """The run that is measured."""
    length = ("--min-exchanges", given.exchanges, "--max-exchanges", given.exchanges)
    limits = ("--concurrency", given.flight, "--set", f"max_calls={given.flight}", "--set", "timeout_s=3")
    return ("run", "--model", "vllm/fake", "--base-url", address, "--personas", people, *length, *limits, "--out", out)


def killed(given: argparse.Namespace, people: Path, out: Path, at: int) -> int:
    """Calls in all when a run is killed after `at` of them and resumed."""
    with serving("--latency", str(given.latency)) as address:
        run = counselgraph(*flags(given, address, people, out))
        while served(address) < at:
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert counselgraph("resume", out).wait() == 0
        return served(address)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--exchanges", type=int, default=10)
    parser.add_argument("--flight", type=int, default=64, help="sessions and calls in flight")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds a call takes at the server")
    given = parser.parse_args()
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{given.sessions} sessions of {given.exchanges} exchanges, at most {given.flight} calls in flight\n")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_personas(place / "people", given.sessions)
        with serving("--latency", str(given.latency)) as address:
            assert counselgraph(*flags(given, address, place / "people", place / "whole")).wait() == 0
            calls, whole = served(address), said(place / "whole")
        print("| killed at | calls | repeated | sessions | identical |")
        print("|---|---|---|---|---|")
        print(f"| never | {calls} | 0 | {len(whole)} | {len(whole)} |")
        for share in (0.1, 0.5, 0.9):
            out = place / f"killed-{share}"
            again = killed(given, place / "people", out, round(calls * share)) - calls
            found = said(out)
            same = sum(found[session] == whole[session] for session in whole)
            print(f"| {share:.0%} | {calls + again} | {again} | {len(found)} | {same} |", flush=True)
        rates = [part for name, rate in FAULTS.items() for part in (f"--{name}-rate", str(rate))]
        with serving("--latency", str(given.latency), *rates) as address:
            counselgraph(*flags(given, address, place / "people", place / "faults")).wait()
        summary = orjson.loads((place / "faults" / "summary.json").read_bytes())
        print("\n" + ", ".join(f"{rate:.0%} {name}" for name, rate in FAULTS.items()) + ":\n")
        print("| sessions | whole | named as failed | unfinished | retries | repairs |")
        print("|---|---|---|---|---|---|")
        ended = summary["sessions"] - len(summary["failed"]) - summary["unfinished"]
        row = (summary["sessions"], ended, len(summary["failed"]), summary["unfinished"])
        print(f"| {' | '.join(map(str, row))} | {summary['retries']} | {summary['repairs']} |")


if __name__ == "__main__":
    main()
