"""How the rehearsal planner words a decision: focus, hypothesis and reason, each within its length."""

from __future__ import annotations

import re
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.hearing import thought_in
from counselgraph.models.rehearsal.planner.scoring import heard_in, sign_of
from counselgraph.models.rehearsal.planner.sight import Sight
from counselgraph.models.rehearsal.story import is_thought, problem_told, reason_in, told_thought
from counselgraph.models.rehearsal.words import capital, plain, sentences, trimmed
from counselgraph.protocols.plan import Decision, Plan, decision_type
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import AnyTechnique, Phase, approach_of

_FOCUS, _REASON, _QUOTE = 300, 400, 110
_CLOSED = ".!?\u2026\u3002\uff01\uff1f'"


def decision(seen: Sight, technique: AnyTechnique, phase: Phase, on: str, reason: str) -> Decision:
    """A decision with its hypothesis."""
    return decision_type(approach_of(technique))(
        technique=technique,
        focus=on,
        hypothesis=_hypothesis(f"{on}\n{seen.all}"),
        phase=phase,
        reason=clip(reason, _REASON),
    )


def focus(seen: Sight) -> str:
    """What to work on, in the client's words: the thought that was told, what was worked on before, or the problem."""
    if seen.language != "en":
        return clip((seen.said[-1] if seen.said else "") or seen.reason or "what brings the client here", _FOCUS)
    before = seen.recalled.focus if seen.recalled else ""
    told = told_thought(seen.turns) or before or problem_told(seen.turns) or thought_in(seen.reason)
    found = told or reason_in(seen.reason) or trimmed(seen.said[0] if seen.said else seen.reason)
    return clip(capital(found) or "what brings the client here", _FOCUS)


def kept(seen: Sight, plan: Plan) -> str:
    """The focus to go on with: a thought told since the plan was made, else the plan's own."""
    since = told_thought([turn for turn in seen.turns[plan.made_at :] if turn.asked == "thought"])
    found = since or (None if is_thought(plan.focus, seen.turns) else told_thought(seen.turns))
    return clip(found or plan.focus, _FOCUS)


def belief_in(text: str) -> str | None:
    """What the client says it takes itself to be; None if nothing like that is said."""
    protocol = load_protocol()
    told = [sentence for sentence in sentences(text) if protocol.discloses_belief(sentence, "en")]
    return clip(thought_in(told[0]) or trimmed(told[0]), _FOCUS) if told else None


def why(seen: Sight, technique: AnyTechnique) -> str:
    """What speaks for a technique, as a clause with the client's words."""
    sign, approach = sign_of(technique, seen.approach), seen.approach
    heard = next((line for line in _lines(seen) if any(way is technique for way, _ in heard_in(line, approach))), None)
    if heard:
        return f"{sign}: {opened(quote(heard))}"
    last = f" from {opened(quote(seen.said[-1]))}" if seen.said else ""
    return f"no single sign stands out, and {label(technique)} is a sound way in{last}"


def _lines(seen: Sight) -> list[str]:
    return [sentence for text in (*reversed(seen.said), seen.reason) for sentence in sentences(text)]


@lru_cache(maxsize=512)
def _hypothesis(text: str) -> str:
    entries = bank("planner")["hypotheses"]
    return str(next((e["says"] for e in entries if re.search(e["cues"], text, re.IGNORECASE)), entries[-1]["says"]))


def label(technique: AnyTechnique) -> str:
    """A technique as the literature writes it."""
    return load_protocol(approach_of(technique)).techniques[technique].label


def named(step: Step) -> str:
    """A step in words."""
    return f"'{step.id.replace('_', ' ')}'"


def quote(text: str) -> str:
    """The client's words as they were said, closed within quotation marks so that a sentence can end on them."""
    said = clip(plain(text).replace('"', "'"), _QUOTE)
    return f'"{said}"' if said[-1:] in _CLOSED else f'"{said}."'


def opened(quotation: str) -> str:
    """A quotation without the full stop at its end, for the middle of a sentence."""
    return f'{quotation[:-2]}"' if quotation.endswith('."') else quotation


def clip(text: str, longest: int = _QUOTE) -> str:
    """A text of at most so many characters, cut between words."""
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"
