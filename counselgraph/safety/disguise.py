"""Disguises: ways of writing a word so that people read it and a pattern does not.

Digits for letters ("su1cide"), letters kept apart ("d i e", "k-m-s"), letters drawn out ("dieeee"). Each is undone only
where no plain word is harmed by it, and every character that is left still knows where it came from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Origin = Sequence[int]

_DIGITS = str.maketrans("013457", "oieast")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS_IN_A_WORD = re.compile(r"[013457]{1,2}(?=[a-z])")
_DRAWN_OUT = re.compile(r"([a-vx-z])\1\1+")  # "www" is part of an address
_SET_APART = re.compile(r"[ \n.*_-][a-z][ \n.*_-][a-z](?![a-z0-9])")
_APART = re.compile(r"(?<![a-z0-9'])(?:i )?([a-z]([ \n.*_-])[a-z](?:\2[a-z]){1,40})(?![a-z0-9'])")


def undisguised(plain: str, origin: Origin) -> tuple[str, Origin]:
    """A text in lower-case plain characters with its disguised words spelled as usual; linear in its length.

    Args:
        plain: The text.
        origin: For each of its characters, where it came from.
    """
    plain = _DIGITS_IN_A_WORD.sub(_as_letters, plain)
    dropped = {at for found in _DRAWN_OUT.finditer(plain) for at in _surplus(found)}
    if _SET_APART.search(plain):
        dropped.update(at for found in _APART.finditer(plain) for at in range(found.start(1) + 1, found.end(1), 2))
    if not dropped:
        return plain, origin
    kept = [at for at in range(len(plain)) if at not in dropped]
    return "".join(plain[at] for at in kept), [origin[at] for at in kept]


def _as_letters(found: re.Match[str]) -> str:
    return found[0].translate(_DIGITS) if _before(found) in _LETTERS else found[0]


def _surplus(found: re.Match[str]) -> range:
    """Where the letters are that a run of one and the same letter can do without."""
    letter, before, after = found[1], _before(found), found.string[found.end() : found.end() + 1]
    within = before in _LETTERS and after in _LETTERS
    # "feeel" is "feel" and "dieee" is "die", "killlll" is "kill" and "helllp" is "help", "uselesss" is "useless".
    double = (
        (letter in "eo" and within)
        or (letter == "l" and (after == "y" or after not in _LETTERS))
        or (letter == "s" and before == "e")
    )
    return range(found.start() + (2 if double else 1), found.end())


def _before(found: re.Match[str]) -> str:
    return found.string[max(found.start() - 1, 0) : found.start()]
