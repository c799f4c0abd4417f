"""What an exchange costs in instructions, which no other program on the machine changes. Needs valgrind.

    python benchmarks/instructions.py

`session` is a run with a model that answers at once; `empty graph` the same steps in LangGraph with nothing done in
them; `screens` the rule screens of both sides alone. Counted twice, for a short and for a long session, so that imports
and start-up fall out. Instructions of the system are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.cost import SESSIONS, Fixed, empty_graph, measure, write_personas
from counselgraph import Request
from counselgraph.safety.levels import Risk
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.said import Said

SHORT, LONG = 4, 24
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")


def play(what: str, exchanges: int) -> None:
    """What is counted: eight sessions of so many exchanges, or a part of them."""
    if what == "session":
        with tempfile.TemporaryDirectory() as folder:
            write_personas(Path(folder) / "personas")
            measure("fixed", exchanges, Path(folder))
    elif what == "empty graph":
        asyncio.run(empty_graph(exchanges))
    else:
        asyncio.run(screens(exchanges))


async def screens(exchanges: int) -> None:
    """The screens of both sides on what the fixed model says."""
    for session in range(SESSIONS):
        said: list[Said] = []
        for exchange in range(1, exchanges + 1):
            for role in ("client", "counselor"):
                answer = await Fixed().answer(Request(role=role, messages=(), exchange=exchange, session=str(session)))
                text = f"{answer.text} Session {session}."
                if role == "client":
                    screen(text, question=said[-1].text if said else "")
                else:
                    screen_reply(text, risk=Risk(), before=said[-20:])
                said.append(Said(role, text))


def counted(what: str, exchanges: int) -> int:
    """Instructions of one such process."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [sys.executable, __file__, "--play", what, "--exchanges", str(exchanges)]
    done = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True)
    found = _COUNTED.search(done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--play", help=argparse.SUPPRESS)
    parser.add_argument("--exchanges", type=int, default=SHORT, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.play:
        play(given.play, given.exchanges)
        return
    print("| | million instructions per exchange |\n|---|---|")
    for what in ("session", "empty graph", "screens"):
        with ThreadPoolExecutor() as pool:
            short, long = pool.map(counted, (what, what), (SHORT, LONG))
        print(f"| {what} | {(long - short) / (SESSIONS * (LONG - SHORT)) / 1e6:.1f} |", flush=True)


if __name__ == "__main__":
    main()
