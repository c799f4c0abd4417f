"""How far the client trusts the counselor, from attitude, receptivity and what the counselor has done so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from langchain_core.messages import AnyMessage

from counselgraph.models.rehearsal.reading import Reading, content_words, read
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of

COOL = 0.36
"""Below this the client has a guard up."""
WARM = 0.62
"""Above this the client is open."""

_START = {Attitude.POSITIVE: 0.64, Attitude.NEUTRAL: 0.46, Attitude.NEGATIVE: 0.2}
_REACH = {Attitude.POSITIVE: 0.95, Attitude.NEUTRAL: 0.8, Attitude.NEGATIVE: 0.55}
_MOODS = {"reflection": 0.03, "validation": 0.045, "advice": -0.06, "push": -0.1, "lecture": -0.06}
_OWN_WORDS = 0.015
_KNOWN, _KNOWN_MOST = 0.04, 0.12
"""What every session together adds to the trust that the next one begins with, and at most."""
_WORDS_TAKEN_UP = 2
_TOO_MANY_QUESTIONS = -0.05
_QUESTIONS = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A counselor turn and the client's answer to it ("" while it is being thought of)."""

    counselor: str
    client: str

    @property
    def reading(self) -> Reading:
        """The counselor's turn as the client takes it."""
        return read(self.counselor)


def pairs(messages: Sequence[AnyMessage]) -> list[Pair]:
    """The transcript as counselor turns and what the client answered, oldest first."""
    found: list[Pair] = []
    heard: list[str] = []
    for message in messages:
        role = role_of(message)
        if role == COUNSELOR:
            heard.append(text_of(message))
        elif role == CLIENT:
            found.append(Pair(" ".join(heard), text_of(message)))
            heard = []
    return [*found, Pair(" ".join(heard), "")]


def warmth(persona: Persona, turns: Sequence[Pair], *, known: int = 0) -> float:
    """Trust from 0 to 1 after the counselor's last turn.

    Args:
        persona: Whose trust.
        turns: The session so far.
        known: Sessions that the two have had before.
    """
    value = _START[persona.attitude] + (persona.receptivity - 0.5) * 0.2 + min(known * _KNOWN, _KNOWN_MOST)
    before = ""
    for turn in turns:
        change = _change(turn, before)
        value += change * (0.6 + 0.8 * persona.receptivity) if change > 0 else change
        value = min(max(value, 0.0), _REACH[persona.attitude])
        before = turn.client
    return value


@lru_cache(maxsize=16384)
def _change(turn: Pair, before: str) -> float:
    reading = turn.reading
    change = sum(_MOODS[mood] for mood in reading.moods)
    if before and len(content_words(turn.counselor) & content_words(before)) >= _WORDS_TAKEN_UP:
        change += _OWN_WORDS
    if reading.questions >= _QUESTIONS:
        change += _TOO_MANY_QUESTIONS
    return change
