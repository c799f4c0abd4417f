"""How strongly a client's words call for each technique of an approach."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import TECHNIQUES, AnyTechnique, ApproachName, technique_named

_SWAY = 0.75
"""How much the seed may add to a technique's score: enough to break ties, too little to outvote a cue."""
_Cues = tuple[tuple[re.Pattern[str], float], ...]


def scores(text: str, approach: ApproachName = ApproachName.CBT) -> Mapping[AnyTechnique, float]:
    """How strongly the words of a text call for each technique, a cue counting once however often it is heard."""
    heard = frozenset[tuple[AnyTechnique, int]]().union(*(heard_in(line, approach) for line in text.split("\n")))
    return {
        technique: prior + sum(weight for place, (_cue, weight) in enumerate(cues) if (technique, place) in heard)
        for technique, (prior, cues) in _cues(approach).items()
    }


def ranked(text: str, seed: int, approach: ApproachName = ApproachName.CBT) -> list[AnyTechnique]:
    """The techniques, best first; the seed decides between equals."""
    chance, found = random.Random(seed), scores(text, approach)
    swayed = {technique: found[technique] + chance.uniform(0, _SWAY) for technique in TECHNIQUES[approach]}
    return sorted(swayed, key=lambda technique: -swayed[technique])


def fit_any(approach: ApproachName) -> frozenset[AnyTechnique]:
    """Techniques that need no particular sign; any other is turned to only when something called for it."""
    named: list[str] = bank("planner")["fit_any"][approach]
    return frozenset(way for way in TECHNIQUES[approach] if way in named)


def needs_sign(technique: AnyTechnique) -> bool:
    """Whether a technique is turned to only where something calls for it."""
    return technique in bank("planner")["needs_sign"]


def follows(technique: AnyTechnique) -> tuple[AnyTechnique, ...]:
    """The techniques that go on from where this one has led, the nearest first."""
    return tuple(map(technique_named, bank("planner")["follows"].get(technique, ())))


def sign_of(technique: AnyTechnique, approach: ApproachName) -> str:
    """What the client shows when a technique fits, as a clause."""
    if approach is ApproachName.CBT:
        return str(bank("planner")["techniques"][technique]["seen"])
    return load_protocol(approach).techniques[technique].seen


@lru_cache(maxsize=8192)
def heard_in(line: str, approach: ApproachName) -> frozenset[tuple[AnyTechnique, int]]:
    """The cues heard in one turn or sentence."""
    return frozenset(
        (technique, place)
        for technique, (_prior, cues) in _cues(approach).items()
        for place, (cue, _weight) in enumerate(cues)
        if cue.search(line)
    )


@lru_cache(maxsize=8)
def _cues(approach: ApproachName) -> Mapping[AnyTechnique, tuple[float, _Cues]]:
    """CBT's cues stand in the phrase bank; those of every other approach in its protocol."""
    if approach is ApproachName.CBT:
        entries: Mapping[str, Mapping[str, object]] = bank("planner")["techniques"]
        return {way: (_number(entries[way]["prior"]), _compiled(entries[way]["cues"])) for way in TECHNIQUES[approach]}
    ways, prior = load_protocol(approach).techniques, _number(bank("planner")["prior"])
    usual = fit_any(approach)
    return {name: (prior * (name in usual), _compiled(way.cues.get("en", {}))) for name, way in ways.items()}


def _compiled(cues: object) -> _Cues:
    assert isinstance(cues, Mapping)
    return tuple((re.compile(cue, re.IGNORECASE), float(weight)) for cue, weight in cues.items())


def _number(value: object) -> float:
    return float(str(value))
