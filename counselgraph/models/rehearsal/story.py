"""What a session is about so far: what was asked and answered, the thought that was told, and the problem behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from langchain_core.messages import AnyMessage

from counselgraph.models.rehearsal.frames import safety_topics, step_said
from counselgraph.models.rehearsal.hearing import stance, thought_in
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.spoken import spoken
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import (
    SHORT,
    capital,
    harsh,
    plain,
    sentences,
    stands_alone,
    telling,
    trimmed,
    verdict,
)
from counselgraph.protocols.protocol import load_protocol
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of

THOUGHTS = frozenset({"thought", "belief"})
"""Steps whose answer is a sentence in the client's head, whatever feelings it names."""
_EXPLORING = frozenset({None, "agenda", "situation", "thought", "feeling"})
"""Steps whose answers may bring up the thought to work on; those of a technique weigh it instead."""
_START = 4
"""Client turns within which the problem is told."""
_PROBLEM = 30
"""Longest problem to be said back, in words."""
_LONGEST_THOUGHT = 22
_NAMELESS = re.compile(
    r"^(?:I (?:get it|had it|notice it)|it(?:'s| is| has| hasn't| started| comes| happens)?)\b", re.IGNORECASE
)
"""What a sentence starts with that speaks of the problem without naming it."""
_QUOTED = re.compile(r"\"([^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A client turn, and the step the counselor was asking about: `SAFETY` or None when it was no step's question."""

    asked: str | None
    said: str
    met: str

    @property
    def answers(self) -> bool:
        """Whether the turn gives something to work with."""
        return self.met not in {"held", "resists"}


SAFETY = "safety"
"""What a turn answers after a question about safety; what it says is not what the session works on."""
OPENING = "opening"
"""What the first turn of a later session answers: how it has been, which is not yet what the session is about."""


def exchanged(
    messages: Sequence[AnyMessage], language: str, *, later: bool = False
) -> tuple[tuple[Exchanged, ...], list[str]]:
    """The client's turns, each with what it answers, and the counselor's; both oldest first, in one pass.

    Args:
        messages: The transcript.
        language: Its language.
        later: Whether it is that of a later session of a course.
    """
    asked: str | None = None
    found: list[Exchanged] = []
    own: list[str] = []
    for message in messages:
        role = role_of(message)
        if role == COUNSELOR:
            own.append(text_of(message))
            asked = step_said(own[-1]) or (SAFETY if safety_topics(own[-1]) else None)
        elif role == CLIENT:
            found.append(_exchanged(OPENING if later and not found else asked, text_of(message), language))
    return tuple(found), own


@lru_cache(maxsize=8192)
def _exchanged(asked: str | None, text: str, language: str) -> Exchanged:
    return Exchanged(asked, text, met(text, language))


@lru_cache(maxsize=4096)
def met(text: str, language: str) -> str:
    """How a turn meets the counselor (see `hearing.stance`); "tells" in a language that is not read."""
    held = load_protocol().holds(text, language)
    return stance(text, held=held) if language == "en" else ("held" if held else "tells")


def told_thought(turns: Sequence[Exchanged]) -> str | None:
    """The thought the client has told last, capitalised and without a full stop; None until one is told.

    An answer to the question for the thought counts before anything said in passing, and a belief about oneself counts
    as a thought where no other was told.
    """
    found = passing = deep = None
    for turn in turns:
        if not turn.answers:
            continue
        if turn.asked == "thought":
            found = quoted_thought(turn.said) or thought_in(turn.said) or found
        elif turn.asked in _EXPLORING:
            passing = thought_in(turn.said) or passing
        elif turn.asked == "belief":
            deep = quoted_thought(turn.said) or thought_in(turn.said) or deep
    return found or passing or deep


@lru_cache(maxsize=4096)
def quoted_thought(text: str) -> str | None:
    """What a client puts in quotation marks as going through its head."""
    quoted = [trimmed(part) for part in _QUOTED.findall(plain(text))]
    return next((capital(part) for part in quoted if 1 < len(part.split()) <= _LONGEST_THOUGHT), None)


@lru_cache(maxsize=4096)
def problem_in(text: str) -> str | None:
    """The clause of a turn that says what is wrong, in the client's own words; None if it says hello or how one is."""
    if small_talk(text):
        return None
    return telling(text, skip=_says_little, longest=_PROBLEM, first=True)


def problem_told(turns: Sequence[Exchanged]) -> str | None:
    """The first clause in which the client says what is wrong."""
    early = (turn.said for turn in turns[:_START] if turn.answers and turn.asked in {None, "agenda"})
    return next(filter(None, map(problem_in, early)), None)


@lru_cache(maxsize=256)
def reason_in(reason: str) -> str | None:
    """The clause of a reason for coming that says what is wrong, as the client would say it."""
    whole = [spoken(sentence).rstrip(".") for sentence in sentences(reason)]
    said = [capital(_bare_reason(sentence)) for sentence in whole if len(sentence.split()) >= SHORT]
    fit = [sentence for sentence in said if len(sentence.split()) <= _PROBLEM and stands_alone(sentence)]
    return next((sentence for sentence in fit if not beside_the_point(sentence)), None)


def _bare_reason(sentence: str) -> str:
    rest = re.sub(r"^I (?:have )?(?:noticed|recognized|recognised|realized|realised) (?:that )?", "", sentence)
    return rest if re.match(r"(?:this|these|the|my|all|it)\b", rest, re.IGNORECASE) else sentence


def _says_little(sentence: str) -> bool:
    return beside_the_point(sentence) or small_talk(sentence) or _NAMELESS.search(sentence) is not None


def is_thought(text: str, turns: Sequence[Exchanged]) -> bool:
    """Whether a text is a thought that was told in one of these turns."""
    return any(normal(text) in _thoughts_in(turn.said) for turn in turns)


def sounds(text: str) -> bool:
    """Whether a text by itself sounds like a thought and not like an account of something."""
    return (thought_in(text) is not None or harsh(text) or verdict(text)) and len(text.split()) <= _LONGEST_THOUGHT


def voiced(text: str, turns: Sequence[Exchanged]) -> bool:
    """Whether the client has said these words."""
    words = normal(text)
    return bool(words) and any(words in normal(turn.said) for turn in turns)


@lru_cache(maxsize=4096)
def _thoughts_in(text: str) -> frozenset[str]:
    found = (*map(thought_in, sentences(text)), quoted_thought(text), thought_in(text))
    return frozenset(normal(thought) for thought in found if thought)


def same(one: str, other: str) -> bool:
    """Whether two texts are the same words."""
    return normal(one) == normal(other)
