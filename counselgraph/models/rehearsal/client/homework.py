"""How the client reports on the task of the last session: the same way whoever asks, and by its attitude."""

from __future__ import annotations

from typing import Any

from counselgraph.memory.record import MemoryRecord
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.ratings import own_random
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.since import remembered_task, task_report
from counselgraph.models.rehearsal.client.wording import slots_for
from counselgraph.models.rehearsal.recall import task_technique
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.personas.persona import Attitude

_OUTCOMES = {
    Attitude.POSITIVE: ("done", "done", "done", "half"),
    Attitude.NEUTRAL: ("done", "half", "half", "undone"),
    Attitude.NEGATIVE: ("half", "undone", "undone"),
}


def task_of(scene: Scene) -> MemoryRecord | None:
    """The latest task this client remembers."""
    return remembered_task(scene.memories)


def report(scene: Scene, task: MemoryRecord, entry: dict[str, Any]) -> list[str]:
    """What the client can say about a task, and what it adds when it is asked about it again."""
    outcome = own_random(scene.persona, str(task.session_number), task.text).choice(_OUTCOMES[scene.persona.attitude])
    technique = task_technique(task.text)
    told = bank("homework")[technique].get(outcome, ()) if technique else ()
    lines = filled([*told] or entry[outcome if outcome == "undone" else f"{outcome}_plain"], slots_for(scene, ""))
    reported = any(turn.client and "homework_review" in turn.reading.asks for turn in scene.turns)
    return list(entry[f"{outcome}_again"]) if reported else lines


def report_since(scene: Scene, since: Interlude, entry: dict[str, Any]) -> list[str]:
    """What the client can say about the task of the days since: what became of it, and then only a little more."""
    if since.homework is Homework.NONE:
        return list(entry["first"])
    reported = any(turn.client and "homework_review" in turn.reading.asks for turn in scene.turns)
    return list(entry[f"{since.homework}_again"]) if reported else [task_report(since)]
