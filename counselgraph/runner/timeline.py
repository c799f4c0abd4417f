"""The course of a session over its exchanges, technique, phase and risk, as an inline picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from counselgraph.errors import ConfigError
from counselgraph.protocols.plan import Plan, position
from counselgraph.protocols.protocol import Protocol, load_protocol
from counselgraph.protocols.technique import approach_of, technique_named
from counselgraph.runner.log import Event, SessionRecord
from counselgraph.runner.markup import Html, el, join
from counselgraph.runner.story import STANDS_IN, level_name, technique_label
from counselgraph.safety.levels import Level, Side
from counselgraph.transcript import CLIENT

_CELL, _LABELS, _CHARACTER = 52, 76, 6.2  # pixels: an exchange, the row labels, a character of the small type
_BAND, _GAP, _RISK, _NUMBERS = 22, 5, 40, 16  # pixels: heights; a number stands above a bar and below it


@dataclass(frozen=True, slots=True)
class Point:
    """One exchange.

    Attributes:
        technique: Technique of the plan in force, None before the first.
        phase: Phase of the step that the counselor works, "" without a plan.
        step: That step.
        level: Standing risk level of the client.
        suspended: Whether risk sets the plan aside.
        stands_in: What the counselor's turn was if no model wrote it, else "".
        inherited: Whether all of it was said in the session that this one was forked from.
    """

    exchange: int
    technique: str | None
    phase: str
    step: str
    level: int
    suspended: bool
    stands_in: str
    inherited: bool = False


def course(record: SessionRecord) -> list[Point]:
    """Where a session stood in each of its exchanges, the opening left out."""
    last = max((turn["exchange"] for turn in record.turns), default=0)
    return [_point(record, exchange) for exchange in range(1, last + 1)]


def timeline(record: SessionRecord) -> Html:
    """The course of a session as SVG, "" for a session without exchanges."""
    points = course(record)
    if not points:
        return Html("")
    width, rows = _LABELS + _CELL * len(points), list(_rows(points))
    height = _base(points) + _NUMBERS
    size = f"0 0 {width} {height}"
    return el("svg", *rows, viewBox=size, width=width, height=height, role="img", aria_label=_told(points))


def _point(record: SessionRecord, exchange: int) -> Point:
    plan = _latest(record.of("plan"), exchange)
    risk = _latest([event for event in record.of("risk") if event["side"] == Side.CLIENT], exchange)
    kinds = [turn["kind"] for turn in record.turns if turn["exchange"] == exchange]
    phase, step = ("", "") if plan is None else _step(record, plan, exchange)
    return Point(
        exchange=exchange,
        technique=plan["technique"] if plan else None,
        phase=phase,
        step=step,
        level=risk["level"] if risk else 0,
        suspended=bool(risk and risk["suspends_plan"]),
        stands_in=next((STANDS_IN[kind] for kind in kinds if kind in STANDS_IN), ""),
        inherited=all(turn.get("inherited", False) for turn in record.turns if turn["exchange"] == exchange),
    )


def _latest(events: Sequence[Event], exchange: int) -> Event | None:
    return next((event for event in reversed(events) if event["exchange"] <= exchange), None)


def _step(record: SessionRecord, plan: Event, exchange: int) -> tuple[str, str]:
    """Phase and step, counted from the client's answers as the planner counts them."""
    since = range(plan["made_at"] + 1, exchange + 1)
    answers = [turn["text"] for turn in record.turns if turn["role"] == CLIENT and turn["exchange"] in since]
    steps = plan["steps"]
    if not steps:
        return "", ""
    known: dict[str, Any] = {"steps": steps}  # all that counting needs; an old log may name what no Plan takes today
    at = position(Plan.model_construct(**known), answers, _protocol_of(plan), record.header["language"])
    phase, _, step = steps[min(at.index, len(steps) - 1)].rpartition("/")
    return phase, step


def _protocol_of(plan: Event) -> Protocol:
    """The protocol of a plan; the default for a technique that only an old log knows."""
    try:
        return load_protocol(approach_of(technique_named(plan["technique"])))
    except ConfigError:
        return load_protocol()


def _rows(points: Sequence[Point]) -> Iterator[Html]:
    yield from _band(points, 0, "technique", lambda each: technique_label(each.technique) if each.technique else "")
    yield from _band(points, 1, "phase", lambda each: "suspended" if each.suspended else each.phase)
    yield from _band(points, 2, "safety", lambda each: each.stands_in)
    base = _base(points)
    yield from _fork(points, base)
    yield _text("risk", 0, base - _RISK / 2 + 4, "label")
    yield el("line", class_="axis", x1=_LABELS, x2=_LABELS + _CELL * len(points), y1=base, y2=base)
    for index, point in enumerate(points):
        left = _LABELS + _CELL * index
        yield _bar(point, left, base)
        yield _text(str(point.exchange), left + _CELL // 2, base + _NUMBERS - 3, "number")


def _fork(points: Sequence[Point], base: int) -> Iterator[Html]:
    """A line behind the last exchange that was inherited."""
    inherited = sum(point.inherited for point in points)
    if inherited:
        x = _LABELS + _CELL * inherited - 1
        line = el("line", class_="fork", x1=x, x2=x, y1=0, y2=base + _NUMBERS)
        yield el("g", el("title", f"Inherited up to exchange {points[inherited - 1].exchange}"), line)


def _base(points: Sequence[Point]) -> int:
    """Where the risk bars stand: below the bands, of which safety is there only when it had a say."""
    return (2 + any(point.stands_in for point in points)) * (_BAND + _GAP) + _NUMBERS + _RISK


def _band(points: Sequence[Point], row: int, name: str, value: Callable[[Point], str]) -> Iterator[Html]:
    """A row of boxes, one for every stretch of exchanges with the same value."""
    top, index = row * (_BAND + _GAP), 0
    if any(map(value, points)):
        yield _text(name, 0, top + 15, "label")
    for words, same in groupby(points, key=value):
        length = len(list(same))
        if words:
            left, width = _LABELS + _CELL * index, _CELL * length - 2
            box = el(
                "rect", class_=f"{name} {words.split()[0].lower()}", x=left, y=top, width=width, height=_BAND, rx=3
            )
            yield el("g", el("title", words), box, _text(_cut(words, width), left + 6, top + 15, "in"))
        index += length


def _bar(point: Point, left: int, base: int) -> Html:
    height = max(2, round(_RISK * point.level / max(Level)))
    kind = "acute" if point.level >= Level.ACTIVE else "some" if point.level else "none"
    bar = el("rect", class_=f"risk {kind}", x=left + 8, y=base - height, width=_CELL - 18, height=height, rx=1)
    named = _text(f"R{point.level}", left + _CELL // 2 - 1, base - height - 4, "number") if point.level else None
    return el("g", el("title", f"Exchange {point.exchange}: {level_name(point.level)}"), bar, named)


def _text(words: str, x: int, y: float, kind: str) -> Html:
    return el("text", words, x=x, y=f"{y:g}", class_=kind)


def _cut(words: str, width: int) -> str:
    room = int((width - 8) / _CHARACTER)
    return words if len(words) <= room else f"{words[: max(0, room - 1)]}…" if room > 2 else ""  # noqa: PLR2004 - a letter, a dot


def _told(points: Sequence[Point]) -> str:
    parts = (
        f"{point.exchange}: {point.phase or 'no plan'}, R{point.level}, {point.stands_in}".rstrip(", ")
        for point in points
    )
    return join("Course of the session by exchange. ", "; ".join(parts))
