"""Session logs of counselgraph: a `header` event, then `turn` events among others (docs/log-format.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from counselgraph.dialogues.dialogue import Dialogue
from counselgraph.dialogues.fields import Keys, loads, said_in
from counselgraph.dialogues.formats.form import Format, Read, error_at
from counselgraph.dialogues.source import Source
from counselgraph.errors import InputError

_TURN, _HEADER = b'"turn"', b'"header"'


def fits(record: Any) -> bool:
    """The first event of a log."""
    return isinstance(record, dict) and record.get("event") == "header"


def read(source: Source) -> Iterator[Read]:
    """The one session of a log, or every session of several logs in a row; a session without turns is left out."""
    name: Any = source.stem
    turns: list[Any] = []
    for number, event in _events(source):
        if isinstance(event, InputError):
            yield error_at(event, source, line=number)
        elif event.get("event") == "turn":
            turns.append(event)
        elif event.get("event") == "header":
            yield from _session(name, turns, source)
            name, turns = event.get("session", source.stem), []
    yield from _session(name, turns, source)


def _session(name: Any, turns: list[Any], source: Source) -> Iterator[Read]:
    if not turns:
        return
    try:
        yield Dialogue(str(name), said_in(turns, "turn", Keys(("role",), ("text",))))
    except InputError as error:
        yield error_at(error, source)


def _events(source: Source) -> Iterator[tuple[int, dict[str, Any] | InputError]]:
    """Events that matter here; a last line that a kill has torn is left out."""
    torn: tuple[int, InputError] | None = None
    for number, line in source.lines():
        if torn:
            yield torn
            torn = None
        try:
            event = loads(line) if _TURN in line or _HEADER in line else {}
        except InputError as error:
            torn = (number, error)
            continue
        yield number, event if isinstance(event, dict) else {}


SESSION = Format("session", read, fits)
