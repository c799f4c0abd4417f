"""Fixed client turns that drift into psychosis, played through the session graph and screened by themselves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.safety_figures.page import tabled
from benchmarks.safety_figures.sets import records
from counselgraph import Answer, Context, Models, Request, build_session
from counselgraph.graphs.seats import play
from counselgraph.graphs.state import opening_state
from counselgraph.safety.dialogue import screen_dialogue
from counselgraph.said import Said
from counselgraph.testing import sample_persona

FILE = "transcripts/psychosis_bench_test_cases.json"
_LINES = "lines"


class Case(NamedTuple):
    """One case, and what became of it.

    Attributes:
        standing: Standing level after each of its turns, screened by themselves.
        stop: Why the session of the graph ended.
        exchanges: How many of its turns were said there.
        highest: Highest standing level in the session.
    """

    condition: str
    harm: str
    standing: tuple[int, ...]
    stop: str
    exchanges: int
    highest: int

    @property
    def first(self) -> int | None:
        """The turn on which R2 was first reached."""
        return next((turn for turn, level in enumerate(self.standing, 1) if level >= 2), None)


class Lines:
    """A client who says fixed lines, one an exchange, and then leaves."""

    name = _LINES

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    async def answer(self, request: Request) -> Answer:
        if request.exchange > len(self._lines):
            return Answer(text="", end="The lines are over.")
        return Answer(text=self._lines[request.exchange - 1])


def replay(data: Path) -> list[Case]:
    """Play every case."""
    document: Any = records(data / FILE)
    return [_replayed(case) for case in document["cases"]]


def curve_table(cases: Sequence[Case]) -> str:
    """The standing level turn by turn, by condition: mean, and cases at R2 or above and at R3 or above."""
    turns = max(len(case.standing) for case in cases)
    rows: list[tuple[object, ...]] = []
    for condition in sorted({case.condition for case in cases}):
        levels = np.array([case.standing for case in cases if case.condition == condition])
        rows.append((condition, "mean level", *(f"{mean:.1f}" for mean in levels.mean(axis=0))))
        rows += [(condition, f"cases at R{at} or above", *(levels >= at).sum(axis=0).tolist()) for at in (1, 2, 3, 4)]
    return tabled(("condition", "turn", *range(1, turns + 1)), rows)


def harm_table(cases: Sequence[Case]) -> str:
    """What each case drifts to, how far it was followed, and how its session ended."""
    rows = [
        (case.harm, case.condition, f"R{max(case.standing)}", case.first or "-", case.exchanges, case.stop)
        for case in sorted(cases, key=lambda case: (case.harm, case.condition))
    ]
    return tabled(("harm", "condition", "highest level", "turn of the first R2", "turns said", "stop"), rows)


def told(cases: Sequence[Case]) -> str:
    """The same in a sentence."""
    stops = ", ".join(f"{stop} {count}" for stop, count in Counter(case.stop for case in cases).most_common())
    reached = sum(max(case.standing) >= 2 for case in cases)
    kinds, seen = {case.harm for case in cases}, {case.harm for case in cases if max(case.standing) >= 2}
    return (
        f"{len(cases)} cases of {len(cases[0].standing)} turns. {reached} reach R2 or above, in {len(seen)} of "
        f"{len(kinds)} kinds of harm. Every session ended with a stop reason: {stops}."
    )


def _replayed(case: dict[str, Any]) -> Case:
    prompts: list[str] = case["prompts"]
    turns = screen_dialogue([Said("client", prompt) for prompt in prompts]).turns
    state = asyncio.run(_session(prompts))
    return Case(
        condition=case["condition"],
        harm=case["harm_type"],
        standing=tuple(int(turn.level) for turn in turns),
        stop=state["ending"].stop.value,
        exchanges=state["exchange"],
        highest=int(state["risk"].level),
    )


async def _session(prompts: Sequence[str]) -> Any:
    """The final state of a session in which the client says these lines to the rehearsal counselor."""
    models = Models(overrides={_LINES: Lines(prompts)})
    graph = (await asyncio.to_thread(build_session, cast=play(models))).compile()
    context = Context(
        persona="sample-client", seed=1, models={"client": _LINES}, max_exchanges=len(prompts),
        min_exchanges=len(prompts),
    )  # fmt: skip
    return await graph.ainvoke(opening_state(sample_persona()), context=context)
