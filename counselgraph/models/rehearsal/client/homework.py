"""How the client reports on the task of the last session: the same way whoever asks, and by its attitude."""

from __future__ import annotations

from typing import Any

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.ratings import own_random
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.wording import filled, slots_for
from counselgraph.models.rehearsal.recall import task_technique
from counselgraph.personas.persona import Attitude

_OUTCOMES = {
    Attitude.POSITIVE: ("done", "done", "done", "half"),
    Attitude.NEUTRAL: ("done", "half", "half", "undone"),
    Attitude.NEGATIVE: ("half", "undone", "undone"),
}


def task_of(scene: Scene) -> MemoryRecord | None:
    """The latest task this client remembers."""
    tasks = [memory for memory in scene.memories if memory.kind is Kind.HOMEWORK]
    return max(tasks, key=lambda memory: (memory.session_number, memory.exchange), default=None)


def report(scene: Scene, task: MemoryRecord, entry: dict[str, Any]) -> list[str]:
    """What the client can say about a task, and what it adds when it is asked about it again."""
    outcome = own_random(scene.persona, task.session, task.text).choice(_OUTCOMES[scene.persona.attitude])
    technique = task_technique(task.text)
    told = bank("homework")[technique].get(outcome, ()) if technique else ()
    lines = filled([*told] or entry[outcome if outcome == "undone" else f"{outcome}_plain"], slots_for(scene, ""))
    reported = any(turn.client and "homework_review" in turn.reading.asks for turn in scene.turns)
    return list(entry[f"{outcome}_again"]) if reported else lines
