"""From the written sentences of a form to sentences a person would say."""

from __future__ import annotations

import re
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.words import capital, plain

_BREAK = re.compile(r"(?<=[.!?…])\s+(?=[A-Z\"'(])|(?<=[\u3002\uff01\uff1f])\s*|\n+")
_END = re.compile(r"[.!?…\u3002\uff01\uff1f\"]$")
UNIT_WORDS = 34
"""Words up to which the sentences of one field are told in one go."""


def known(text: str) -> bool:
    """Whether a field says anything ("Not specified" and its like do not)."""
    return _unknown().match(text) is None


@lru_cache(maxsize=4096)
def units(text: str, *, english: bool = True) -> tuple[str, ...]:
    """A field cut into pieces that are told in one go, in spoken words.

    Short fields stay whole, since their sentences lean on each other; long ones are cut into sentences.
    A field in a language other than English is cut but its words stay as they are.
    """
    pieces = [piece.strip() for piece in _BREAK.split(plain(text)) if piece.strip() and known(piece)]
    if not english:
        return tuple(pieces)
    lines = [line for line in (spoken(piece) for piece in pieces) if line]
    groups: list[str] = []
    for line in lines:
        if groups and len(f"{groups[-1]} {line}".split()) <= UNIT_WORDS:
            groups[-1] = f"{groups[-1]} {line}"
        else:
            groups.append(line)
    return tuple(groups)


@lru_cache(maxsize=4096)
def spoken(sentence: str) -> str:
    """One sentence as a person would say it, capitalised and closed; "" when nothing of it is left."""
    text = sentence
    for pattern, new in _rules():
        text = pattern.sub(new, text)
    text = re.sub(r"\s+([.,!?])", r"\1", re.sub(r"\s{2,}", " ", text)).strip(" ,;")
    if not re.search(r"\w", text):
        return ""
    return capital(text if _END.search(text) else f"{text}.")


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), new) for pattern, new in bank("client_lexicon")["spoken"])


@lru_cache(maxsize=1)
def _unknown() -> re.Pattern[str]:
    return re.compile(bank("client_lexicon")["unknown"], re.IGNORECASE)
