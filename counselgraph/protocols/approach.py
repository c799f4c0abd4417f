"""When an approach fits a client, how one hears whether it helps, and the choice a review makes between them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from counselgraph.protocols.technique import ApproachName


class Sign(BaseModel):
    """Something a client shows in words.

    Attributes:
        id: Name within its list ("of_two_minds").
        says: What it is, in one sentence about the client.
        cues: Language to regular expressions by which it is heard; none where only a reader can tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    says: str
    cues: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def heard_in(self, text: str, language: str = "en") -> bool:
        """Whether a client's turn shows it; False in a language without cues."""
        plain = text.replace("\u2019", "'")
        return any(_compiled(cue).search(plain) for cue in self.cues.get(language, ()))


class TurnTo(BaseModel):
    """Where to go from an approach that does not fit.

    Attributes:
        approach: The other approach.
        when: What the client shows then, in one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    approach: ApproachName
    when: str


class Approach(BaseModel):
    """What a review needs to know of an approach to keep it or to change it.

    Attributes:
        name: Name of the protocol.
        label: Name as the literature writes it.
        idea: What it holds to help, in one or two sentences.
        stance: How the counselor behaves in it, one rule each.
        sets_tasks: Whether a session ends with a task for the time until the next.
        fits: Signs that it suits a client.
        helping: Signs that it is helping; one marker of several is enough to go on.
        misfit: Signs that it is not helping this client.
        turn_to: Approaches to change to, each with when.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ApproachName
    label: str
    idea: str
    stance: tuple[str, ...]
    sets_tasks: bool = True
    fits: tuple[Sign, ...]
    helping: tuple[Sign, ...]
    misfit: tuple[Sign, ...]
    turn_to: tuple[TurnTo, ...]


class ApproachDecision(BaseModel):
    """What a review answers when asked whether to keep the approach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["keep", "change"] = Field(description="Keeping is the usual decision.")
    approach: ApproachName = Field(description="The approach of the next session; the present one if it is kept.")
    evidence: str = Field(
        min_length=1, max_length=300, description="Words of the client that decided it, copied exactly."
    )
    reason: str = Field(min_length=1, max_length=400, description="Why this approach, in one or two sentences.")


@dataclass(frozen=True, slots=True)
class Heard:
    """A sign in what a client said.

    Attributes:
        sign: Which one.
        turn: Index of the turn that showed it first.
        times: Turns that showed it.
    """

    sign: Sign
    turn: int
    times: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How an approach goes down with a client, by its markers.

    Attributes:
        helping: Markers of help that were heard.
        misfit: Signs of misfit that were heard.
    """

    helping: tuple[Heard, ...]
    misfit: tuple[Heard, ...]

    @property
    def balance(self) -> int:
        """Turns that speak for the approach less turns that speak against it."""
        return sum(heard.times for heard in self.helping) - sum(heard.times for heard in self.misfit)


def read_markers(approach: Approach, said: Iterable[str], language: str = "en") -> Reading:
    """Which of an approach's markers a client's turns show.

    Args:
        approach: The approach followed.
        said: The client's turns, oldest first.
        language: Their language; without cues for it nothing is heard.
    """
    turns = tuple(said)
    return Reading(heard_signs(approach.helping, turns, language), heard_signs(approach.misfit, turns, language))


def heard_signs(signs: Iterable[Sign], turns: Iterable[str], language: str = "en") -> tuple[Heard, ...]:
    """The signs that these turns show, in the order of the list."""
    said = tuple(turns)
    found: list[Heard] = []
    for sign in signs:
        places = [place for place, text in enumerate(said) if sign.heard_in(text, language)]
        if places:
            found.append(Heard(sign, places[0], len(places)))
    return tuple(found)


@lru_cache(maxsize=1024)
def _compiled(cue: str) -> re.Pattern[str]:
    return re.compile(cue, re.IGNORECASE)
