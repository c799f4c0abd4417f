"""Frames: phrases with slots, which of them fit, and by which the counselor's own earlier turns are recognised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from string import Formatter

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.lines import steps_of_all
from counselgraph.models.rehearsal.speech import Speech, normal
from counselgraph.models.rehearsal.turns import turn_of
from counselgraph.models.rehearsal.words import flip, plain

_RECENT = 3
"""Counselor turns within which the same way of beginning or the same quotation would sound like a tic."""
_PARTS = ("first", "next", "intake", "rated", "again", "close", "when")
_OTHERS = 0.03
"""Weight of a frame that is another session's to say."""
_MARK = 3
"""Fewest words by which a frame can be recognised."""


@lru_cache(maxsize=4096)
def slots_of(frame: str) -> tuple[str, ...]:
    """Names of the slots of a frame."""
    return tuple(name for _, name, _, _ in Formatter().parse(frame) if name)


@lru_cache(maxsize=4096)
def mark_of(frame: str) -> str:
    """The longest stretch of a frame without a slot, normalised: what it can be recognised by."""
    return max((normal(text) for text, *_ in Formatter().parse(frame)), key=lambda part: len(part.split()))


class Wording:
    """Chooses frames for one turn: fresh ones first, then those that use what the client said without harping on it.

    Args:
        speech: The speaker.
        slots: What can be put into frames; a frame that needs anything else does not fit.
        recent: The counselor's turns so far, oldest first.
        share: A number that grows from session to session of a course, to spread the frames by; None elsewhere.
    """

    def __init__(
        self, speech: Speech, slots: Mapping[str, str], recent: Sequence[str], *, share: int | None = None
    ) -> None:
        self.speech = speech
        self.slots = slots
        self._recent, self._share = recent, share
        self._said = "\n".join(map(normal, recent))
        self._near = [normal(text) for text in recent[-_RECENT:]]

    def with_slots(self, slots: Mapping[str, str]) -> Wording:
        """The same with other values to put in."""
        return Wording(self.speech, slots, self._recent, share=self._share)

    def fitting(self, frames: Iterable[str]) -> list[str]:
        """The frames whose slots can all be filled."""
        return [frame for frame in frames if all(name in self.slots for name in slots_of(frame))]

    def choose(self, frames: Iterable[str], *, beside: str = "") -> str:
        """One frame, filled; the empty string if none fits.

        Args:
            frames: What to choose from.
            beside: What the same turn already says; not to be repeated.
        """
        options = list(frames)
        fitting = self.fitting(options)
        if not fitting:
            return ""
        near = [*self._near, normal(beside)]
        mine = turn_of(options, self._share) if self._share is not None else None
        weights = [self._weight(frame, near) * (1.0 if mine is None or frame in mine else _OTHERS) for frame in fitting]
        return self.speech.random.choices(fitting, weights)[0].format_map(self.slots)

    def _weight(self, frame: str, near: Sequence[str]) -> float:
        filled = frame.format_map(self.slots)
        weight = 1.0 + 1.5 * min(len(slots_of(frame)), 2)
        if not self.speech.fresh(filled):
            weight *= 1e-6
        elif len(mark_of(frame).split()) >= _MARK and mark_of(frame) in self._said:
            weight *= 1e-3
        opening = " ".join(normal(filled).split()[:2])
        if any(text.startswith(opening) for text in near):
            weight *= 0.1
        own = [self.slots[name] for name in slots_of(frame)]
        values = [normal(form) for value in own for form in (value, flip(value))]
        if any(value.isdigit() and value in near[-1].split() for value in values):
            weight *= 0.02
        if any(len(value.split()) >= _MARK and value in near[-1] for value in values):
            weight *= 1e-4
        elif any(len(value.split()) >= _MARK and value in text for value in values for text in near):
            weight *= 0.02
        return weight


@lru_cache(maxsize=4096)
def step_said(turn: str) -> str | None:
    """The step a counselor's turn worked on, recognised by its frame; None if by none."""
    said = normal(turn)
    return next((step for mark, step in _marks() if mark in said), None)


@lru_cache(maxsize=4096)
def safety_topics(turn: str) -> frozenset[str]:
    """The safety questions that a counselor's turn puts, in this model's words or in others."""
    risk, said = bank("counselor/risk"), plain(turn)
    topics = {**risk["topics"], "concern": risk["concern"]}
    return frozenset(name for name, topic in topics.items() if re.search(topic["asked"], said, re.IGNORECASE))


@lru_cache(maxsize=1)
def _marks() -> tuple[tuple[str, str], ...]:
    marks = {(mark_of(frame), step) for step, frame in _moves() if len(mark_of(frame).split()) >= _MARK}
    return tuple(sorted(marks, key=lambda item: (-len(item[0]), item)))


def _moves() -> Iterator[tuple[str, str]]:
    for _approach, step, parts in steps_of_all():
        yield from ((step, frame) for part in _PARTS for frame in parts.get(part, ()))


_DOUBLE_STOP = re.compile(r"([.!?…。\uff01\uff1f؟])(\"?)\s*[.](?=[\s\"]|$)")


def tidy(text: str) -> str:
    """Spaces and stops put right after frames were joined."""
    return _DOUBLE_STOP.sub(r"\1\2", " ".join(text.split()))
