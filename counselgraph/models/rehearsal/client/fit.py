"""What a client says of the way the counselor works: that it helps, or that it does not suit."""

from __future__ import annotations

from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.ratings import own_random
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.fitness import suits
from counselgraph.models.rehearsal.reading import STEP_ASKS
from counselgraph.personas.interlude import Homework
from counselgraph.personas.persona import Attitude
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName

_AGAINST = {Attitude.POSITIVE: 0.08, Attitude.NEUTRAL: 0.4, Attitude.NEGATIVE: 0.6}
"""How often a client says so when the way of working does not suit it."""
_FOR = {Attitude.POSITIVE: 0.55, Attitude.NEUTRAL: 0.45, Attitude.NEGATIVE: 0.3}
_SELDOM = 0.25
"""What is left of either where the days since speak otherwise."""
_MOST = 2
_UNDONE = "task_undone"


def fit_remark(scene: Scene) -> str:
    """A sentence on the way of working, in a later session and at a step of a technique; else empty."""
    approach = next((_approaches()[ask] for ask in scene.reading.asks if ask in _approaches()), None)
    if scene.since is None or approach is None or not scene.material.english:
        return ""
    words = bank("client/fit")[approach]
    suited = approach in suits(scene.persona)
    falling = scene.since.relapse or scene.since.mood < 0
    chance = (_FOR if suited else _AGAINST)[scene.persona.attitude] * (_SELDOM if suited is falling else 1)
    lines = words["helping"] if suited else words["misfit"][_grievance(scene, approach)]
    fresh = scene.share(lines, lambda line: not scene.told(line))
    said = len(lines) - len([line for line in lines if scene.speech.fresh(line)])
    return str(scene.chance.choice(fresh)) if fresh and said < _MOST and scene.sometimes(chance) else ""


def _grievance(scene: Scene, approach: ApproachName) -> str:
    """What it is that does not suit: always the same with the same client, but for a task left undone."""
    kinds: list[str] = list(bank("client/fit")[approach]["misfit"])
    if _UNDONE in kinds and scene.since is not None and scene.since.homework is Homework.UNDONE:
        return _UNDONE
    return own_random(scene.persona, "grievance", approach).choice([kind for kind in kinds if kind != _UNDONE])


@lru_cache(maxsize=1)
def _approaches() -> dict[str, ApproachName]:
    """Ask to the approach in whose techniques it is asked."""
    return {
        STEP_ASKS.get(step.id, step.id): approach
        for approach in ApproachName
        for way in load_protocol(approach).techniques.values()
        for step in way.steps
    }
