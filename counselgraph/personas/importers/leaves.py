"""The values of a nested record, each with its path, and patterns that pick some of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from counselgraph.personas.sentences import is_unknown

Path: TypeAlias = tuple[str | int, ...]
Pattern: TypeAlias = str | Path
"""Dotted keys, list numbers left out, `*` for any key; or the exact path of a part. Both pick all that is under it."""

_NOTHING = re.compile(
    r"(?:cannot|could not) be (?:identified|determined)|not (?:identified|mentioned|discussed)|unclear"
    r"|no emotional trigger|-1|无明显|未知",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a record.

    Attributes:
        path: Keys and list numbers that lead to it.
        value: Text, number, truth value or nothing; an empty list or mapping is a leaf too.
    """

    path: Path
    value: Any

    @property
    def field(self) -> str:
        """The path as a report names it."""
        return dotted(self.path)

    @property
    def text(self) -> str:
        """The value as text; empty where it says nothing."""
        if self.value is None or isinstance(self.value, dict | list):
            return ""
        text = str(self.value).strip()
        return "" if is_unknown(text) or _NOTHING.fullmatch(text.rstrip(".")) else text


def leaves_of(value: Any, path: Path = ()) -> Iterator[Leaf]:
    """Every value, in the order of the record."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list):
        inner = list(enumerate(value))
    if not inner:
        yield Leaf(path, value)
    for key, part in inner:
        yield from leaves_of(part, (*path, key))


def dotted(path: Path) -> str:
    """A path without its list numbers; "record" where there is no key at all."""
    return ".".join(part for part in path if isinstance(part, str)) or "record"


def picks(pattern: Pattern, path: Path) -> bool:
    """Whether a leaf at `path` lies at or under what the pattern names."""
    if isinstance(pattern, tuple):
        return path[: len(pattern)] == pattern
    keys = [part for part in path if isinstance(part, str)]
    wanted = pattern.split(".") if pattern else []
    return len(keys) >= len(wanted) and all(want in {"*", key} for want, key in zip(wanted, keys, strict=False))
