"""Filling words into phrases with slots, for whom every one of them is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_SLOT = re.compile(r"\{(\w+)\}")


def filled(lines: Iterable[str], slots: Mapping[str, str]) -> list[str]:
    """The lines this persona can say, with its words in place."""
    return [_SLOT.sub(lambda slot: slots[slot[1]], line) for line in lines if _fits(line, slots)]


def with_slots(lines: Iterable[str]) -> list[str]:
    """The lines that take in this persona's own words."""
    return [line for line in lines if _SLOT.search(line)]


def _fits(line: str, slots: Mapping[str, str]) -> bool:
    names = _SLOT.findall(line)
    values = [slots[name] for name in names if name in slots and len(slots[name].split()) > 1]
    return all(name in slots for name in names) and len(values) == len(
        {value.strip('".').casefold() for value in values}
    )
