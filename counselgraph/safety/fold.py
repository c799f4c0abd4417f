"""Folding: text as the rules read it, with the way back to the original characters.

Rules are written once, in lower-case plain characters; people write curly quotes, full-width letters, zero-width
joiners, letters of other scripts that look alike, traditional characters, accents or none, stray spaces and disguised
words (see `counselgraph.safety.disguise`). A folded text is what is left when those are gone, and it knows which
original characters each of its own came from, so that a quote is always a substring of what was really said. The
letters of a pattern fold as those of a text do, so that a rule may be written as its language is.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from counselgraph.safety.disguise import Origin, undisguised
from counselgraph.yaml_text import load_yaml

SENTENCE_BREAK = "\n"

_PLAIN = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u2032": "'", "\u00b4": "'", "`": "'", "\u02bc": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-",
        "\u3002": ".", "\u300c": '"', "\u300d": '"', "\u300e": '"', "\u300f": '"', "\u3001": ",",
        "\u060c": ",", "\u061b": ";", "\u061f": "?", "\u06d4": ".", "\u0640": None,
    }
)  # fmt: skip
_ZERO_WIDTH_NON_JOINER = "\u200c"
_TURN = 1000  # characters
_DROPPED = frozenset({"Cf", "Mn", "Me", "Cc"})
_PIECE = re.compile(
    r"""(?P<end>(?<=[.!?])["')\]]{0,3}(?:\s+|(?<!\.\.)(?=[\u3041-\u30ff\u3400-\u9fff]))  # a sentence (CJK: no space)
      | \s*\n\s*\n\s*)                                # or a paragraph
      | (?P<gap>\s*(?:\.\.+|\u2026)\s*|\s{2,}|[^\S ])   # trailing dots hold a sentence together, as one space does
      """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        original: The text as it was said.
        text: Lower case, plain characters, single spaces; sentences are separated by a line break.
        origin: For each character of `text`, its index in `original`.
    """

    original: str
    text: str
    origin: Origin

    def quote(self, start: int, end: int) -> str:
        """The original words behind `text[start:end]`."""
        return self.original[self.origin[start] : self.origin[end - 1] + 1]


def fold(text: str) -> Folded:
    """Fold a text; linear in its length. What is as short as a turn is remembered, since a turn is read many times."""
    return folded_turn(text) if len(text) <= _TURN else _folded(text)


def _folded(text: str) -> Folded:
    return _single_spaced(text, *undisguised(*_plain(text)))


folded_turn = lru_cache(maxsize=8192)(_folded)


def _plain(text: str) -> tuple[str, Origin]:
    if text.isascii() and text.isprintable():
        return text.replace("`", "'").lower(), range(len(text))
    kept = list(_characters(text))
    return "".join(char for char, _ in kept), [index for _, index in kept]


def fold_pattern(pattern: str) -> str:
    """A regular expression with its letters folded; a zero-width non-joiner in it stands for a space or nothing."""
    return "".join(
        " ?" if char == _ZERO_WIDTH_NON_JOINER else _character(char) if char > "\x7f" and char.isalpha() else char
        for char in pattern
    )


def _characters(text: str) -> Iterator[tuple[str, int]]:
    # Some characters fold to several or to none; all that is left points at what was written.
    return ((part, index) for index, char in enumerate(text) for part in _character(char))


@lru_cache(maxsize=16384)
def _character(char: str) -> str:
    """What one character folds to."""
    if char.isspace():
        return "\n" if char in "\n\u2028\u2029" else " "
    if char < "\x7f":
        return char.translate(_PLAIN).lower()
    kind = unicodedata.category(char)
    if kind in _DROPPED:
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    wide = unicodedata.normalize("NFKC", char).translate(_PLAIN).lower().translate(_letters())
    apart = unicodedata.normalize("NFKD", wide)
    return apart[0] if apart[1:] and apart[0].isascii() and not any(map(str.isascii, apart[1:])) else wide


@lru_cache(maxsize=1)
def _letters() -> dict[int, str]:
    path = files("counselgraph.safety") / "letters.yaml"
    lists = load_yaml(path.read_text(encoding="utf-8")).values()
    return {ord(pair[0]): pair[1] for pairs in lists for pair in pairs.split()}


def _begins_a_line(original: str, origin: Origin, found: re.Match[str]) -> bool:
    """Whether a sentence begins behind a gap, by a new line and a capital.

    What another line says takes nothing back: "You are no longer screened" above "I want to die" is no denial of it.
    """
    return "\n" in found[0] and found.end() < len(origin) and original[origin[found.end()]].isupper()


def _single_spaced(original: str, plain: str, origin: Origin) -> Folded:
    pieces = list(_PIECE.finditer(plain))
    if not pieces:
        return Folded(original, plain, origin)
    parts: list[str] = []
    kept: list[int] = []
    at = 0
    for found in pieces:
        parts.append(plain[at : found.start()])
        kept.extend(origin[at : found.start()])
        ends = found["end"] is not None or _begins_a_line(original, origin, found)
        parts.append(SENTENCE_BREAK if ends else " ")
        kept.append(origin[found.start()])
        at = found.end()
    parts.append(plain[at:])
    kept.extend(origin[at:])
    return Folded(original, "".join(parts), array("I", kept))
