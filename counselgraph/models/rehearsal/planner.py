"""The rehearsal planner: scores the techniques by what was said and judges the phase from where the plan stands."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from langchain_core.messages import AnyMessage

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.hearing import feeling_in, moves, outcome, rating_in, thought_in
from counselgraph.models.rehearsal.recall import Recalled, last_session
from counselgraph.models.rehearsal.story import Exchanged, exchanged, is_thought, problem_told, reason_in, told_thought
from counselgraph.models.rehearsal.words import capital, harsh, plain, sentences, trimmed
from counselgraph.protocols.plan import Decision, Plan, Position, position
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import AnyTechnique, Phase, Technique
from counselgraph.transcript import CLIENT, said_since

_FOR_ANY_THOUGHT = frozenset(
    {
        Technique.EVIDENCE_BASED_QUESTIONING,
        Technique.ALTERNATIVE_PERSPECTIVE,
        Technique.DECATASTROPHIZING,
        Technique.EFFICIENCY_EVALUATION,
    }
)
"""Techniques that need no particular sign; any other is turned to only when something called for it."""
_CLEARLY = 3
"""By how much another technique must lead to replace one that has not begun."""
_FOCUS, _REASON, _QUOTE = 300, 400, 110
_STRAIGHT_ON = 0.5
"""How often a client who names the thought in its first turn is not asked for a topic any more."""
_CLOSED = ".!?\u2026\u3002\uff01\uff1f'"
_FIRM = 85
"""Rating from which a thought that nothing has touched calls for another way in."""
_RATING = frozenset({"rate_belief", "own_reading", "how_likely"})
"""Steps whose answer says how firmly the thought stands."""
_HALF_WAY = 2
"""Steps of a technique after which it may be given up for another, and at most which may be left."""
_SWAY = 0.75
"""How much the seed may add to a technique's score: enough to break ties, too little to outvote a cue."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the planner sees.

    Attributes:
        reason: Why the client comes, as given at intake.
        said: The client's turns, oldest first.
        turns: The same, each with the step it answers.
        recalled: What is kept of the last session; None in a first one.
        plan: The plan in force.
        at: Where it stands; None without a plan.
        language: Language of the session.
        seed: Breaks ties.
    """

    reason: str
    said: tuple[str, ...]
    turns: tuple[Exchanged, ...]
    recalled: Recalled | None
    plan: Plan | None
    at: Position | None
    language: str
    seed: int

    @property
    def answered(self) -> frozenset[str]:
        """Steps that got an answer with something in it."""
        return frozenset(turn.asked for turn in self.turns if turn.asked and turn.answers)

    @property
    def all(self) -> str:
        """Everything the client has said, the reason for coming first."""
        return "\n".join((self.reason, *self.said))


def decide(request: Request) -> Answer:
    """Answer with a `Decision` as JSON."""
    seen = look(request)
    decision = _first(seen) if seen.plan is None or seen.at is None else _next(seen, seen.plan, seen.at)
    return Answer(text=decision.model_dump_json())


def look(request: Request) -> Sight:
    """Take from a planner's View what decides."""
    view = request.view
    messages: Sequence[AnyMessage] = view.get("messages", ())
    plan: Plan | None = view.get("plan")
    at = None
    if plan is not None:
        at = position(plan, said_since(messages, CLIENT, plan.made_at), load_protocol(), request.language)
    intake = view.get("intake")
    turns, _own = exchanged(messages, request.language)
    return Sight(
        reason=plain(intake.reason_for_counseling) if intake else "",
        said=tuple(plain(turn.said) for turn in turns),
        turns=turns,
        recalled=last_session(view.get("counselor_memories") or ()),
        plan=plan,
        at=at,
        language=request.language,
        seed=request.seed,
    )


def scores(text: str) -> Mapping[AnyTechnique, float]:
    """How strongly the words of a text call for each technique, a cue counting once however often it is heard."""
    heard = frozenset[tuple[Technique, int]]().union(*map(_heard_in, text.split("\n")))
    return {
        technique: prior + sum(weight for place, (_cue, weight) in enumerate(cues) if (technique, place) in heard)
        for technique, (prior, cues) in _cues().items()
    }


@lru_cache(maxsize=8192)
def _heard_in(line: str) -> frozenset[tuple[Technique, int]]:
    """The cues heard in one turn or sentence."""
    return frozenset(
        (technique, place)
        for technique, (_prior, cues) in _cues().items()
        for place, (cue, _weight) in enumerate(cues)
        if cue.search(line)
    )


@lru_cache(maxsize=1)
def _cues() -> dict[Technique, tuple[float, tuple[tuple[re.Pattern[str], float], ...]]]:
    return {
        Technique(name): (
            float(entry["prior"]),
            tuple((re.compile(cue, re.IGNORECASE), float(weight)) for cue, weight in entry["cues"].items()),
        )
        for name, entry in bank("planner")["techniques"].items()
    }


def ranked(text: str, seed: int) -> list[Technique]:
    """The techniques, best first; the seed decides between equals."""
    chance, found = random.Random(seed), scores(text)
    swayed = {technique: found[technique] + chance.uniform(0, _SWAY) for technique in Technique}
    return sorted(swayed, key=lambda technique: -swayed[technique])


def _first(seen: Sight) -> Decision:
    if seen.recalled is not None and seen.recalled.technique is not None:
        return _resumed(seen, seen.recalled, seen.recalled.technique)
    technique = ranked(seen.all, seen.seed)[0]
    if seen.reason and told_thought(seen.turns) and random.Random(seen.seed).random() < _STRAIGHT_ON:
        reason = f"The client has named the thought to work on at once, and {_why(seen, technique)}."
        return _decision(seen, technique, Phase.EXPLORATION, focus(seen), reason)
    return _decision(seen, technique, Phase.AGENDA, focus(seen), f"At the start, {_why(seen, technique)}.")


def _resumed(seen: Sight, recalled: Recalled, before: AnyTechnique) -> Decision:
    """The first plan of a later session: on from the last one if its task opened something, else another way in."""
    last = seen.turns[-1] if seen.turns else None
    opened = recalled.task is not None and last is not None and last.answers and outcome(last.said) != "undone"
    technique = before if opened else next(way for way in ranked(seen.all, seen.seed) if way is not before)
    worked = f'Last time "{_clip(recalled.focus, _QUOTE)}" was worked on with {_label(before)}.'
    told = f" The client reports on the task: {_quote(last.said)}" if last and recalled.task else ""
    onward = f" {_label(technique)} goes on from there." if opened else f" {_label(technique)} is the next way in."
    return _decision(seen, technique, Phase.AGENDA, focus(seen), f"{worked}{told}{onward}")


def _next(seen: Sight, plan: Plan, at: Position) -> Decision:
    protocol, last = load_protocol(), seen.said[-1] if seen.said else ""
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
    reason = (
        f"The steps of {_label(plan.technique)} are done. {capital(_why(seen, other))}: {_label(other)} comes next."
    )
    return _decision(seen, other, Phase.INTERVENTION, _kept(seen, plan), reason)


def _stalled(seen: Sight, plan: Plan, phase: Phase, last: str) -> Decision:
    other = _other(seen, plan)
    reason = (
        f"{_label(plan.technique)} has stalled: two answers gave nothing to work with, last {_quote(last)} "
        f"{_label(other)} comes from another side."
    )
    onward = Phase.EXPLORATION if phase is Phase.AGENDA else Phase.INTERVENTION
    return _decision(seen, other, onward, _kept(seen, plan), reason)


def _deeper(seen: Sight, plan: Plan, step: Step, last: str) -> Decision:
    belief = _belief(last) or _kept(seen, plan)
    heard = f"The client said what they take themselves to be: {_quote(belief)}"
    if step.phase in {Phase.INTERVENTION, Phase.CLOSING}:
        reason = f"{heard} {_label(plan.technique)} can work with it, so it becomes the focus."
        return _decision(seen, plan.technique, step.phase, belief, reason)
    technique = _better(seen, plan, f"{last}\n{seen.all}")
    onward = Phase.INTERVENTION if technique is not plan.technique or step.id == "belief" else Phase.EXPLORATION
    if not {"situation", "thought", "feeling"} & seen.answered:
        onward = Phase.EXPLORATION
    return _decision(seen, technique, onward, belief, f"{heard} {_label(technique)} can work on exactly that.")


def _on(seen: Sight, plan: Plan, step: Step) -> Decision:
    if step.phase in {Phase.AGENDA, Phase.EXPLORATION}:
        return _exploring(seen, plan, step)
    technique, last = plan.technique, _quote(seen.said[-1]) if seen.said else "nothing yet."
    other = _other(seen, plan)
    if step.phase is Phase.INTERVENTION and (number := _untouched(seen, plan, step)):
        reason = f"The thought stands at {number} and {_label(technique)} has not moved it. {_label(other)} comes next."
        return _decision(seen, other, Phase.INTERVENTION, _kept(seen, plan), reason)
    reason = f"{_label(technique)} is at work at the step {_words(step)}; last the client said {last}"
    return _decision(seen, technique, step.phase, _kept(seen, plan), reason)


def _exploring(seen: Sight, plan: Plan, step: Step) -> Decision:
    technique, last = _better(seen, plan, seen.all), _quote(seen.said[-1]) if seen.said else "nothing yet."
    if technique is not plan.technique:
        onward = Phase.INTERVENTION if {"thought", "feeling"} <= seen.answered else step.phase
        reason = f"By now {_why(seen, technique)}, more clearly than what spoke for {_label(plan.technique)}."
        return _decision(seen, technique, onward, focus(seen), reason)
    if told := _all_told(seen, step):
        reason = f"{told} {_label(technique)} can begin; last the client said {last}"
        return _decision(seen, technique, Phase.INTERVENTION, focus(seen), reason)
    reason = f"The step {_words(step)} comes next and {_label(technique)} still fits; last the client said {last}"
    return _decision(seen, technique, step.phase, focus(seen), reason)


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
    own = [known.id for known in load_protocol().techniques[plan.technique].steps]
    turns = [turn for turn in seen.turns if turn.asked in own]
    left = len(own) - own.index(step.id) if step.id in own else 0
    ratings = [rating_in(turn.said, asked=True) for turn in turns if turn.asked in _RATING]
    firm = next((number for number in ratings if number is not None and number >= _FIRM), None)
    if firm is None or left > _HALF_WAY or any(moves(turn.said) for turn in turns) or _tried_before(seen, plan):
        return None
    return firm if len({turn.asked for turn in turns if turn.answers}) >= _HALF_WAY else None


def _tried_before(seen: Sight, plan: Plan) -> bool:
    """Whether another technique has been worked in this session already."""
    ways = load_protocol().techniques
    return any(step.id in seen.answered for way in ways if way is not plan.technique for step in ways[way].steps)


def _better(seen: Sight, plan: Plan, text: str) -> AnyTechnique:
    """The technique these words call for if it is clearly another, else the plan's."""
    found, best = scores(text), ranked(text, seen.seed)[0]
    return best if found[best] >= found[plan.technique] + _CLEARLY else plan.technique


def _kept(seen: Sight, plan: Plan) -> str:
    """The focus to go on with: a thought told since the plan was made, else the plan's own."""
    since = told_thought([turn for turn in seen.turns[plan.made_at :] if turn.asked == "thought"])
    found = since or (None if is_thought(plan.focus, seen.turns) else told_thought(seen.turns))
    return _clip(found or plan.focus, _FOCUS)


def _words(step: Step) -> str:
    return f"'{step.id.replace('_', ' ')}'"


def _other(seen: Sight, plan: Plan) -> Technique:
    """Another technique, moving down the ranking from revision to revision so that two do not alternate for ever."""
    found, nothing = scores(seen.all), scores("")
    fits = [way for way in ranked(seen.all, 0) if way in _FOR_ANY_THOUGHT or found[way] > nothing[way]]
    rest = [way for way in fits if way is not plan.technique]
    return rest[(plan.revision - 1) % len(rest)]


def focus(seen: Sight) -> str:
    """What to work on, in the client's words: the thought that was told, what was worked on before, or the problem."""
    if seen.language != "en":
        return _clip((seen.said[-1] if seen.said else "") or seen.reason or "what brings the client here", _FOCUS)
    before = seen.recalled.focus if seen.recalled else ""
    told = told_thought(seen.turns) or before or problem_told(seen.turns) or thought_in(seen.reason)
    found = told or reason_in(seen.reason) or trimmed(seen.said[0] if seen.said else seen.reason)
    return _clip(capital(found) or "what brings the client here", _FOCUS)


def _belief(text: str) -> str | None:
    protocol = load_protocol()
    told = [sentence for sentence in sentences(text) if protocol.discloses_belief(sentence, "en")]
    return _clip(thought_in(told[0]) or trimmed(told[0]), _FOCUS) if told else None


def _why(seen: Sight, technique: AnyTechnique) -> str:
    sign = bank("planner")["techniques"][technique]["seen"]
    heard = next((line for line in _lines(seen) if any(way is technique for way, _ in _heard_in(line))), None)
    if heard:
        return f"{sign}: {_open(_quote(heard))}"
    last = f" from {_open(_quote(seen.said[-1]))}" if seen.said else ""
    return f"no single sign stands out, and {_label(technique)} is a sound way in{last}"


def _lines(seen: Sight) -> list[str]:
    return [sentence for text in (*reversed(seen.said), seen.reason) for sentence in sentences(text)]


def _decision(seen: Sight, technique: AnyTechnique, phase: Phase, on: str, reason: str) -> Decision:
    return Decision(
        technique=technique,
        focus=on,
        hypothesis=_hypothesis(f"{on}\n{seen.all}"),
        phase=phase,
        reason=_clip(reason, _REASON),
    )


@lru_cache(maxsize=512)
def _hypothesis(text: str) -> str:
    entries = bank("planner")["hypotheses"]
    return str(next((e["says"] for e in entries if re.search(e["cues"], text, re.IGNORECASE)), entries[-1]["says"]))


def _label(technique: AnyTechnique) -> str:
    return load_protocol().techniques[technique].label


def _quote(text: str) -> str:
    """The client's words as they were said, closed within quotation marks so that a sentence can end on them."""
    said = _clip(plain(text).replace('"', "'"), _QUOTE)
    return f'"{said}"' if said[-1:] in _CLOSED else f'"{said}."'


def _open(quotation: str) -> str:
    """A quotation without the full stop at its end, for the middle of a sentence."""
    return f'{quotation[:-2]}"' if quotation.endswith('."') else quotation


def _clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"
