"""The words of a sentence that carry its topic, in any script, and how much of one text is in another."""

from __future__ import annotations

import re
from functools import lru_cache

from counselgraph.personas.lexicon import small_words

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff"
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])[^\W\d_])+(?:'(?:(?![{_UNSPACED}])[^\W\d_])+)*")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_ENDINGS = ("ing", "ies", "ed", "es", "s", "ly", "y")
_SHORTEST = 3
_STEM = 3
"""Letters a word keeps at least when its ending is taken off."""


@lru_cache(maxsize=16384)
def topic_words(text: str) -> frozenset[str]:
    """Stems of the topic words of a text; runs of a script without spaces become pairs of characters."""
    found: set[str] = set()
    for word in _WORD.findall(text.replace("\u2019", "'").casefold()):
        if _IS_UNSPACED.match(word):
            found.update(word[at : at + 2] for at in range(len(word) - 1))
        elif len(word) >= _SHORTEST and word not in small_words():
            found.add(_stem(word.removesuffix("'s")))
    return frozenset(found)


def shared(text: str, other: str) -> int:
    """Number of topic words that two texts share."""
    return len(topic_words(text) & topic_words(other))


def told_in(item: str, text: str) -> float:
    """Share of an item's topic words that a text has, 0 to 1; 0 for an item without any."""
    words = topic_words(item)
    return len(words & topic_words(text)) / len(words) if words else 0.0


def nearest(items: tuple[str, ...], text: str) -> str:
    """The item that shares most topic words with a text, the first of equals; "" if there is none."""
    return max(items, key=lambda item: shared(item, text), default="")


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[: -len(ending)]
    return word
