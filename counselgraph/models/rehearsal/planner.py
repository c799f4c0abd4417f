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
from counselgraph.models.rehearsal.hearing import beside_the_point, last_of, thought_in
from counselgraph.models.rehearsal.words import capital, plain, sentences, telling, trimmed
from counselgraph.protocols.plan import Plan, PlanDecision, Position, position
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.transcript import CLIENT, said_by, said_since

_CLEARLY = 3
"""By how much another technique must lead to replace one that has not begun."""
_FOCUS, _REASON, _QUOTE = 300, 400, 110
_SWAY = 0.75
"""How much the seed may add to a technique's score: enough to break ties, too little to outvote a cue."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the planner sees.

    Attributes:
        reason: Why the client comes, as given at intake.
        said: The client's turns, oldest first.
        plan: The plan in force.
        at: Where it stands; None without a plan.
        language: Language of the session.
        seed: Breaks ties.
    """

    reason: str
    said: tuple[str, ...]
    plan: Plan | None
    at: Position | None
    language: str
    seed: int

    @property
    def all(self) -> str:
        """Everything the client has said, the reason for coming first."""
        return "\n".join((self.reason, *self.said))


def decide(request: Request) -> Answer:
    """Answer with a `PlanDecision` as JSON."""
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
    return Sight(
        reason=plain(intake.reason_for_counseling) if intake else "",
        said=tuple(map(plain, said_by(messages, CLIENT))),
        plan=plan,
        at=at,
        language=request.language,
        seed=request.seed,
    )


@lru_cache(maxsize=256)
def scores(text: str) -> Mapping[Technique, float]:
    """How strongly the words of a text call for each technique."""
    return {
        technique: prior + sum(weight for cue, weight in cues if cue.search(text))
        for technique, (prior, cues) in _cues().items()
    }


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


def _first(seen: Sight) -> PlanDecision:
    technique = ranked(seen.all, seen.seed)[0]
    return _decision(seen, technique, Phase.AGENDA, focus(seen), f"At the start, {_why(seen, technique)}.")


def _next(seen: Sight, plan: Plan, at: Position) -> PlanDecision:
    protocol, last = load_protocol(), seen.said[-1] if seen.said else ""
    step = plan.steps[min(at.index, len(plan.steps) - 1)]
    if at.index >= len(plan.steps):
        return _done(seen, plan)
    if at.held >= protocol.patience and step.phase is not Phase.CLOSING:
        return _stalled(seen, plan, step.phase, last)
    if protocol.discloses_belief(last, seen.language):
        return _deeper(seen, plan, step.phase, last)
    return _on(seen, plan, step)


def _done(seen: Sight, plan: Plan) -> PlanDecision:
    other = _other(seen, plan)
    reason = (
        f"The steps of {_label(plan.technique)} are done. {capital(_why(seen, other))}: {_label(other)} comes next."
    )
    return _decision(seen, other, Phase.INTERVENTION, plan.focus, reason)


def _stalled(seen: Sight, plan: Plan, phase: Phase, last: str) -> PlanDecision:
    other = _other(seen, plan)
    reason = (
        f"{_label(plan.technique)} has stalled: two answers gave nothing to work with, last {_quote(last)}. "
        f"{_label(other)} comes from another side."
    )
    onward = Phase.EXPLORATION if phase is Phase.AGENDA else Phase.INTERVENTION
    return _decision(seen, other, onward, plan.focus, reason)


def _deeper(seen: Sight, plan: Plan, phase: Phase, last: str) -> PlanDecision:
    belief = _belief(last) or plan.focus
    heard = f"The client said what they take themselves to be: {_quote(belief)}."
    if phase in {Phase.INTERVENTION, Phase.CLOSING}:
        reason = f"{heard} {_label(plan.technique)} can work with it, so it becomes the focus."
        return _decision(seen, plan.technique, phase, belief, reason)
    technique = ranked(f"{last}\n{seen.all}", seen.seed)[0]
    return _decision(
        seen, technique, Phase.EXPLORATION, belief, f"{heard} {_label(technique)} can work on exactly that."
    )


def _on(seen: Sight, plan: Plan, step: Step) -> PlanDecision:
    technique, last = plan.technique, _quote(seen.said[-1]) if seen.said else "nothing yet"
    if step.phase not in {Phase.AGENDA, Phase.EXPLORATION}:
        reason = f"{_label(technique)} is at work at the step {_words(step)}; last the client said {last}."
        return _decision(seen, technique, step.phase, plan.focus, reason)
    found, best = scores(seen.all), ranked(seen.all, seen.seed)[0]
    if found[best] >= found[technique] + _CLEARLY:
        reason = f"By now {_why(seen, best)}, more clearly than what spoke for {_label(technique)}."
        return _decision(seen, best, step.phase, focus(seen), reason)
    reason = f"The step {_words(step)} comes next and {_label(technique)} still fits; last the client said {last}."
    return _decision(seen, technique, step.phase, focus(seen), reason)


def _words(step: Step) -> str:
    return f"'{step.id.replace('_', ' ')}'"


def _other(seen: Sight, plan: Plan) -> Technique:
    """Another technique, moving down the ranking from revision to revision so that two do not alternate for ever."""
    rest = [technique for technique in ranked(seen.all, 0) if technique is not plan.technique]
    return rest[(plan.revision - 1) % len(rest)]


def focus(seen: Sight) -> str:
    """The thought to work on, in the client's words: the latest one stated, or the sentence that says most."""
    if seen.language != "en":
        return _clip((seen.said[-1] if seen.said else "") or seen.reason or "what brings the client here", _FOCUS)
    stated = last_of(map(thought_in, seen.said)) or thought_in(seen.reason)
    if stated:
        return _clip(stated, _FOCUS)
    told = [telling(text, skip=beside_the_point) for text in (*seen.said[:2], seen.reason)]
    clear = next((capital(piece) for piece in told if piece), trimmed(seen.all))
    return _clip(clear or "what brings the client here", _FOCUS)


def _belief(text: str) -> str | None:
    protocol = load_protocol()
    told = [sentence for sentence in sentences(text) if protocol.discloses_belief(sentence, "en")]
    return _clip(thought_in(told[0]) or trimmed(told[0]), _FOCUS) if told else None


def _why(seen: Sight, technique: Technique) -> str:
    sign = bank("planner")["techniques"][technique]["seen"]
    heard = next((line for line in _lines(seen) if any(cue.search(line) for cue, _ in _cues()[technique][1])), None)
    if heard:
        return f"{sign}: {_quote(heard)}"
    last = f" from {_quote(seen.said[-1])}" if seen.said else ""
    return f"no single sign stands out, and {_label(technique)} is a sound way in{last}"


def _lines(seen: Sight) -> list[str]:
    return [sentence for text in (*reversed(seen.said), seen.reason) for sentence in sentences(text)]


def _decision(seen: Sight, technique: Technique, phase: Phase, on: str, reason: str) -> PlanDecision:
    return PlanDecision(
        technique=technique,
        focus=on,
        hypothesis=_hypothesis(f"{on}\n{seen.all}"),
        phase=phase,
        reason=_clip(reason, _REASON),
    )


def _hypothesis(text: str) -> str:
    entries = bank("planner")["hypotheses"]
    return str(next((e["says"] for e in entries if re.search(e["cues"], text, re.IGNORECASE)), entries[-1]["says"]))


def _label(technique: Technique) -> str:
    return load_protocol().techniques[technique].label


def _quote(text: str) -> str:
    bare = trimmed(text).replace('"', "'") or plain(text)
    return f'"{_clip(bare, _QUOTE)}"'


def _clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"
