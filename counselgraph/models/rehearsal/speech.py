"""Choosing words: deterministic in the seed, and never the same line twice in a session."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_NOT_WORD = re.compile(r"\W+")


@lru_cache(maxsize=16384)
def normal(text: str) -> str:
    """Text for comparison: lower case, single spaces, no punctuation."""
    return _NOT_WORD.sub(" ", text.casefold()).strip()


class Speech:
    """One speaker's choice of words for one turn.

    Args:
        seed: Seed of this turn; the same seed and history choose the same words.
        said: What this speaker has said so far in the session, oldest first.
    """

    def __init__(self, seed: int, said: Iterable[str]) -> None:
        self.random = random.Random(seed)
        self._said = "\n".join(normal(line) for line in said)

    def fresh(self, text: str) -> bool:
        """Whether these words have not been said before in this session."""
        return normal(text) not in self._said

    def pick(self, options: Sequence[str]) -> str:
        """One of the options, a fresh one while there is one.

        Raises:
            IndexError: `options` is empty.
        """
        return self.random.choice([option for option in options if self.fresh(option)] or list(options))
