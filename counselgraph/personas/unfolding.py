"""The complaint of a client that unfolds: stage by stage, as trust allows or a question asks, never skipping one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field

from counselgraph.personas.emotion import Emotion
from counselgraph.personas.evolving import EvolvingProfile, Mood
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.part import Part, Text
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.personas.signs import Sign, Signs, as_taken
from counselgraph.personas.told import Notes

_START = {Attitude.POSITIVE: 0.6, Attitude.NEUTRAL: 0.42, Attitude.NEGATIVE: 0.2}
_GAINS: dict[Sign, float] = {
    Sign.REFLECTED: 0.04,
    Sign.VALIDATED: 0.05,
    Sign.ASKED_OPENLY: 0.015,
    Sign.LEFT_CHOICE: 0.04,
    Sign.ADVISED: -0.06,
    Sign.PUSHED: -0.15,
    Sign.IGNORED: -0.06,
}
_STAY = 2
"""Turns a client spends at a stage before the next can come."""
_FIRST, _LAST = 0.45, 0.85
"""Trust that the second stage takes, and the last."""
_ASKED = 0.15
"""How much less trust it takes when the counselor asks for just this."""
_TOO_LOW = 0.3
"""How far below its baseline the mood may be for the client still to open up."""
_CLOSES = frozenset({Sign.PUSHED, Sign.IGNORED})
_KEPT = 0.9
"""Share of the trust gained that is left at the next session."""
_RELAPSE = 0.05


class Unfolding(Part):
    """How far a client has opened up.

    Attributes:
        stage: Stage of the complaint it speaks from, 1 for the first.
        stages: Number of stages.
        text: The complaint at this stage, as the persona has it.
        spent: Turns at this stage, the present one included; 0 before the first of a session.
        trust: 0 is none, 1 complete.
        derived: Whether the persona had no profile of its own, so that one was made from its presenting problem.
        told: What the client has told.
        exchange: Exchange of its turn; 0 before the first.
    """

    stage: int = Field(default=1, ge=1)
    stages: int = Field(default=1, ge=1)
    text: Text = ""
    spent: int = Field(default=0, ge=0)
    trust: float = Field(default=0.4, ge=0, le=1)
    derived: bool = False
    told: Notes = ()
    exchange: int = Field(default=0, ge=0)


def profile_of(persona: Persona) -> EvolvingProfile:
    """The persona's profile; a modest one from presenting problem, attitude and receptivity if it has none."""
    given = persona.evolving
    if given is not None:
        return given if given.complaints else given.model_copy(update={"complaints": (_statement(persona),)})
    mind, problem = persona.conceptualization, persona.presenting_problem
    chain = (
        _statement(persona),
        problem.triggers or problem.course,
        *mind.automatic_thoughts[:1],
        *mind.core_beliefs[:1],
    )
    return EvolvingProfile(
        complaints=tuple(dict.fromkeys(text for text in chain if text)),
        baseline=Mood(
            valence={Attitude.POSITIVE: -0.2, Attitude.NEUTRAL: -0.3, Attitude.NEGATIVE: -0.4}[persona.attitude]
        ),
        inertia=0.85 - 0.3 * persona.receptivity,
    )


def closed(persona: Persona) -> Unfolding:
    """A client that has told nothing yet."""
    trust = min(max(_START[persona.attitude] + (persona.receptivity - 0.5) * 0.2, 0.0), 1.0)
    return Unfolding(stages=len(profile_of(persona).complaints), trust=trust, derived=persona.evolving is None)


def trusting(trust: float, signs: Signs, receptivity: float) -> float:
    """Trust after a counselor's turn: receptive clients gain it sooner, and all lose it alike."""
    change = sum(_GAINS.get(sign, 0.0) for sign in sorted(as_taken(signs, trust)))
    return round(min(max(trust + (change * (0.6 + 0.8 * receptivity) if change > 0 else change), 0.0), 1.0), 4)


def unfolded(
    now: Unfolding, signs: Signs, emotion: Emotion, baseline: Mood, *, named: bool = False, furthest: int | None = None
) -> Unfolding:
    """The client's next turn: at the same stage or the one after it.

    Args:
        now: How far it has opened up; its trust is that after the counselor's turn.
        signs: What the counselor's turn did.
        emotion: What the client feels after it.
        baseline: Where its emotion comes to rest.
        named: Whether the counselor asked about what the next stage is about.
        furthest: Stage that this session does not go beyond; None for the last of all.
    """
    asked = named or Sign.INVITED in signs
    needs = threshold(now.stage, now.stages) - (_ASKED if asked else 0)
    opens = (
        now.stage < min(now.stages, furthest or now.stages)
        and now.spent >= _STAY
        and now.trust >= needs
        and emotion.valence >= baseline.valence - _TOO_LOW
        and not signs & _CLOSES
    )
    step = {"stage": now.stage + 1, "spent": 1} if opens else {"spent": now.spent + 1}
    return now.model_copy(update=step)


def furthest(start: Unfolding, sessions: int) -> int:
    """The stage that a session does not go beyond, so that a course has something left to unfold in its last one."""
    return start.stage + math.ceil((start.stages - 1) / sessions)


def threshold(stage: int, stages: int) -> float:
    """Trust that the step from this stage to the next takes."""
    return _FIRST + (_LAST - _FIRST) * (stage - 1) / max(stages - 2, 1)


def resumed(last: Unfolding, start: Unfolding, since: Interlude) -> Unfolding:
    """How a client comes to its next session: what has been told stays told, and trust has cooled a little."""
    trust = start.trust + _KEPT * (last.trust - start.trust) - (_RELAPSE if since.relapse else 0)
    stage = min(last.stage, start.stages)
    return start.model_copy(update={"stage": stage, "trust": min(max(round(trust, 4), 0.0), 1.0), "told": last.told})


def next_complaint(complaints: Sequence[str], stage: int) -> str:
    """The complaint of the stage after this one; "" at the last."""
    return complaints[stage] if stage < len(complaints) else ""


def _statement(persona: Persona) -> str:
    return persona.presenting_problem.statement
