"""What an export of a large run costs: sessions and bytes a second, and the memory at its peak. `--help` for options.

Plays one session, writes it down again under new ids and with other words until there are enough, and exports these in
every format, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from counselgraph import RunSpec, run_sync
from counselgraph.runner.export import export
from counselgraph.runner.formats import FORMATS
from counselgraph.runner.report import summarize

PERSONA = "builtin/claire-moreau"


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory(dir=options.dir) as place:
        run, log = Path(place) / "run", play(Path(place) / "played")
        size = write_run(run, log, Path(place) / "played", options.sessions)
        print(f"{options.sessions} sessions, {size / 1e6:.0f} MB of logs, {len(log)} events each\n")
        print(
            "| format | sessions/s | MB of logs/s | CPU ms a session | file MB | peak MB |\n|---|---|---|---|---|---|"
        )
        report("summary.json", options.sessions, size, apart(sum_up, run))
        for to in sorted(FORMATS):
            report(to, options.sessions, size, apart(export_to, run, to))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000, help="sessions of the run (10000)")
    parser.add_argument("--dir", type=Path, default=None, help="where the run is written for the time (the system's)")
    return parser.parse_args()


def play(folder: Path) -> list[dict[str, Any]]:
    """The events of one rehearsal session of twenty exchanges."""
    run_sync(RunSpec(personas=PERSONA, min_exchanges=18, max_exchanges=20, memory="none", out=folder))
    (log,) = (folder / "sessions").iterdir()
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def write_run(run: Path, log: list[dict[str, Any]], played: Path, sessions: int) -> int:
    """A run folder of so many sessions, two replicates a client; its bytes."""
    (run / "sessions").mkdir(parents=True)
    (run / "texts").symlink_to(played / "texts")
    manifest = yaml.safe_load((played / "run.yaml").read_text(encoding="utf-8"))
    (run / "run.yaml").write_text(yaml.safe_dump(manifest | {"run": "synthetic"}), encoding="utf-8")
    size = 0
    for number in range(sessions):
        client, replicate = f"client-{number // 2:06d}", number % 2 + 1
        lines = "".join(f"{json.dumps(event, ensure_ascii=False)}\n" for event in renamed(log, client, replicate))
        size += (run / "sessions" / f"{client}-r{replicate}.jsonl").write_bytes(lines.encode())
    return size


def renamed(log: list[dict[str, Any]], client: str, replicate: int) -> Iterator[dict[str, Any]]:
    for event in log:
        change: dict[str, Any] = {"session": f"{client}-r{replicate}"}
        if event["event"] == "header":
            change |= {"persona": event["persona"] | {"id": client, "name": client}, "replicate": replicate}
            change |= {"run": "synthetic"}
        if event["event"] == "turn":
            change |= {"text": f"{event['text']} ({client})"}
        yield event | change


def sum_up(run: Path) -> Path:
    summarize(run)
    return run / "summary.json"


def export_to(run: Path, to: str) -> Path:
    file = run.parent / f"all.{to}"
    export(run, to, file)
    return file


def apart(work: Any, *arguments: Any) -> dict[str, float]:
    """Run in a new process: seconds, CPU seconds, MB of the file, and peak memory in MB, imports included."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: dict[str, float] = pool.apply(measured, (work, *arguments))
    return found


def measured(work: Any, *arguments: Any) -> dict[str, float]:
    started, busy = time.perf_counter(), time.process_time()
    file: Path = work(*arguments)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    size = file.stat().st_size / 1e6
    file.unlink()
    return {"seconds": seconds, "busy": busy, "size": size, "peak": peak_mb()}


def peak_mb() -> float:
    """Peak memory of this process; Linux's `ru_maxrss` may be that of the process it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def report(name: str, sessions: int, size: int, found: dict[str, float]) -> None:
    rate, flow = sessions / found["seconds"], size / 1e6 / found["seconds"]
    busy = found["busy"] / sessions * 1e3
    print(f"| {name} | {rate:.0f} | {flow:.0f} | {busy:.2f} | {found['size']:.1f} | {found['peak']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
