"""What the rehearsal planner decides, from where the plan stands."""

from __future__ import annotations

import random

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.hearing import feeling_in, moves, rating_in
from counselgraph.models.rehearsal.planner.later import first_of_later, resumed
from counselgraph.models.rehearsal.planner.scoring import fit_any, ranked, scores
from counselgraph.models.rehearsal.planner.sight import Sight, look
from counselgraph.models.rehearsal.planner.wording import belief_in, decision, focus, kept, label, named, quote, why
from counselgraph.models.rehearsal.story import told_thought
from counselgraph.models.rehearsal.words import capital, harsh
from counselgraph.protocols.plan import Decision, Plan, Position
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import AnyTechnique, Phase

_CLEARLY = 3
"""By how much another technique must lead to replace one that has not begun."""
_STRAIGHT_ON = 0.5
"""How often a client who names the thought in its first turn is not asked for a topic any more."""
_FIRM = 85
"""Rating from which a thought that nothing has touched calls for another way in."""
_RATING = frozenset({"rate_belief", "own_reading", "how_likely"})
"""Steps whose answer says how firmly the thought stands."""
_HALF_WAY = 2
"""Steps of a technique after which it may be given up for another, and at most which may be left."""


def decide(request: Request) -> Answer:
    """Answer with a decision of the asked approach as JSON."""
    seen = look(request)
    found = _first(seen) if seen.plan is None or seen.at is None else _next(seen, seen.plan, seen.at)
    return Answer(text=found.model_dump_json())


def _first(seen: Sight) -> Decision:
    if seen.agenda:
        return first_of_later(seen)
    if seen.recalled is not None and seen.recalled.technique is not None:
        return resumed(seen, seen.recalled, seen.recalled.technique)
    technique = ranked(seen.all, seen.seed, seen.approach)[0]
    if seen.reason and told_thought(seen.turns) and random.Random(seen.seed).random() < _STRAIGHT_ON:
        reason = f"The client has named the thought to work on at once, and {why(seen, technique)}."
        return decision(seen, technique, Phase.EXPLORATION, focus(seen), reason)
    return decision(seen, technique, Phase.AGENDA, focus(seen), f"At the start, {why(seen, technique)}.")


def _next(seen: Sight, plan: Plan, at: Position) -> Decision:
    protocol, last = plan.protocol, seen.said[-1] if seen.said else ""
    step = plan.steps[min(at.index, len(plan.steps) - 1)]
    if at.index >= len(plan.steps):
        return _done(seen, plan)
    if at.held >= protocol.patience and step.phase is not Phase.CLOSING:
        return _stalled(seen, plan, step.phase, last)
    if protocol.discloses_belief(last, seen.language):
        return _deeper(seen, plan, step, last)
    return _on(seen, plan, step)


def _done(seen: Sight, plan: Plan) -> Decision:
    other = _other(seen, plan)
    reason = f"The steps of {label(plan.technique)} are done. {capital(why(seen, other))}: {label(other)} comes next."
    return decision(seen, other, Phase.INTERVENTION, kept(seen, plan), reason)


def _stalled(seen: Sight, plan: Plan, phase: Phase, last: str) -> Decision:
    other = _other(seen, plan)
    reason = (
        f"{label(plan.technique)} has stalled: two answers gave nothing to work with, last {quote(last)} "
        f"{label(other)} comes from another side."
    )
    onward = Phase.EXPLORATION if phase is Phase.AGENDA else Phase.INTERVENTION
    return decision(seen, other, onward, kept(seen, plan), reason)


def _deeper(seen: Sight, plan: Plan, step: Step, last: str) -> Decision:
    belief = belief_in(last) or kept(seen, plan)
    heard = f"The client said what they take themselves to be: {quote(belief)}"
    if step.phase in {Phase.INTERVENTION, Phase.CLOSING}:
        reason = f"{heard} {label(plan.technique)} can work with it, so it becomes the focus."
        return decision(seen, plan.technique, step.phase, belief, reason)
    technique = _better(seen, plan, f"{last}\n{seen.all}")
    onward = Phase.INTERVENTION if technique is not plan.technique or step.id == "belief" else Phase.EXPLORATION
    if not _explored(plan, seen):
        onward = Phase.EXPLORATION
    return decision(seen, technique, onward, belief, f"{heard} {label(technique)} can work on exactly that.")


def _explored(plan: Plan, seen: Sight) -> bool:
    """Whether the exploration has brought anything yet; its last step asks for what lies underneath."""
    steps = [step.id for step in plan.protocol.phases[Phase.EXPLORATION] if step.id != "belief"]
    return not seen.answered.isdisjoint(steps)


def _on(seen: Sight, plan: Plan, step: Step) -> Decision:
    if step.phase in {Phase.AGENDA, Phase.EXPLORATION}:
        return _exploring(seen, plan, step)
    technique, last = plan.technique, quote(seen.said[-1]) if seen.said else "nothing yet."
    other = _other(seen, plan)
    if step.phase is Phase.INTERVENTION and (number := _untouched(seen, plan, step)):
        reason = f"The thought stands at {number} and {label(technique)} has not moved it. {label(other)} comes next."
        return decision(seen, other, Phase.INTERVENTION, kept(seen, plan), reason)
    reason = f"{label(technique)} is at work at the step {named(step)}; last the client said {last}"
    return decision(seen, technique, step.phase, kept(seen, plan), reason)


def _exploring(seen: Sight, plan: Plan, step: Step) -> Decision:
    technique, last = _better(seen, plan, seen.all), quote(seen.said[-1]) if seen.said else "nothing yet."
    if technique is not plan.technique:
        onward = Phase.INTERVENTION if {"thought", "feeling"} <= seen.answered else step.phase
        reason = f"By now {why(seen, technique)}, more clearly than what spoke for {label(plan.technique)}."
        return decision(seen, technique, onward, focus(seen), reason)
    if told := _all_told(seen, step):
        reason = f"{told} {label(technique)} can begin; last the client said {last}"
        return decision(seen, technique, Phase.INTERVENTION, focus(seen), reason)
    reason = f"The step {named(step)} comes next and {label(technique)} still fits; last the client said {last}"
    return decision(seen, technique, step.phase, focus(seen), reason)


def _all_told(seen: Sight, step: Step) -> str | None:
    """Why nothing is left to explore, if the step ahead has been answered already; None while it has not."""
    thought = told_thought(seen.turns)
    if step.id not in {"feeling", "belief"} or thought is None:
        return None
    felt = any(feeling_in(turn.said) for turn in seen.turns if turn.asked in {"situation", "thought", "feeling"})
    if not felt and "feeling" not in seen.answered:
        return None
    if harsh(thought) or any(load_protocol().discloses_belief(text, seen.language) for text in seen.said):
        return "Thought and feeling have been told, and the thought is a verdict on themselves already."
    if seen.recalled is not None and step.id == "belief":
        return "Thought and feeling have been told, and what lies underneath is known from last time."
    return None


def _untouched(seen: Sight, plan: Plan, step: Step) -> int | None:
    """The rating of a thought that half the technique has not touched; None if there is none, or if it has moved."""
    own = [known.id for known in plan.protocol.techniques[plan.technique].steps]
    turns = [turn for turn in seen.turns if turn.asked in own]
    left = len(own) - own.index(step.id) if step.id in own else 0
    ratings = [rating_in(turn.said, asked=True) for turn in turns if turn.asked in _RATING]
    firm = next((number for number in ratings if number is not None and number >= _FIRM), None)
    if firm is None or left > _HALF_WAY or any(moves(turn.said) for turn in turns) or _tried_before(seen, plan):
        return None
    return firm if len({turn.asked for turn in turns if turn.answers}) >= _HALF_WAY else None


def _tried_before(seen: Sight, plan: Plan) -> bool:
    """Whether another technique has been worked in this session already."""
    ways = plan.protocol.techniques
    return any(step.id in seen.answered for way in ways if way is not plan.technique for step in ways[way].steps)


def _better(seen: Sight, plan: Plan, text: str) -> AnyTechnique:
    """The technique these words call for if it is clearly another, else the plan's."""
    found, ways = scores(text, plan.approach), ranked(text, seen.seed, plan.approach)
    worked = seen.worked if seen.agenda else ()
    best = next((way for way in ways if way not in worked), plan.technique)
    return best if found[best] >= found[plan.technique] + _CLEARLY else plan.technique


def _other(seen: Sight, plan: Plan) -> AnyTechnique:
    """Another technique, moving down the ranking from revision to revision so that two do not alternate for ever."""
    found, nothing, usual = scores(seen.all, plan.approach), scores("", plan.approach), fit_any(plan.approach)
    ways = ranked(seen.all, 0, plan.approach)
    rest = [way for way in ways if way is not plan.technique and (way in usual or found[way] > nothing[way])]
    return rest[(plan.revision - 1) % len(rest)]
