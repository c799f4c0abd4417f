"""Long courses: killed and resumed, and what a session costs as the course grows.

    python benchmarks/course.py --clients 32 --sessions 20

Two runs of the rehearsal model with the same clients: one unbroken, one killed with SIGKILL when half of its sessions
have ended, and resumed; sessions count as the same if their transcripts are. Prompt tokens are bytes / 4 of every
prompt of client, counselor and planner, divided by the exchanges of the session.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.cost import write_personas
from counselgraph.runner.log import SessionRecord, has_ended, read_run, read_session

COMMAND = [sys.executable, "-m", "counselgraph.cli"]
SHOWN = (1, 5, 10, 20)
BYTES_A_TOKEN = 4


def flags(people: Path, out: Path, sessions: int) -> list[str]:
    """The command of one run."""
    course = ["run", "--recipe", "course", "--sessions-per-client", str(sessions), "--personas", str(people)]
    return [*COMMAND, *course, "--out", str(out), "--display", "none"]


def kill_half_way(command: list[str], out: Path, ended: int) -> int:
    """Start a run and kill it once so many sessions have ended; gives how many had."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None:
            done = count_ended(out)
            if done >= ended:
                run.send_signal(signal.SIGKILL)
                break
            time.sleep(0.2)
    return count_ended(out)


def count_ended(out: Path) -> int:
    """Sessions of a run that have ended."""
    return sum(has_ended(file) for file in (out / "sessions").glob("*.jsonl"))


def transcripts(out: Path) -> dict[str, list[tuple[str, str]]]:
    """Session to its turns."""
    return {record.id: [(turn["role"], turn["text"]) for turn in record.turns] for record in read_run(out)}


def prompt_tokens(record: SessionRecord) -> float:
    """Prompt tokens per exchange of a session."""
    exchanges = max(turn["exchange"] for turn in record.turns)
    size = sum(len(record.prompt(call).encode()) for call in record.of("model_call"))
    return float(size / BYTES_A_TOKEN / exchanges)


def table(out: Path, clients: int, sessions: int) -> None:
    """What a session costs by its place in the course."""
    print("| session | held | prompt tokens per exchange | seconds a session | memories recalled |")
    print("|---|---|---|---|---|")
    for number in (each for each in SHOWN if each <= sessions):
        files = [out / "sessions" / f"client-{client}-s{number:02d}.jsonl" for client in range(clients)]
        records = [read_session(file) for file in files if file.exists()]
        if not records:
            continue
        tokens = sum(map(prompt_tokens, records)) / len(records)
        seconds = sum((record.end or {})["seconds"] for record in records) / len(records)
        recalled = [
            len(event["records"]) for record in records for event in record.of("memory") if event["action"] == "recall"
        ]
        mean = sum(recalled) / len(records)
        print(f"| {number} | {len(records)} | {tokens:.0f} | {seconds:.2f} | {mean:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--sessions", type=int, default=20, help="sessions planned for each")
    given = parser.parse_args()
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as folder:
        people, whole, killed = (Path(folder) / name for name in ("people", "whole", "killed"))
        write_personas(people, given.clients)
        subprocess.run(flags(people, whole, given.sessions), check=True, stdout=subprocess.DEVNULL)
        told = transcripts(whole)
        ended = kill_half_way(flags(people, killed, given.sessions), killed, len(told) // 2)
        subprocess.run([*COMMAND, "resume", str(killed), "--display", "none"], check=True, stdout=subprocess.DEVNULL)
        again = transcripts(killed)
        same = sum(told.get(session) == turns for session, turns in again.items())
        held = f"{given.clients} clients, {len(told)} sessions held; killed after {ended}"
        print(f"{held}; {same} of {len(again)} the same\n")
        size = sum(file.stat().st_size for file in (whole / "memory").rglob("*") if file.is_file())
        table(whole, given.clients, given.sessions)
        print(f"\nMemory store: {size / len(told) / 1024:.1f} KB a session")


if __name__ == "__main__":
    main()
