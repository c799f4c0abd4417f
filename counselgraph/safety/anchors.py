"""Anchors: words without which a pattern cannot match, found by reading the pattern.

Looking for a plain word is much cheaper than running an expression, and most turns hold none of a book's anchors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias

# The standard library's own parser is the only one that reads every pattern as `re` does.
_parser: Any = import_module("re._parser")

Anchors: TypeAlias = frozenset[str]
Words: TypeAlias = dict[str, list[str]]  # by the letters they begin with
Needs: TypeAlias = tuple[Anchors, ...]
Reading: TypeAlias = tuple[Anchors, list[Anchors]]  # all that a part can match, if that is few words; what it needs
_SHORT, _LONG = 3, 6  # letters by which words are looked up
_TURN = 1000  # characters
_MOST = 512  # words of one set: beyond that the index grows and finds no more
_SPELLED_OUT = 32  # words that a run of letters and short alternatives is multiplied out to
_MARK = 0xE000  # private characters stand for word lists while a pattern is read
LIST = re.compile(r"<([a-z_]+)>")
_ZERO_WIDTH = frozenset({"AT", "ASSERT", "ASSERT_NOT"})
_EMPTY: Anchors = frozenset({""})
_NONE: Anchors = frozenset()


class AnchorIndex:
    """Tells which of many patterns a text can match at all, at about the cost of reading the text once.

    Args:
        patterns: Regular expressions over folded text.
        reader: Reads them, and knows the word lists that they refer to; None if they refer to none.
    """

    def __init__(self, patterns: Sequence[str], reader: Reader | None = None) -> None:
        reader = reader or Reader({})
        wanted = [reader.needs(pattern) or (_NONE,) for pattern in patterns]
        self._always = [number for number, sets in enumerate(wanted) if not sets[0]]
        self._numbers: dict[str, list[int]] = {}
        for number, (best, *_) in enumerate(wanted):
            for word in best:
                self._numbers.setdefault(word, []).append(number)
        self._best = _by_start(self._numbers)
        self._lengths = tuple(sorted({_SHORT, _LONG, *map(len, self._best)}))
        # Other words are looked up among the same pieces of the text; a set for which these are too long stays out.
        besides = [[_by_start(words) for words in sets[1:]] for sets in wanted]
        self._besides = [
            [words for words in each if {len(start) for start in words} <= set(self._lengths)] for each in besides
        ]
        self._starts = {*self._best, *(start for each in self._besides for words in each for start in words)}

    def candidates(self, text: str) -> list[int]:
        """Numbers of the patterns that a text may match, in order; of all others it is certain that it does not."""
        pieces = (_pieces_of_turn if len(text) <= _TURN else _pieces)(text, self._lengths)
        starts = self._starts & pieces
        found = set(self._always)
        for word in _held(self._best, starts, text):
            found.update(self._numbers[word])
        return sorted(
            number for number in found if all(any(_held(words, starts, text)) for words in self._besides[number])
        )


def _pieces(text: str, lengths: tuple[int, ...]) -> set[str]:
    """Every piece of a text that has one of these lengths; not to be changed."""
    return {text[at : at + length] for length in lengths for at in range(len(text) - length + 1)}


_pieces_of_turn = lru_cache(maxsize=16)(_pieces)  # several indexes look at a turn, one after the other


def _by_start(words: Iterable[str]) -> Words:
    """Words by the letters they begin with."""
    found: dict[str, list[str]] = {}
    for word in sorted(words):
        found.setdefault(word[:_LONG] if len(word) >= _LONG else word[:_SHORT], []).append(word)
    return found


def _held(words: Words, starts: set[str], text: str) -> Iterator[str]:
    """Those of the words that a text holds; `starts` are the beginnings of words that it holds."""
    return (word for start in words.keys() & starts for word in words[start] if word in text)


class Reader:
    """Reads patterns for the words they need; a word list that many of them refer to is read once.

    Args:
        lists: Word lists, folded, as regular expressions that may refer to other lists as `<name>`.
    """

    def __init__(self, lists: Mapping[str, str]) -> None:
        self._numbers = {name: number for number, name in enumerate(lists)}
        self._texts = dict(enumerate(lists.values()))
        self._read: dict[int, Reading] = {}

    def needs(self, pattern: str) -> Needs:
        """Sets of words, the best first: every match of the pattern holds at least one word of each set."""
        return tuple(sorted(dict.fromkeys(self._reading(pattern)[1]), key=_worth, reverse=True))

    def _reading(self, pattern: str) -> Reading:
        marked = LIST.sub(lambda found: chr(_MARK + self._numbers[found[1]]), pattern)
        return self._of_sequence(_parser.parse(marked))

    def _list(self, number: int) -> Reading:
        if number not in self._read:
            self._read[number] = self._reading(self._texts[number])
        return self._read[number]

    def _of_sequence(self, items: Iterable[tuple[Any, Any]]) -> Reading:
        """What a sequence can match and what every match of it holds; neighbouring letters are taken together."""
        found: list[Anchors] = []
        whole = run = _EMPTY
        for kind, argument in items:
            if str(kind) in _ZERO_WIDTH:  # what a look-around forbids only makes fewer words of them
                continue
            words, inner = self._of_part(str(kind), argument)
            whole = _joined(whole, words, _MOST)
            joined = _joined(run, words, _SPELLED_OUT)
            if not joined:
                found.append(run)
                found.extend(() if words else inner)
            run = joined or words or _EMPTY
        found.append(run)
        return whole, [_shortest(words) for words in found if "" not in words]

    def _of_part(self, name: str, argument: Any) -> Reading:
        if name == "LITERAL":
            return self._list(argument - _MARK) if argument - _MARK in self._texts else (frozenset({chr(argument)}), [])
        if name == "IN" and all(str(kind) == "LITERAL" for kind, _ in argument):
            return self._of_branches([[letter] for letter in argument])
        if name == "SUBPATTERN":
            return self._of_sequence(argument[-1])
        if name == "BRANCH":
            return self._of_branches(argument[1])
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            return self._of_repeat(*argument)
        if name == "ATOMIC_GROUP":
            return _NONE, self._of_sequence(argument)[1]
        return _NONE, []

    def _of_branches(self, branches: Sequence[Any]) -> Reading:
        """The best sets of all branches together, the second best together, and so on."""
        each = [self._of_sequence(branch) for branch in branches]
        best = [sorted(inner, key=_worth, reverse=True) for _, inner in each]
        found = [words for sets in zip(*best, strict=False) if (words := _all_or_none(sets))]
        return _all_or_none([words for words, _ in each]), found

    def _of_repeat(self, least: int, most: int, items: Iterable[tuple[Any, Any]]) -> Reading:
        words, inner = self._of_sequence(items)
        if (least, most) == (0, 1):
            return words | _EMPTY if words else _NONE, []
        return _NONE, inner if least else []


def _joined(before: Anchors, after: Anchors, most: int) -> Anchors:
    """Every word of the one followed by every word of the other; the empty set if they are unknown or too many."""
    if len(before) * len(after) > most:
        return _NONE
    return frozenset(first + second for first in before for second in after)


def _all_or_none(each: Sequence[Anchors]) -> Anchors:
    """The union, if every one of them is known and it is not too large."""
    together = frozenset().union(*each)
    return together if all(each) and len(together) <= _MOST else _NONE


def _shortest(words: Anchors) -> Anchors:
    """Without the words that hold another one of them."""
    if len(words) > _SPELLED_OUT:
        return words
    return frozenset(word for word in words if not any(other in word for other in words if other != word))


def _worth(found: Anchors) -> tuple[int, int, list[str]]:
    """Long words are rare, and few are quickly looked for."""
    return min(map(len, found)), -len(found), sorted(found)
