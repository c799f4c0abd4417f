"""The emotion of a client that changes: moved by what the counselor does, held by inertia, drawn to a baseline."""

from __future__ import annotations

import math
from functools import lru_cache

from pydantic import Field

from counselgraph.personas.evolving import Mood
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.lexicon import emotion_words
from counselgraph.personas.part import Part, Text
from counselgraph.personas.signs import Sign, Signs, as_taken

_PULLS: dict[Sign, tuple[float, float]] = {
    Sign.REFLECTED: (0.25, -0.1),
    Sign.VALIDATED: (0.3, -0.12),
    Sign.ASKED_OPENLY: (0.05, 0.0),
    Sign.INVITED: (-0.05, 0.1),
    Sign.EVOKED: (0.08, 0.05),
    Sign.LEFT_CHOICE: (0.15, -0.08),
    Sign.ADVISED: (-0.3, 0.2),
    Sign.PUSHED: (-0.6, 0.5),
    Sign.IGNORED: (-0.35, 0.2),
}
"""Sign to how far it pulls valence and arousal away from the baseline."""
_NEAR = 0.12
"""Distance from the baseline within which the emotion keeps the baseline's own name."""
_WEEK = 7
_HALF = 0.5
"""Share of an emotion's distance from the baseline that is left after a week."""
_MOOD, _RELAPSE = 0.15, (-0.25, 0.15)


class Emotion(Part):
    """What the client feels at one turn.

    Attributes:
        word: A noun for it.
        valence: -1 is as unpleasant as can be, 1 as pleasant.
        arousal: 0 is flat, 1 agitated.
        exchange: Exchange of that turn; 0 before the first.
    """

    word: Text = ""
    valence: float = Field(ge=-1, le=1)
    arousal: float = Field(ge=0, le=1)
    exchange: int = Field(default=0, ge=0)


def at_rest(baseline: Mood) -> Emotion:
    """The emotion when nothing has happened."""
    return _named(baseline.valence, baseline.arousal, baseline)


def appraised(signs: Signs, baseline: Mood, trust: float) -> Emotion:
    """Where a counselor's turn pulls the emotion; the baseline if it did nothing in particular."""
    pulls = [_PULLS[sign] for sign in sorted(as_taken(signs, trust))]
    valence, arousal = (sum(axis) for axis in zip(*pulls, strict=True)) if pulls else (0.0, 0.0)
    return _named(baseline.valence + valence, baseline.arousal + arousal, baseline)


def moved(emotion: Emotion, appraisal: Emotion, baseline: Mood, inertia: float) -> Emotion:
    """The emotion after an appraisal: with inertia 1 it never moves, with 0 it follows at once."""
    if inertia >= 1:
        return emotion
    rest = 1 - inertia
    return _named(
        inertia * emotion.valence + rest * appraisal.valence,
        inertia * emotion.arousal + rest * appraisal.arousal,
        baseline,
    )


def drifted(emotion: Emotion, baseline: Mood, since: Interlude) -> Emotion:
    """The emotion after the time between two sessions: back towards the baseline, and as the client fared."""
    kept = _HALF ** (since.days / _WEEK)
    valence, arousal = _RELAPSE if since.relapse else (0.0, 0.0)
    return _named(
        baseline.valence + kept * (emotion.valence - baseline.valence) + since.mood * _MOOD + valence,
        baseline.arousal + kept * (emotion.arousal - baseline.arousal) + arousal,
        baseline,
    )


def _named(valence: float, arousal: float, baseline: Mood) -> Emotion:
    """An emotion within its bounds, and a word for it."""
    here = round(min(max(valence, -1.0), 1.0), 4), round(min(max(arousal, 0.0), 1.0), 4)
    if baseline.word and math.dist(here, (baseline.valence, baseline.arousal)) <= _NEAR:
        word = baseline.word
    else:
        word = _word(*here)
    return Emotion(word=word, valence=here[0], arousal=here[1])


@lru_cache(maxsize=16384)
def _word(valence: float, arousal: float) -> str:
    words = emotion_words()
    return min(words, key=lambda word: math.dist((valence, arousal), words[word]))
