"""What a review asks the next session to take up first: how the rehearsal model words it, and what it hears in it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_TASK = 'Ask what came of the task "{task}"'
_OPEN = 'what was left open: "{open}"'
_SAFETY = "how safe the client is by now"
_NOTHING = "Ask how the time since has been, and let the client choose."
_HEARD_TASK = re.compile(r"\btask \"(?P<task>[^\"]+)\"")
_HEARD_OPEN = re.compile(r"\bopen: \"(?P<open>[^\"]+)\"")
_QUOTED = re.compile(r"\"([^\"]{8,120})\"")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Agenda:
    """What an agenda holds.

    Attributes:
        task: The task to be asked about in a few words, an imperative; "" if it names none.
        left_open: Words of the client to come back to; "" if it names none.
    """

    task: str = ""
    left_open: str = ""


def agenda_for(*, task: str, left_open: str, danger: bool) -> str:
    """One sentence for the next session: safety if there was danger, then the task, then what was left open."""
    back = _OPEN.format(open=left_open.rstrip(". ")) if left_open else ""
    asked = [f"Begin with {_SAFETY}"] if danger else []
    if task:
        asked.append(_TASK.format(task=task) if not asked else _TASK.format(task=task).replace("Ask", "then ask"))
    if back:
        asked.append(f"then take up {back}" if asked else f"Take up {back}")
    said = "; ".join(asked) + "." if asked else _NOTHING
    return said if len(said) <= _LONGEST else agenda_for(task=task, left_open="", danger=danger)


def heard_in(agenda: str) -> Agenda:
    """What an agenda asks for, whoever wrote it; any words in quotation marks are taken for the client's."""
    task, left = _HEARD_TASK.search(agenda), _HEARD_OPEN.search(agenda)
    named = task["task"] if task else ""
    quoted = [words for words in _QUOTED.findall(agenda) if words != named]
    return Agenda(named, (left["open"] if left else (quoted or [""])[-1]).rstrip(". "))


def spread(seed: int, *parts: str) -> int:
    """A seed that differs from session to session of a course; the seed itself where no part says anything."""
    told = "\x1f".join(parts).strip("\x1f")
    return seed ^ zlib.crc32(told.encode()) if told else seed
