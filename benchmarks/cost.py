"""What an exchange costs: CPU, log, journal and checkpoint at 5, 20 and 80 exchanges. `make bench` runs it.

Two models: `fixed` answers at once, so what is measured is the framework; `rehearsal` thinks in the same process.
*empty graph* is the floor under both: the same steps, edges and channels in LangGraph, with nodes that do nothing.
Checkpoints are not part of a batch; the column shows what one saved state weighs when a saver is compiled in.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph

from counselgraph import Answer, Context, Models, Request, RunSpec, build_session, run_sync
from counselgraph.agents.ask import Draft
from counselgraph.graphs.edge import Edge
from counselgraph.graphs.seats import play
from counselgraph.graphs.session import Opening, Reworked, Way
from counselgraph.graphs.state import SessionState, checkpoint_types, opening_state
from counselgraph.personas.importers.yaml_file import dump_persona
from counselgraph.safety.levels import Risk
from counselgraph.testing import sample_persona

LENGTHS = (5, 20, 80)
SESSIONS = 8
DECISION = {
    "technique": "decatastrophizing",
    "focus": "They will shout at me.",
    "hypothesis": "I can't do anything right.",
    "phase": "intervention",
    "reason": "The client foresees anger before every call.",
}


class Fixed:
    """A model that answers at once, about forty tokens, never the same twice in a session."""

    name = "fixed"

    async def answer(self, request: Request) -> Answer:
        if request.output is not None:
            return Answer(text=json.dumps(DECISION))
        start = f"In exchange {request.exchange} the {request.role} says something of an ordinary length, "
        return Answer(
            text=start + "about forty tokens long, with a little about work, sleep and the week, and then stops."
        )


def measure(model: str, length: int, folder: Path) -> dict[str, float]:
    """Run `SESSIONS` sessions of exactly `length` exchanges and say what each exchange cost."""
    out = folder / f"{model}-{length}"
    spec = RunSpec(
        model=model, limit=SESSIONS, min_exchanges=length, max_exchanges=length, concurrency=SESSIONS, out=out
    )
    personas = folder / "personas"
    spec = spec.model_copy(update={"personas": str(personas)})
    began: list[float] = []  # when the first session does
    result = run_sync(
        spec,
        models=Models(overrides={"fixed": Fixed()}),
        on_event=lambda _event: None if began else began.append(time.process_time()),
    )
    cpu = time.process_time() - began[0]
    exchanges = result.summary.exchanges
    assert exchanges == SESSIONS * length, result.summary
    return {
        "exchanges": length,
        "cpu_ms": cpu * 1000 / exchanges,
        "log": size(out / "sessions") / exchanges,
        "journal": size(out / "journal") / exchanges,
        "checkpoint": asyncio.run(checkpoint(model, length)) / length,
    }


async def empty_graph(length: int) -> float:
    """CPU milliseconds an exchange of `SESSIONS` sessions side by side, in a graph of which only the steps are left."""
    graph = _empty_graph(length).compile()

    async def one(_session: int) -> None:
        async for _ in graph.astream({"exchange": 0}, {"recursion_limit": 10_000}):
            pass

    started = time.process_time()
    await asyncio.gather(*map(one, range(SESSIONS)))
    return (time.process_time() - started) * 1000 / (SESSIONS * length)


def _empty_graph(length: int) -> StateGraph[SessionState]:
    draft = Draft(role="client", text="Yes.")

    async def speak(state: SessionState) -> dict[str, Any]:
        return {"draft": draft, "session_number": state["exchange"]}

    async def screen(state: SessionState) -> dict[str, Any]:
        return {"draft": None, "risk": Risk(), "crisis_turns": state["exchange"]}

    async def remember(state: SessionState) -> dict[str, Any]:
        return {"exchange": state["exchange"] + 1}

    def onward(_state: Way) -> list[str]:
        return ["counselor"]

    def done(_state: Reworked) -> list[str]:
        return ["remember"]

    def again(state: Opening) -> list[str]:
        return ["client" if state["exchange"] < length else END]

    graph: StateGraph[SessionState] = StateGraph(SessionState)
    for name in ("client", "counselor"):
        graph.add_node(name, speak)
        graph.add_node(f"screen_{name}", screen)
    graph.add_node("remember", remember)
    graph.add_edge(START, "client")
    graph.add_edge("client", "screen_client")
    graph.add_conditional_edges("screen_client", Edge(onward), ["counselor"])
    graph.add_edge("counselor", "screen_counselor")
    graph.add_conditional_edges("screen_counselor", Edge(done), ["remember"])
    graph.add_conditional_edges("remember", Edge(again), ["client", END])
    return graph


async def checkpoint(model: str, length: int) -> int:
    """Bytes of one session's state as a saver stores it at the end."""
    serde = JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types())
    graph = build_session(cast=play(Models(overrides={"fixed": Fixed()}))).compile(
        checkpointer=InMemorySaver(serde=serde)
    )
    persona = sample_persona()
    context = Context(persona=persona.id, models={"default": model}, min_exchanges=length, max_exchanges=length)
    config: RunnableConfig = {"configurable": {"thread_id": "one"}}
    await graph.ainvoke(opening_state(persona), config, context=context, durability="exit")
    return len(serde.dumps_typed((await graph.aget_state(config)).values)[1])


def size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(file.stat().st_size for file in folder.iterdir())


def main() -> None:
    """Print the table."""
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{SESSIONS} sessions side by side, planner, rule screens and memory on; start-up left out; per exchange\n")
    print("| model | exchanges | CPU ms | of it an empty graph | log bytes | journal bytes | checkpoint bytes |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_personas(Path(folder) / "personas")
        measure("rehearsal", 2, Path(folder))  # imports and first opening of the store: start-up, left out below
        for model in ("fixed", "rehearsal"):
            for length in LENGTHS:
                row, floor = measure(model, length, Path(folder)), asyncio.run(empty_graph(length))
                sizes = " | ".join(f"{row[what]:.0f}" for what in ("log", "journal", "checkpoint"))
                print(f"| {model} | {length} | {row['cpu_ms']:.2f} | {floor:.2f} | {sizes} |")


def write_personas(folder: Path, count: int = SESSIONS) -> None:
    """Made-up clients, one file each."""
    folder.mkdir(parents=True)
    for number in range(count):
        persona = sample_persona().model_copy(update={"id": f"client-{number}"})
        (folder / f"{number}.yaml").write_text(dump_persona(persona), encoding="utf-8")


if __name__ == "__main__":
    main()
