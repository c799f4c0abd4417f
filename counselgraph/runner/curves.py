"""The private state of a client that changes, as curves over the exchanges of a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counselgraph.personas.motivation import Stage
from counselgraph.runner.log import SessionRecord
from counselgraph.runner.markup import Html, el, join
from counselgraph.transcript import CLIENT

_CELL, _LABELS = 52, 76  # pixels: an exchange and the row labels, as in the timeline above it
_ROW, _GAP, _NUMBERS = 44, 14, 22
_DOT = 2.5
_APART = 2  # exchanges: no name of ours is wider
_STAGES = tuple(stage.value for stage in Stage)

Value = Mapping[str, Any]
Point = tuple[int, float]
"""An exchange and the value that stands behind it."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a client's state.

    Attributes:
        name: What it is ("valence").
        low: Least value it can have.
        high: Greatest.
        points: Exchange and value, in the order of the exchanges.
        words: Exchange to what the value is called there, for values that have a name.
    """

    name: str
    low: float
    high: float
    points: tuple[Point, ...]
    words: Mapping[int, str] = field(default_factory=dict)


def notes_of(record: SessionRecord, channel: str, *needs: str) -> dict[int, Value]:
    """The client's state in a private channel, by the exchange it belongs to; of a turn written anew the last.

    A state says its exchange itself: who acts while a screen still judges the turn before acts an exchange ahead.

    Args:
        record: The session.
        channel: Name of the channel.
        needs: Fields without which a value is no state of ours, but something that another role keeps there.
    """
    kept = [event["value"] for event in record.of("note") if (event["role"], event["channel"]) == (CLIENT, channel)]
    whole = [value for value in kept if isinstance(value, dict) and {"exchange", *needs} <= set(value)]
    return {value["exchange"]: value for value in whole}


def series_of(record: SessionRecord) -> list[Series]:
    """The lines of a client's state; none if the session's client keeps no state that changes."""
    emotion = notes_of(record, "emotion", "word", "valence", "arousal")
    complaint = notes_of(record, "complaint", "stage", "stages", "trust")
    readiness = notes_of(record, "readiness", "stage", "receptivity")
    last = max((value["stages"] for value in complaint.values()), default=1)
    named = {at: value["word"] for at, value in emotion.items()}
    staged = {at: value["stage"] for at, value in readiness.items()}
    places = {at: _STAGES.index(stage) for at, stage in staged.items()}
    found = [
        Series("valence", -1, 1, _points(emotion, "valence"), named),
        Series("arousal", 0, 1, _points(emotion, "arousal")),
        Series("trust", 0, 1, _points(complaint, "trust")),
        Series("complaint", 1, last, _points(complaint, "stage")),
        Series("readiness", 0, len(_STAGES) - 1, tuple(sorted(places.items())), staged),
        Series("receptivity", 0, 1, _points(readiness, "receptivity")),
    ]
    return [line for line in found if line.points]


def curves(record: SessionRecord) -> Html:
    """The state of a session's client as SVG, "" if it keeps none."""
    lines = series_of(record)
    if not lines:
        return Html("")
    last = max(turn["exchange"] for turn in record.turns)
    width, height = _LABELS + _CELL * last, (_ROW + _GAP) * len(lines) + _NUMBERS
    rows = [part for at, line in enumerate(lines) for part in _row(line, at * (_ROW + _GAP) + _GAP, width)]
    numbers = [_text(str(each), _x(each), height - 3, "number", "middle") for each in range(1, last + 1)]
    size = f"0 0 {width} {height}"
    return el(
        "svg", *rows, *numbers, viewBox=size, width=width, height=height, role="img", aria_label=_told(lines),
        class_="curves",
    )  # fmt: skip


def _points(notes: Mapping[int, Value], name: str) -> tuple[Point, ...]:
    return tuple((at, float(value[name])) for at, value in sorted(notes.items()))


def _row(line: Series, top: int, width: int) -> Iterator[Html]:
    yield _text(line.name, 0, top + _ROW / 2 + 4, "label")
    for level in sorted({line.low, max(line.low, 0), line.high}):
        height = _y(line, level, top)
        yield el("line", class_="axis", x1=_LABELS, x2=width, y1=f"{height:g}", y2=f"{height:g}")
        if not line.words or line.low < 0:  # a line of named stages is read by its names
            yield _text(f"{level:g}", _LABELS - 4, height + 3, "tick", "end")
    places = [(_x(exchange), _y(line, value, top)) for exchange, value in line.points]
    path = " ".join(f"{x:g},{y:g}" for x, y in places)
    yield el("polyline", class_=f"curve {line.name}", points=path, fill="none", stroke="currentColor")
    for (exchange, value), (x, y) in zip(line.points, places, strict=True):
        yield el("g", el("title", _named(line, exchange, value)), _dot(x, y))
    for exchange in _changes(line):
        yield _text(line.words[exchange], _x(exchange), top - 5, "number", "middle")


def _changes(line: Series) -> list[int]:
    """Exchanges at which the value gets another name, as far as there is room to write it."""
    written: list[int] = []
    for exchange, _value in line.points:
        word = line.words.get(exchange)
        room = not written or exchange - written[-1] >= _APART
        if word and room and (not written or word != line.words[written[-1]]):
            written.append(exchange)
    return written


def _dot(x: float, y: float) -> Html:
    return el("circle", cx=f"{x:g}", cy=f"{y:g}", r=f"{_DOT:g}", fill="currentColor")


def _x(exchange: int) -> float:
    return _LABELS + _CELL * (max(exchange, 1) - 0.5)


def _y(line: Series, value: float, top: int) -> float:
    share = (value - line.low) / (line.high - line.low) if line.high > line.low else 0.0
    return round(top + _ROW * (1 - share), 1)


def _text(words: str, x: float, y: float, kind: str, anchor: str | None = None) -> Html:
    return el("text", words, x=f"{x:g}", y=f"{y:g}", class_=kind, text_anchor=anchor)


def _named(line: Series, exchange: int, value: float) -> str:
    words = line.words.get(exchange)
    return f"Exchange {exchange}: {line.name} {value:g}{f', {words}' if words else ''}"


def _told(lines: Sequence[Series]) -> str:
    parts = (f"{line.name} from {line.points[0][1]:g} to {line.points[-1][1]:g}" for line in lines)
    return join("State of the client over the session: ", "; ".join(parts))
