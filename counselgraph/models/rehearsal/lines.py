"""The counselor's phrase banks, one per approach: the words for each step of each technique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import AnyTechnique, ApproachName, approach_of

Lines = Mapping[str, list[str]]


def step_bank(approach: ApproachName) -> Mapping[str, Lines]:
    """The words for the steps of an approach's phases; what it does not say itself is said as in CBT."""
    return _banks(approach)[0]


def technique_lines(technique: AnyTechnique) -> Mapping[str, Any]:
    """The entry of a technique: its steps, `measure`, `found`, `strength`, and `homework` and `task` if it sets any."""
    entry: Mapping[str, Any] = _banks(approach_of(technique))[1][technique]
    return entry


def reactions_in(approach: ApproachName) -> Lines:
    """How a turn is met in an approach, by kind; what it does not say itself is met as in CBT."""
    own: Lines = {} if approach is ApproachName.CBT else _file(approach).get("reactions", {})
    return {**bank("counselor/reactions"), **own}


def tasks_offered() -> Iterator[str]:
    """How the tasks of every approach outside CBT are offered."""
    for approach in ApproachName:
        entries = () if approach is ApproachName.CBT else _banks(approach)[1].values()
        yield from (line for entry in entries for line in entry.get("homework", ()))


def task_of(technique: AnyTechnique) -> str:
    """The task of a technique in a few words, an imperative; "" for one that sets none."""
    return str(technique_lines(technique).get("task", ""))


@lru_cache(maxsize=1)
def technique_steps() -> frozenset[str]:
    """Ids of the steps of all techniques, whatever their approach."""
    ways = (way for approach in ApproachName for way in load_protocol(approach).techniques.values())
    return frozenset(step.id for way in ways for step in way.steps)


def step_frames(technique: AnyTechnique, step: str) -> Lines:
    """The frames of a step, `first` and `again`; empty if the bank does not know it."""
    own = technique_lines(technique).get(step)
    return own if isinstance(own, dict) else step_bank(approach_of(technique)).get(step, {})


def steps_of_all() -> Iterator[tuple[ApproachName, str, Lines]]:
    """Every step with its approach and its words, those of the phases first; a shared step comes once for each."""
    for approach in ApproachName:
        yield from ((approach, step, parts) for step, parts in _own_steps(approach).items())
    for approach in ApproachName:
        for entry in _banks(approach)[1].values():
            yield from ((approach, step, parts) for step, parts in entry.items() if isinstance(parts, dict))


def _own_steps(approach: ApproachName) -> Mapping[str, Lines]:
    own: Mapping[str, Lines] = _file(approach)["steps"]
    return own


@lru_cache(maxsize=8)
def _banks(approach: ApproachName) -> tuple[Mapping[str, Lines], Mapping[str, Any]]:
    common, own = bank("counselor/steps"), _file(approach)
    return {step: {**common.get(step, {}), **parts} for step, parts in own["steps"].items()}, own["techniques"]


def _file(approach: ApproachName) -> Mapping[str, Any]:
    if approach is ApproachName.CBT:
        return {"steps": bank("counselor/steps"), "techniques": bank("counselor/techniques")}
    return bank(f"counselor/{approach}")
