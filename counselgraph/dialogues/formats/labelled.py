"""Dialogues in one text, each turn behind the name of its speaker and a colon."""

from __future__ import annotations

import re

from counselgraph.dialogues.dialogue import ROLES, role_of
from counselgraph.errors import InputError
from counselgraph.said import Said

_LABEL = re.compile(
    rf"^[ \t]*[*_]{{0,2}}(?P<role>{'|'.join(sorted(map(re.escape, ROLES), key=len, reverse=True))})[*_]{{0,2}}"
    r"[ \t]*[:\uff1a][*_]{0,2}[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)


def said_in_text(text: str, field: str) -> tuple[Said, ...]:
    """The turns of a text in which every turn begins a line with its speaker.

    Raises:
        InputError: It does not begin with a speaker that is known.
    """
    marks = list(_LABEL.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        fix = "begin every turn with `Client:` or `Counselor:`."
        raise InputError("it does not begin with who speaks.", field=field, fix=fix)
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return tuple(
        Said(role_of(mark["role"]), text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True)
    )
