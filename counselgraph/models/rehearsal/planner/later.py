"""The first plan of a later session: on from where the last one led, and exploring only what is new."""

from __future__ import annotations

import random

from counselgraph.models.rehearsal.agenda import heard_in
from counselgraph.models.rehearsal.hearing import fares, outcome
from counselgraph.models.rehearsal.planner.scoring import fit_any, follows, needs_sign, ranked, scores
from counselgraph.models.rehearsal.planner.sight import Sight
from counselgraph.models.rehearsal.planner.wording import clip, decision, focus, label, quote, why
from counselgraph.models.rehearsal.recall import Recalled
from counselgraph.models.rehearsal.story import sounds
from counselgraph.protocols.plan import Decision
from counselgraph.protocols.technique import AnyTechnique, ApproachName, Phase, approach_of

_NEXT = 2.5
"""How much it speaks for a technique that it goes on from where the last one has led."""
_WORKED = 2.0
"""How much it speaks against a technique that an earlier session has worked with it."""
_EXPLORE_DAYS = frozenset({ApproachName.CBT, ApproachName.PERSON_CENTRED})
"""Approaches whose exploration is about the days since; that of the others is done once."""
_DAYS_EXPLORED = 0.4
"""How often the days since are explored before the work goes on; nothing is known of them yet."""


def resumed(seen: Sight, recalled: Recalled, before: AnyTechnique) -> Decision:
    """Outside a course: on from the last session if its task opened something, else another way in."""
    last = seen.turns[-1] if seen.turns else None
    opened = recalled.task is not None and last is not None and last.answers and outcome(last.said) != "undone"
    ways = ranked(seen.all, seen.seed, seen.approach)
    technique = before if opened and before in ways else next(way for way in ways if way is not before)
    worked = f'Last time "{clip(recalled.focus)}" was worked on with {label(before)}.'
    told = f" The client reports on the task: {quote(last.said)}" if last and recalled.task else ""
    onward = f" {label(technique)} goes on from there." if opened else f" {label(technique)} is the next way in."
    return decision(seen, technique, Phase.AGENDA, focus(seen), f"{worked}{told}{onward}")


def first_of_later(seen: Sight) -> Decision:
    """The first plan of a session of a course after its first."""
    last = seen.turns[-1].said if seen.turns else ""
    before = next((way for way in reversed(seen.worked) if approach_of(way) is seen.approach), None)
    technique = _technique(seen, before, last)
    phase = _phase(seen, before, last)
    return decision(seen, technique, phase, _focus(seen), _reason(seen, before, technique, phase))


def _technique(seen: Sight, before: AnyTechnique | None, last: str) -> AnyTechnique:
    """The same way again while its task is half done, else the one that the words and the way so far speak for."""
    asked = seen.recalled is not None and seen.recalled.task is before and before is not None
    if before is not None and asked and outcome(last) == "half" and seen.worked[-2:] != (before, before):
        return before
    told = "\n".join((seen.all, _focus(seen), heard_in(seen.agenda).left_open))
    found, nothing = scores(told, seen.approach), scores("", seen.approach)
    called = [way for way in found if found[way] > nothing[way]]
    ahead = [way for way in follows(before) if way in called or not needs_sign(way)] if before else []
    chance = random.Random(seen.seed)

    def speaks_for(way: AnyTechnique) -> float:
        usual = way in fit_any(seen.approach) or way in ahead or way in called
        score = found[way] - _WORKED * seen.worked.count(way) - (0 if usual else _NEXT)
        return score + (_NEXT / (1 + ahead.index(way)) if way in ahead else 0) + chance.uniform(0, 0.75)

    ways = [way for way in ranked(seen.all, seen.seed, seen.approach) if way is not before]
    return max(ways, key=speaks_for)


def _phase(seen: Sight, before: AnyTechnique | None, last: str) -> Phase:
    """A new approach starts at its beginning; the days since are explored if they were hard, or now and then."""
    if before is None or (seen.approach is ApproachName.CBT and not sounds(_focus(seen))):
        return Phase.AGENDA
    if fares(last) in {"relapse", "worse"}:
        return Phase.AGENDA
    explores = seen.approach in _EXPLORE_DAYS and random.Random(seen.seed).random() < _DAYS_EXPLORED
    return Phase.AGENDA if explores else Phase.INTERVENTION


def _focus(seen: Sight) -> str:
    """What is worked on: the thought of the last session, or else what the agenda comes back to."""
    left = heard_in(seen.agenda).left_open
    kept = seen.recalled.focus if seen.recalled else ""
    return clip(next((text for text in (kept, left) if text and sounds(text)), kept or left) or focus(seen), 300)


def _reason(seen: Sight, before: AnyTechnique | None, technique: AnyTechnique, phase: Phase) -> str:
    told = f" The client says: {quote(seen.said[-1])}" if seen.said else ""
    if before is None:
        return f"The approach is new, so it starts at its beginning; {why(seen, technique)}."
    onward = f"{label(before)} goes on." if technique is before else f"{label(technique)} goes on from {label(before)}."
    how = "What is new is explored first." if phase is Phase.AGENDA else "What it builds on is known."
    return f"{onward} {how}{told}"
