"""Whose turn it is: wordings spread over the sessions of a course, so that the next session says others."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection

SESSIONS = 4
"""Sessions over which wordings are spread."""
_VARIES = re.compile(r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|\d+)\b")
"""Words by which one and the same line differs from day to day."""


def turn_of(lines: Collection[str], session: int) -> frozenset[str]:
    """The lines that are this session's to say; some, if there are any.

    Args:
        lines: All lines to choose among, in any order; the same from session to session.
        session: A number that grows by one from session to session.
    """
    order = sorted(set(lines), key=_place)
    rounds = max(min(len(order), SESSIONS), 1)
    return frozenset(line for place, line in enumerate(order) if place % rounds == session % rounds)


def _place(line: str) -> tuple[int, str]:
    bare = _VARIES.sub("", line)
    return zlib.crc32(bare.encode()), bare
