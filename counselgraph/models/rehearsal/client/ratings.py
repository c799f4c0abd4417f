"""Numbers the client gives: ratings that stay consistent through a session, and pies that sum to 100."""

from __future__ import annotations

import itertools
import random
import re
import zlib
from collections.abc import Sequence

from counselgraph.models.rehearsal.client.warmth import Pair
from counselgraph.models.rehearsal.reading import RATINGS
from counselgraph.personas.persona import Attitude, Persona

_NUMBER = re.compile(r"\b(\d{1,3})\b")
_FIRST = {Attitude.POSITIVE: (65, 85), Attitude.NEUTRAL: (70, 90), Attitude.NEGATIVE: (80, 95)}
_PLACE = (10, 35)
_STEP = 5
_ALL = 100
_FIRMEST_LEFT = 25
"""Rating at which a thought stays believed, however many sessions have gone by."""
_RESERVE = 15
"""How far from the end of the scale talking alone takes anybody."""
_SHARED = {"rate_sure": "rate_belief", "rate_prediction": "rate_likely"}
"""Ratings of the same thing under another name; `balanced_thought` and `weigh_readings` re-rate the belief."""


def own_random(persona: Persona, *parts: str) -> random.Random:
    """A source of chance that depends on the persona alone, for what must not change within a session."""
    return random.Random(zlib.crc32("/".join((persona.id, *parts)).encode()))


def earlier(turns: Sequence[Pair], ask: str) -> int | None:
    """The number given last time the same thing was asked for, or None."""
    numbers = given(turns, ask)
    return numbers[-1] if numbers else None


def given(turns: Sequence[Pair], ask: str) -> list[int]:
    """Every number given when the same thing was asked for, oldest first."""
    numbers: list[int] = []
    for turn in turns:
        asked = [rating for rating in turn.reading.asks if rating in RATINGS]
        if turn.client and any(_family(rating) == _family(ask) for rating in asked):
            found = _NUMBER.search(turn.client)
            if found is not None and int(found[1]) <= _ALL:
                numbers.append(int(found[1]))
    return numbers


def _family(ask: str) -> str:
    return _SHARED.get(ask, ask)


def first_rating(persona: Persona, ask: str, chance: random.Random) -> int:
    """A rating nobody has asked for before in this session, from 0 to 100."""
    low, high = _PLACE if ask == "rate_place" else _FIRST[persona.attitude]
    return chance.randrange(low, high + 1, _STEP)


def loosened(rating: int, ask: str, gain: int) -> int:
    """A first rating of a later session: a thought that has let go is believed less, and one stands higher."""
    if gain == 0:
        return rating
    if ask == "rate_place":
        return min(rating + gain * _STEP, max(rating, _ALL - _RESERVE))
    return max(rating - gain * _STEP, min(rating, _FIRMEST_LEFT))


def next_rating(persona: Persona, ask: str, before: int, warmth: float, chance: random.Random) -> int:
    """The rating after the work: it moves with trust, and hardly at all for a negative client."""
    move = _move(persona.attitude, warmth, chance)
    if ask == "rate_place":
        return min(before + move, max(before, _ALL - _RESERVE))
    return max(before - move, min(before, _RESERVE))


def _move(attitude: Attitude, warmth: float, chance: random.Random) -> int:
    if attitude is Attitude.NEGATIVE:
        return _STEP if chance.random() < warmth else 0
    return _STEP * (1 + round(warmth * 4) - chance.randint(0, 1))


def slices(own: int, others: int, chance: random.Random) -> list[int]:
    """Percentages for the other causes, in steps of 5, so that with the client's own share they sum to 100.

    Args:
        own: The client's own share, from 0 to 100 and a multiple of 5.
        others: Number of other causes, at least 1.
        chance: Decides how the rest is spread.
    """
    units = (100 - own) // _STEP
    cuts = sorted(chance.sample(range(1, units), others - 1)) if units > others else list(range(1, others))
    edges = [0, *(min(cut, units) for cut in cuts), units]
    return [(right - left) * _STEP for left, right in itertools.pairwise(edges)]
