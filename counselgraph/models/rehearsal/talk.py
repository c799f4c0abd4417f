"""Talk about the talk: filler, agreement, thanks, and moods that say hello rather than what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.words import plain, sentences, trimmed

_SLOT = re.compile(r"\{(\w+)\}")
_NARROW = {**dict.fromkeys(("n", "before", "from", "to"), r"\d{1,3}"), "day": r"\w+day"}
"""Slots that hold one short word."""
_LITERAL = 3
"""Fewest words of its own by which a line with a wide slot is recognised."""


@lru_cache(maxsize=8192)
def beside_the_point(clause: str) -> bool:
    """Whether a sentence or clause is a remark about the talk itself, so that there is nothing in it to reflect."""
    said = normal(clause)
    return (
        not said
        or _cues("meta").search(clause) is not None
        or said in _stock()[0]
        or any(pattern.match(said) for pattern in _stock()[1])
    )


@lru_cache(maxsize=4096)
def small_talk(text: str) -> bool:
    """Whether a turn says how somebody is, or hello, and not yet what is wrong."""
    return all(_greets(sentence) for sentence in sentences(text))


def _greets(sentence: str) -> bool:
    bare = trimmed(plain(sentence))
    return beside_the_point(sentence) or _cues("greeting", r"^(?:{})$").match(bare) is not None


@lru_cache(maxsize=4096)
def has_content(text: str) -> bool:
    """Whether a turn holds anything beyond talk about the talk."""
    return not all(map(beside_the_point, sentences(text)))


@lru_cache(maxsize=8)
def _cues(name: str, frame: str = r"(?:{})") -> re.Pattern[str]:
    return re.compile(frame.format("|".join(bank("hearing")[name])), re.IGNORECASE)


@lru_cache(maxsize=1)
def _stock() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The sentences by which this model's client keeps a talk going: fixed ones, and patterns of those with slots."""
    lines = [part for name, keys in bank("hearing")["talk"].items() for key in keys for part in _under(bank(name), key)]
    # A frame that goes before everything told is part of the answer; any other only leads up to it.
    lines += [
        line for entry in bank("client_answers").values() if "framed" not in entry for line in entry.get("frame", ())
    ]
    parts = {part for line in lines for part in sentences(line) if normal(_SLOT.sub("", part))}
    slotted = {part for part in parts if _SLOT.search(part)}
    known = sorted(part for part in slotted if _is_narrow(part) or len(normal(_SLOT.sub("", part)).split()) >= _LITERAL)
    return frozenset(normal(part) for part in parts - slotted), tuple(map(_pattern, known))


def _is_narrow(line: str) -> bool:
    return _NARROW.keys() >= set(_SLOT.findall(line))


def _under(node: Any, path: str) -> Iterator[str]:
    for key in path.split("."):
        node = node[key]
    yield from _lines(node)


def _lines(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if key not in {"tell", "add", "corrects"}:
                yield from _lines(value)
    elif isinstance(node, list):
        for value in node:
            yield from _lines(value)


def _pattern(line: str) -> re.Pattern[str]:
    words = [normal(piece) if place % 2 == 0 else piece for place, piece in enumerate(_SLOT.split(line))]
    parts = [re.escape(word) if place % 2 == 0 else _NARROW.get(word, r".{1,160}?") for place, word in enumerate(words)]
    return re.compile(r"\s?".join(parts) + "$")
