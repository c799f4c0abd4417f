"""How a client takes the counselor's last turn: deterministic, from its words alone, without a model call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from counselgraph.personas.lexicon import sign_cues
from counselgraph.personas.words import shared, topic_words

_SENTENCE = re.compile(r"[^.!?\u3002\uff01\uff1f]+[.!?\u3002\uff01\uff1f]*")
_ASKS = ("?", "\uff1f")
_TAKEN_UP = 2
"""Topic words of the client's that a counselor's statement repeats when it gives them back."""
_SAID_ENOUGH = 4
"""Topic words from which a client's turn can be passed over."""
_TRUSTS_ADVICE = 0.6


class Sign(StrEnum):
    """What a counselor's turn did, as the client hears it."""

    REFLECTED = "reflected"
    """Gave the client's words or feelings back."""
    VALIDATED = "validated"
    ASKED_OPENLY = "asked_openly"
    INVITED = "invited"
    """Asked for more of what lies beneath."""
    EVOKED = "evoked"
    """Asked what would speak for a change, or how it could be done."""
    LEFT_CHOICE = "left_choice"
    ADVISED = "advised"
    PUSHED = "pushed"
    """Confronted, corrected or pressed."""
    IGNORED = "ignored"
    """Took up nothing of what the client had said."""


Signs = frozenset[Sign]

_KIND = frozenset({Sign.REFLECTED, Sign.VALIDATED})
_HEARS = frozenset({*_KIND, Sign.ASKED_OPENLY, Sign.INVITED, Sign.EVOKED})


@lru_cache(maxsize=16384)
def signs_of(words: str, before: str = "") -> Signs:
    """The signs in a counselor's turn.

    Args:
        words: What the counselor said; "" gives no sign.
        before: What the client had said just before, "" at the start.
    """
    sentences = [part.strip() for part in _SENTENCE.findall(words.replace("\u2019", "'"))]
    found = {Sign(name) for name, cue in sign_cues().items() if any(cue.search(part) for part in sentences)}
    if shared(_statements(sentences), before) >= _TAKEN_UP:
        found.add(Sign.REFLECTED)
    if Sign.PUSHED in found:
        found -= _KIND
    if words and not found & _HEARS and len(topic_words(before)) >= _SAID_ENOUGH and not shared(words, before):
        found.add(Sign.IGNORED)
    return frozenset(found)


def as_taken(signs: Signs, trust: float) -> Signs:
    """The signs that count at this trust: advice comes too early while there is little, and is no harm later."""
    return signs - {Sign.ADVISED} if trust >= _TRUSTS_ADVICE else signs


def _statements(sentences: Iterable[str]) -> str:
    return " ".join(part for part in sentences if not part.endswith(_ASKS))
