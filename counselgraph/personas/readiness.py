"""Readiness to change: how it moves with what the counselor does. Pure functions; nothing here asks a model."""

from __future__ import annotations

from pydantic import Field

from counselgraph.personas.interlude import Interlude
from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.moves import Action, Tells
from counselgraph.personas.part import Part, Text
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.personas.signs import Sign, Signs
from counselgraph.personas.told import Notes
from counselgraph.personas.words import shared, told_in

_START = {
    Attitude.POSITIVE: Stage.PREPARATION,
    Attitude.NEUTRAL: Stage.CONTEMPLATION,
    Attitude.NEGATIVE: Stage.PRECONTEMPLATION,
}
_REACHES = 0.5
"""Nearness from which the talk has come to what moves the client."""
_TOUCHES = 2
"""Topic words that a counselor's turn shares with the reason when it speaks of it."""
_MENTIONED = 0.5
"""Share of a topic's words that mention it."""
_UNREACHED = 0.5
"""Share of a gain that counts in precontemplation before the talk has come near what moves the client."""

_GAINS: dict[Stage, dict[Sign, float]] = {
    Stage.PRECONTEMPLATION: {
        Sign.REFLECTED: 0.15,
        Sign.VALIDATED: 0.1,
        Sign.ASKED_OPENLY: 0.05,
        Sign.LEFT_CHOICE: 0.1,
        Sign.EVOKED: 0.05,
        Sign.ADVISED: -0.15,
    },
    Stage.CONTEMPLATION: {
        Sign.REFLECTED: 0.12,
        Sign.VALIDATED: 0.08,
        Sign.ASKED_OPENLY: 0.03,
        Sign.LEFT_CHOICE: 0.1,
        Sign.EVOKED: 0.25,
        Sign.ADVISED: -0.1,
    },
    Stage.PREPARATION: {
        Sign.REFLECTED: 0.1,
        Sign.VALIDATED: 0.08,
        Sign.ASKED_OPENLY: 0.05,
        Sign.LEFT_CHOICE: 0.1,
        Sign.EVOKED: 0.2,
        Sign.ADVISED: 0.1,
    },
    Stage.ACTION: {},
}
_NEARNESS = {Stage.PRECONTEMPLATION: 0.35, Stage.CONTEMPLATION: 0.15, Stage.PREPARATION: 0.05, Stage.ACTION: 0.0}
_PUSHED, _IGNORED = -0.5, -0.1
_AFTER_A_FALL = 0.5
_RECEPTIVITY: dict[Sign, float] = {
    Sign.REFLECTED: 0.03,
    Sign.VALIDATED: 0.03,
    Sign.LEFT_CHOICE: 0.03,
    Sign.ADVISED: -0.05,
    Sign.PUSHED: -0.15,
    Sign.IGNORED: -0.04,
}
_NEAR_TAKES = 0.08
_KEPT = 0.5
"""Share of a session's gain in receptivity that is left at the next."""


class Readiness(Part):
    """Where a client stands towards a change at one turn, and what it is about to do.

    Attributes:
        stage: Readiness.
        progress: Way gone towards the next stage, 0 to 1.
        receptivity: How much it takes in, 0 to 1.
        nearness: How near the counselor's last turn came to what moves the client, 0 to 1.
        reached: Whether the talk has ever come near it.
        fell: Whether it has just fallen back a stage.
        action: What it does with this turn; None before the first.
        tells: The kind of thing that it tells with it.
        telling: That thing, as the persona has it; "" if nothing in particular.
        told: What it has been about to tell so far, this turn's included.
        untimely: Kinds of things its words have given away before their time.
        derived: Whether the persona had no profile of its own, so that one was made from its goals and attitude.
        exchange: Exchange of its turn; 0 before the first.
    """

    stage: Stage
    progress: float = Field(default=0.0, ge=0, le=1)
    receptivity: float = Field(default=0.5, ge=0, le=1)
    nearness: float = Field(default=0.0, ge=0, le=1)
    reached: bool = False
    fell: bool = False
    action: Action | None = None
    tells: Tells = Tells.NOTHING
    telling: Text = ""
    told: Notes = ()
    untimely: tuple[Tells, ...] = ()
    derived: bool = False
    exchange: int = Field(default=0, ge=0)


def profile_of(persona: Persona) -> MotivationProfile:
    """The persona's profile; a modest one from goals, beliefs, attitude and receptivity if it has none."""
    if persona.motivation is not None:
        return persona.motivation
    mind = persona.conceptualization
    return MotivationProfile(
        change=next(iter(persona.goals), "doing something about what brings you here"),
        stage=_START[persona.attitude],
        suggestibility=(1 + round(persona.receptivity * 4),),
        beliefs=(*mind.intermediate_beliefs, *mind.automatic_thoughts)[:3],
    )


def beginning(persona: Persona) -> Readiness:
    """Where a client stands before its first session."""
    profile = profile_of(persona)
    return Readiness(stage=profile.stage, receptivity=profile.receptivity, derived=persona.motivation is None)


def nearness(words: str, profile: MotivationProfile) -> float:
    """How near a counselor's turn comes to what moves the client: 1 speaks of the reason, 0 of something else."""
    if profile.motivation and shared(words, profile.motivation) >= _TOUCHES:
        return 1.0
    count = len(profile.topics)
    near = [
        (count - at) / (count + 1) for at, topic in enumerate(profile.topics) if told_in(topic, words) >= _MENTIONED
    ]
    return round(max(near, default=0.0), 4)


def shifted(now: Readiness, signs: Signs, near: float) -> Readiness:
    """Readiness after a counselor's turn: at the same stage, one further, or one back after a confrontation."""
    reached = now.reached or near >= _REACHES
    change = _change(now, signs, near, reached=reached)
    stage, progress, fell = now.stage, now.progress + change, False
    if progress < 0 and Sign.PUSHED in signs and not now.fell and stage is not Stage.PRECONTEMPLATION:
        stage, progress, fell = previous(stage), _AFTER_A_FALL, True
    elif progress >= 1 and stage is not Stage.ACTION:
        stage, progress = stage.next, 0.0
    return now.model_copy(
        update={
            "stage": stage,
            "progress": _bounded(progress),
            "receptivity": _received(now.receptivity, signs, near),
            "nearness": near,
            "reached": reached,
            "fell": fell,
        }
    )


def carried(last: Readiness, start: Readiness, since: Interlude) -> Readiness:
    """Readiness at the next session: what was won is kept, unless the old trouble came back, which costs a stage."""
    stage = previous(last.stage) if since.relapse else last.stage
    receptivity = start.receptivity + _KEPT * (last.receptivity - start.receptivity) + 0.03 * since.mood
    return start.model_copy(
        update={
            "stage": stage,
            "progress": 0.0 if since.relapse else _bounded(last.progress + 0.1 * since.mood),
            "receptivity": _bounded(receptivity),
            "reached": last.reached,
            "told": last.told,
            "untimely": last.untimely,
        }
    )


def previous(stage: Stage) -> Stage:
    """The stage before this one; the first has none and stays."""
    stages = list(Stage)
    return stages[max(stages.index(stage) - 1, 0)]


def _change(now: Readiness, signs: Signs, near: float, *, reached: bool) -> float:
    gains = _GAINS[now.stage]
    change = sum(gains.get(sign, 0.0) for sign in sorted(signs)) + _NEARNESS[now.stage] * near
    if change > 0:
        slow = now.stage is Stage.PRECONTEMPLATION and not reached
        change *= (0.4 + 1.2 * now.receptivity) * (_UNREACHED if slow else 1)
    return change + (_PUSHED if Sign.PUSHED in signs else 0) + (_IGNORED if Sign.IGNORED in signs else 0)


def _received(receptivity: float, signs: Signs, near: float) -> float:
    return _bounded(receptivity + sum(_RECEPTIVITY.get(sign, 0.0) for sign in sorted(signs)) + _NEAR_TAKES * near)


def _bounded(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)
