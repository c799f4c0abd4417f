"""Anchors: words without which a pattern cannot match, found by reading the pattern.

Looking for a plain word is much cheaper than running an expression, and most turns hold none of a book's anchors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias

# The standard library's own parser is the only one that reads every pattern as `re` does.
_parser: Any = import_module("re._parser")

Anchors: TypeAlias = frozenset[str]
_NONE: Anchors = frozenset()
_START = 3
_MOST = 64  # a set of more words is no cheaper to look for than the pattern itself
_ZERO_WIDTH = frozenset({"AT", "ASSERT", "ASSERT_NOT"})


@lru_cache(maxsize=4096)
def anchors(pattern: str) -> Anchors:
    """Words of which every match of a pattern holds at least one; the empty set if nothing can be said."""
    return _of_sequence(_parser.parse(pattern))


class AnchorIndex:
    """Tells which of many patterns a text can match at all, at about the cost of reading the text once.

    Args:
        patterns: Regular expressions over folded text.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._always: set[int] = set()
        self._by_start: dict[str, list[tuple[str, int]]] = {}
        for number, pattern in enumerate(patterns):
            found = anchors(pattern)
            if not found:
                self._always.add(number)
            for word in found:
                self._by_start.setdefault(word[:_START], []).append((word, number))
        self._lengths = sorted({len(start) for start in self._by_start})

    def candidates(self, text: str) -> list[int]:
        """Numbers of the patterns that a text may match, in order; of all others it is certain that it does not."""
        found = set(self._always)
        for length in self._lengths:
            starts = {text[at : at + length] for at in range(len(text) - length + 1)}
            for start in starts & self._by_start.keys():
                found.update(number for word, number in self._by_start[start] if word in text)
        return sorted(found)


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> Anchors:
    """The best anchors among the parts of a sequence, all of which must match."""
    choices: list[Anchors] = []
    run = ""
    for kind, argument in items:
        name = str(kind)
        if name == "LITERAL":
            run += chr(argument)
        elif name not in _ZERO_WIDTH:
            choices.append(frozenset({run} if run else _NONE))
            choices.append(_of_part(name, argument))
            run = ""
    choices.append(frozenset({run} if run else _NONE))
    return max(choices, key=_worth)


def _of_part(name: str, argument: Any) -> Anchors:
    if name == "SUBPATTERN":
        return _of_sequence(argument[-1])
    if name == "BRANCH":
        return _of_branches(argument[1])
    if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and argument[0]:
        return _of_sequence(argument[2])
    if name == "ATOMIC_GROUP":
        return _of_sequence(argument)
    return _NONE


def _of_branches(branches: Sequence[Any]) -> Anchors:
    each = [_of_sequence(branch) for branch in branches]
    together = frozenset().union(*each)
    return together if all(each) and len(together) <= _MOST else _NONE


def _worth(found: Anchors) -> tuple[int, int]:
    """Long words are rare, and few are quickly looked for."""
    return (min(map(len, found), default=0), -len(found))
