"""What a model call costs: calls a second and CPU of the client, against a server that takes 200 ms.

    python benchmarks/endpoint.py

Rows: `fast` is what roles call; `graph` is a graph of two nodes that call it in turns, as a session does; `LangChain`
is the same model called through LangChain's `ainvoke`; `stock` is ChatOpenAI, called as roles do with `client="stock"`.
The ideal is calls in flight by latency. CPU is that of the client processes alone; server and clients share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from counselgraph.models.base import ChatMessage, Model, Request
from counselgraph.models.chat import to_langchain
from counselgraph.models.load import Models

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.serving import serving

KINDS = ("fast", "graph", "LangChain", "stock")
PARAMS: dict[str, Any] = {"temperature": 0.7, "max_tokens": 200}
SENTENCE = "When I came home the lights were on and for a moment I thought that I had forgotten something again. "
STEPS = 40
WARM_UP_S = 1.5

Call = Callable[[], Awaitable[object]]


class Figures(NamedTuple):
    """What clients did in a window of time."""

    calls: int
    cpu_s: float
    wall_s: float


class State(TypedDict):
    """State of the two-node graph."""

    step: int


def prompt(length: int) -> tuple[ChatMessage, ...]:
    """A prompt of so many messages of about 40 tokens: a system message, then the two sides in turns."""
    system: ChatMessage = {"role": "system", "content": SENTENCE * 4}
    turns: list[ChatMessage] = [
        {"role": "assistant" if at % 2 else "user", "content": f"{at}. {SENTENCE * 2}"} for at in range(length - 1)
    ]
    return (system, *turns)


def asking(model: Model, length: int) -> Call:
    """One call of a role."""
    messages, seeds = prompt(length), count()

    async def call() -> object:
        seed = next(seeds)
        return await model.answer(
            Request(role="client", messages=messages, session=f"s{seed % 512}", seed=seed, params=PARAMS)
        )

    return call


def looping(call: Call) -> Call:
    """A graph of two nodes that make `STEPS` calls in turns."""

    async def node(state: State) -> State:
        await call()
        return {"step": state["step"] + 1}

    builder = StateGraph(State)
    builder.add_node("client", node)
    builder.add_node("counselor", node)
    builder.add_edge(START, "client")
    builder.add_edge("client", "counselor")
    builder.add_conditional_edges("counselor", lambda state: "client" if state["step"] < STEPS else "__end__")
    graph = builder.compile()
    return lambda: graph.ainvoke({"step": 0}, {"recursion_limit": 2 * STEPS})


async def measure(kind: str, length: int, flight: int, seconds: float, base_url: str) -> Figures:
    """Keep `flight` calls in flight and count what ends in a window after the warm-up."""
    calls, warm = 0, asyncio.Event()

    def counted(call: Call) -> Call:
        async def one() -> None:
            nonlocal calls
            await call()
            calls += 1
            if calls == flight:
                warm.set()

        return one

    async with Models(base_url, max_calls=flight, client="stock" if kind == "stock" else "fast") as models:
        work = counted(asking(models.get("vllm/fake"), length))
        if kind == "graph":
            work = looping(work)
        elif kind == "LangChain":
            chat = await asyncio.to_thread(models.chat, "vllm/fake")
            messages, seeds = to_langchain(prompt(length)), count()
            work = counted(lambda: chat.ainvoke(messages, seed=next(seeds), **PARAMS))

        async def worker() -> None:
            while True:
                await work()

        workers = [asyncio.create_task(worker()) for _ in range(flight)]
        await asyncio.sleep(WARM_UP_S)
        await warm.wait()
        before, cpu, start = calls, time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        figures = Figures(calls - before, time.process_time() - cpu, time.perf_counter() - start)
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return figures


def row(kind: str, length: int, number: int, given: argparse.Namespace) -> str:
    """Measure one line of the table."""
    with serving("--latency", str(given.latency)) as address:
        found = in_processes(number, kind, length, given.flight, given.seconds, address)
    cells = (
        kind,
        length,
        number,
        round(found.calls / found.wall_s),
        round(number * given.flight / given.latency),
        f"{found.cpu_s * 1000 / max(found.calls, 1):.2f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def in_processes(number: int, kind: str, length: int, flight: int, seconds: float, address: str) -> Figures:
    """Measure with several client processes at once and add up what they did."""
    one = (sys.executable, __file__, "--one", kind, str(length), str(flight), str(seconds), address)
    clients = [subprocess.Popen(one, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    found = [Figures(*json.loads(client.communicate()[0])) for client in clients]
    wall = sum(figures.wall_s for figures in found) / number
    return Figures(sum(figures.calls for figures in found), sum(figures.cpu_s for figures in found), wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds a call takes")
    parser.add_argument("--flight", type=int, default=256, help="calls in flight per process")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a measurement")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--lengths", nargs="+", type=int, default=(4, 40), help="messages of a prompt")
    parser.add_argument("--processes", nargs="+", type=int, default=(1, 2))
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        kind, length, flight, seconds, address = given.one
        print(json.dumps(asyncio.run(measure(kind, int(length), int(flight), float(seconds), address))))
        return
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{given.flight} calls in flight per process, each {given.latency * 1000:g} ms at the server\n")
    print("| call | messages | processes | calls/s | ideal | CPU ms per call |")
    print("|---|---|---|---|---|---|")
    for kind in given.kinds:
        for length in given.lengths:
            for number in given.processes:
                print(row(kind, length, number, given), flush=True)


if __name__ == "__main__":
    main()
