"""What the fake server and HTTP leave of the ideal: the calls of a run without anything around them.

    python benchmarks/bare_loop.py --sessions 64 --exchanges 10

Every session is a loop over aiohttp that sends its dialogue, waits for the answer and appends it; two planner calls go
beside it, as in a run. 200 ms a call, 64 places.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import aiohttp
import orjson

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.serving import ideal_s, serving

LATENCY_S, PLACES = 0.2, 64
PLANNED = (1, 5)
"""Exchanges in which the planner of a run is asked, too."""
Message = dict[str, str]


class Loop:
    """All sessions, and when their first call left and their last answer came."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self.http, self.address = http, address
        self.calls, self.first, self.last = 0, float("inf"), 0.0

    async def call(self, messages: list[Message], seed: int) -> str:
        self.calls += 1
        self.first = min(self.first, time.perf_counter())
        body = orjson.dumps({"model": "fake", "messages": messages, "seed": seed})
        async with self.http.post(f"{self.address}/chat/completions", data=body) as answer:
            said = orjson.loads(await answer.read())
        self.last = max(self.last, time.perf_counter())
        return str(said["choices"][0]["message"]["content"])

    async def session(self, number: int, exchanges: int) -> None:
        messages = [{"role": "system", "content": f"Session {number}. " * 200}]
        for turn in range(1 + 2 * exchanges):
            planner = turn % 2 == 1 and (turn + 1) // 2 in PLANNED
            prompts = [messages, *[messages[:1]] * planner]
            said, *_ = await asyncio.gather(*(self.call(prompt, number) for prompt in prompts))
            messages.append({"role": ("assistant", "user")[turn % 2], "content": said})


async def measured(address: str, sessions: int, exchanges: int) -> tuple[float, float]:
    """Seconds that the calls took, and that they take at best."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        loop = Loop(http, address)
        await asyncio.gather(*(loop.session(number, exchanges) for number in range(sessions)))
    return loop.last - loop.first, ideal_s(LATENCY_S, loop.calls, in_a_row=1 + 2 * exchanges, places=PLACES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=64, help="sessions side by side")
    parser.add_argument("--exchanges", type=int, default=10, help="exchanges of every session")
    given = parser.parse_args()
    with serving("--latency", str(LATENCY_S), "--places", str(PLACES)) as address:
        steady, ideal = asyncio.run(measured(address, given.sessions, given.exchanges))
    print("| steady s | ideal s | efficiency |\n|---|---|---|")
    print(f"| {steady:.2f} | {ideal:.2f} | {ideal / steady:.2f} |")


if __name__ == "__main__":
    main()
