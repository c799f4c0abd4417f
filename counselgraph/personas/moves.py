"""What a client who may or may not change does with its turn, and what it tells: chosen by stage, drawn by chance."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum

from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.signs import Sign, Signs
from counselgraph.personas.told import About, Notes, texts
from counselgraph.personas.words import nearest, shared


class Action(StrEnum):
    """What a client does with a turn."""

    DENY = "deny"
    DOWNPLAY = "downplay"
    BLAME = "blame"
    HESITATE = "hesitate"
    INFORM = "inform"
    ENGAGE = "engage"
    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"
    ACCEPT = "accept"
    PLAN = "plan"


class Tells(StrEnum):
    """What kind of thing of its own a client tells with an action."""

    NOTHING = "nothing"
    BELIEF = "belief"
    REASON = "reason"
    PLAN = "plan"


Weights = Mapping[Action, tuple[float, float]]

WEIGHTS: Mapping[Stage, Weights] = {
    Stage.PRECONTEMPLATION: {
        Action.DENY: (4, 1),
        Action.DOWNPLAY: (4, 2),
        Action.BLAME: (3, 1),
        Action.HESITATE: (1, 3),
        Action.INFORM: (2, 4),
        Action.ENGAGE: (0.5, 3),
        Action.REJECT: (4, 2),
    },
    Stage.CONTEMPLATION: {
        Action.DOWNPLAY: (2, 0.5),
        Action.BLAME: (1, 0.3),
        Action.HESITATE: (4, 3),
        Action.INFORM: (2, 3),
        Action.ENGAGE: (2, 4),
        Action.ACKNOWLEDGE: (1, 4),
        Action.REJECT: (3, 1.5),
    },
    Stage.PREPARATION: {
        Action.HESITATE: (3, 1),
        Action.INFORM: (2, 2),
        Action.ENGAGE: (2, 3),
        Action.ACKNOWLEDGE: (2, 3),
        Action.REJECT: (2, 1),
        Action.ACCEPT: (2, 4),
        Action.PLAN: (1, 4),
    },
    Stage.ACTION: {
        Action.HESITATE: (1, 0.5),
        Action.INFORM: (3, 3),
        Action.ENGAGE: (2, 3),
        Action.ACKNOWLEDGE: (2, 2),
        Action.REJECT: (1, 0.5),
        Action.ACCEPT: (2, 4),
        Action.PLAN: (3, 5),
    },
}
"""How likely an action is at a stage: its weight at receptivity 0 and at receptivity 1, with a line between them."""

ALLOWED: Mapping[Stage, frozenset[Tells]] = {
    Stage.PRECONTEMPLATION: frozenset({Tells.NOTHING, Tells.BELIEF}),
    Stage.CONTEMPLATION: frozenset({Tells.NOTHING, Tells.BELIEF, Tells.REASON}),
    Stage.PREPARATION: frozenset(Tells),
    Stage.ACTION: frozenset(Tells),
}
"""What may be told at a stage."""

_TELLS: Mapping[Action, Tells] = {
    Action.DENY: Tells.BELIEF,
    Action.DOWNPLAY: Tells.BELIEF,
    Action.BLAME: Tells.BELIEF,
    Action.HESITATE: Tells.BELIEF,
    Action.REJECT: Tells.BELIEF,
    Action.ENGAGE: Tells.REASON,
    Action.ACKNOWLEDGE: Tells.REASON,
    Action.ACCEPT: Tells.PLAN,
    Action.PLAN: Tells.PLAN,
}
_ANSWERS_AN_OFFER = frozenset({Action.REJECT, Action.ACCEPT})
_FITS_A_PLAN = 2
"""Topic words that a suggestion shares with a plan the client would agree to."""
_LEANS: Mapping[Sign, Mapping[Action, float]] = {
    Sign.PUSHED: {
        Action.DENY: 3,
        Action.BLAME: 2,
        Action.DOWNPLAY: 1.5,
        Action.ENGAGE: 0.3,
        Action.ACKNOWLEDGE: 0.3,
        Action.ACCEPT: 0.3,
        Action.PLAN: 0.3,
    },
    Sign.ADVISED: {Action.REJECT: 3, Action.ACCEPT: 3, Action.HESITATE: 1.5},
    Sign.ASKED_OPENLY: {Action.INFORM: 2, Action.ENGAGE: 1.5},
    Sign.REFLECTED: {Action.ACKNOWLEDGE: 2, Action.ENGAGE: 1.5, Action.DENY: 0.5},
    Sign.VALIDATED: {Action.ENGAGE: 1.5, Action.DENY: 0.5},
    Sign.EVOKED: {Action.PLAN: 2, Action.ACKNOWLEDGE: 1.5},
}
_DRAWN_NEAR = frozenset({Action.ENGAGE, Action.ACKNOWLEDGE})


def action_weights(
    stage: Stage, receptivity: float, signs: Signs, near: float, *, fits: bool | None = None
) -> dict[Action, float]:
    """How likely each action is now; actions of weight 0 are left out.

    Args:
        stage: Readiness.
        receptivity: 0 to 1.
        signs: What the counselor's turn did.
        near: How near it came to what moves the client.
        fits: Whether its suggestion is one the client would agree to; None if the client has no plans of its own to
            hold it against.
    """
    found: dict[Action, float] = {}
    for action, (low, high) in WEIGHTS[stage].items():
        weight = low + (high - low) * receptivity
        for sign in sorted(signs):
            weight *= _LEANS.get(sign, {}).get(action, 1)
        found[action] = weight * (1 + 2 * near if action in _DRAWN_NEAR else 1)
    if Sign.ADVISED not in signs:
        found = {action: weight for action, weight in found.items() if action not in _ANSWERS_AN_OFFER}
    elif fits is False:
        found.pop(Action.ACCEPT, None)
    return found


def draw(weights: Mapping[Action, float], chance: random.Random) -> Action:
    """One action, as likely as its weight says."""
    return chance.choices(list(weights), list(weights.values()))[0]


def fits_a_plan(words: str, profile: MotivationProfile) -> bool | None:
    """Whether what the counselor says comes near a plan of the client's; None if it has none."""
    return any(shared(words, plan) >= _FITS_A_PLAN for plan in profile.plans) if profile.plans else None


def choose_telling(
    action: Action, stage: Stage, profile: MotivationProfile, notes: Notes, words: str, *, reached: bool
) -> tuple[Tells, str]:
    """What the client tells with an action: something it has not told yet, nearest to what the counselor said.

    A reason is told only once the talk has come near it, and nothing before its stage.
    """
    kind = _TELLS.get(action, Tells.NOTHING)
    if kind not in ALLOWED[stage] or (kind is Tells.REASON and not reached):
        return Tells.NOTHING, ""
    told = texts(notes)
    left = tuple(item for item in items(profile)[kind] if item not in told)
    return (kind, nearest(left, words)) if left else (Tells.NOTHING, "")


def items(profile: MotivationProfile) -> dict[Tells, tuple[str, ...]]:
    """Everything a client could tell, by kind."""
    return {
        Tells.NOTHING: (),
        Tells.BELIEF: profile.beliefs,
        Tells.REASON: (profile.motivation,) if profile.motivation else (),
        Tells.PLAN: profile.plans,
    }


NOTED: Mapping[Tells, About] = {Tells.BELIEF: About.BELIEF, Tells.REASON: About.REASON, Tells.PLAN: About.PLAN}
"""Kind to how it stands in the client's notes."""
