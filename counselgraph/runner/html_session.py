"""One session as a piece of HTML: facts, course, conversation with side notes, plans, cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from counselgraph.runner.curves import curves
from counselgraph.runner.log import SessionRecord
from counselgraph.runner.markup import Html, el, join
from counselgraph.runner.story import (
    STANDS_IN,
    Aside,
    Story,
    Turn,
    level_name,
    models_line,
    plan_steps,
    speaker,
    stop_name,
    technique_label,
    techniques,
)
from counselgraph.runner.timeline import timeline
from counselgraph.safety.levels import Level, Side
from counselgraph.transcript import COUNSELOR

_USAGE = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")

Row = tuple[Turn | None, list[Aside]]
"""A turn with what happened between it and the next; None for what happened before the first."""


def article(record: SessionRecord, anchor: str, heading: str) -> Html:
    """A whole session.

    Args:
        record: The session.
        anchor: Prefix of the ids inside, unique on the page.
        heading: Tag of its title, "h1" or "h2"; the titles inside are one step lower.
    """
    lower = "h3" if heading == "h2" else "h2"
    who = record.header["persona"]
    return el(
        "article",
        el("p", record.id, class_="eyebrow"),
        el(heading, el("bdi", who["name"]), id=f"{anchor}-title"),
        _facts(record),
        _course(record, lower),
        _state(record, lower),
        el(lower, "Conversation"),
        _talk(record, anchor),
        _ending(record),
        _plans(record, lower),
        _cost(record, lower),
        id=anchor,
        class_="session",
        aria_labelledby=f"{anchor}-title",
    )


def highest_level(record: SessionRecord) -> int:
    """Highest standing risk level of the client."""
    return max((event["level"] for event in record.of("risk") if event["side"] == Side.CLIENT), default=0)


def first_technique(record: SessionRecord) -> str:
    """Name of the technique of the first plan, "" if there was none."""
    return next(iter(techniques(record)), "")


def exchanges(record: SessionRecord) -> int:
    """Exchanges played."""
    return max((turn["exchange"] for turn in record.turns), default=0)


def risk_mark(level: int, words: str | None = None) -> Html:
    """A risk level as a small coloured mark with words."""
    kind = "acute" if level >= Level.ACTIVE else "some" if level else "none"
    return el("span", words or f"R{level}", class_=f"mark {kind}")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, caption: str) -> Html:
    """A table that scrolls sideways in a narrow window."""
    head = el("thead", el("tr", *(el("th", text, scope="col") for text in heads)))
    body = el("tbody", *(el("tr", *(el("td", cell, dir="auto") for cell in row)) for row in rows))
    whole = el("table", el("caption", caption), head, body)
    return el("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)


def _facts(record: SessionRecord) -> Html:
    header, source = record.header, record.header["source"]
    facts: dict[str, str] = {
        "attitude": header["persona"]["attitude"],
        "technique": ", then ".join(techniques(record)) or "none",
        "exchanges": str(exchanges(record)),
        "stop": stop_name(record.end),
        "highest risk": risk_mark(highest_level(record), level_name(highest_level(record))),
        "language": header["language"],
        "models": models_line(header["models"]),
        "seed": f"{header['seed']}, replicate {header['replicate']}",
        "persona": header["persona"]["id"],
    }
    if fork := header.get("fork"):
        facts["parent"] = f"{fork['session']} of run {fork['run']}, exchange {fork['at']}"
    if source:
        facts["source"] = f"{source['format']}: {source['file']}, record {source['record']}"
    return el("dl", *(el("div", el("dt", key), el("dd", text)) for key, text in facts.items()), class_="facts")


def _course(record: SessionRecord, heading: str) -> Html:
    picture = timeline(record)
    if not picture:
        return picture
    strip = el("div", picture, class_="wide", tabindex="0", role="region", aria_label="Timeline of the session")
    return join(el(heading, "Timeline"), strip)


def _state(record: SessionRecord, heading: str) -> Html:
    picture = curves(record)
    if not picture:
        return picture
    strip = el("div", picture, class_="wide", tabindex="0", role="region", aria_label="State of the client")
    return join(el(heading, "State of the client"), strip)


def _talk(record: SessionRecord, anchor: str) -> Html:
    items, before = [], 0
    for turn, asides in _told(record):
        number = turn.exchange if turn and turn.exchange != before else None
        before = turn.exchange if turn else before
        items.append(_row(turn, asides, number, anchor, record.header["language"]))
    return el("ol", *items, class_="talk")


def _told(record: SessionRecord) -> Iterator[Row]:
    story, turn, asides = Story(), None, list[Aside]()
    for event in record.events:
        for item in story.take(event):
            if isinstance(item, Aside):
                asides.append(item)
                continue
            if turn or asides:
                yield turn, asides
            turn, asides = item, []
    if turn or asides:
        yield turn, asides


def _row(turn: Turn | None, asides: list[Aside], number: int | None, anchor: str, language: str) -> Html:
    notes = el("div", *(_note(aside) for aside in asides), class_="notes") if asides else None
    if turn is None:
        return el("li", notes, class_="row")
    side = "counselor" if turn.role == COUNSELOR else "client"
    place = el("a", str(number), class_="number", href=f"#{anchor}-x{number}", aria_label=f"Exchange {number}")
    inherited = el("span", "inherited", class_="mark") if turn.inherited else None
    name = el("p", speaker(turn.role), _stands_in(turn), inherited, class_="name")
    words = el("p", turn.text, class_="words", dir="auto", lang=language)
    said = el("div", name, words, class_="said")
    where = f"{anchor}-x{number}" if number else None
    return el("li", place if number else None, said, notes, class_=f"row {side}", id=where)


def _stands_in(turn: Turn) -> Html | None:
    return el("span", STANDS_IN[turn.kind], class_="mark acute") if turn.kind in STANDS_IN else None


def _note(aside: Aside) -> Html:
    kind = "acute" if aside.level >= Level.ACTIVE or aside.kind == "trouble" else "some" if aside.level else aside.kind
    if not aside.facts:
        return el("p", aside.title, class_=f"note {kind}")
    facts = (el("div", el("dt", label) if label else None, el("dd", text, dir="auto")) for label, text in aside.facts)
    shown = aside.level >= Level.ACTIVE
    return el("details", el("summary", aside.title), el("dl", *facts), class_=f"note {kind}", open=shown)


def _ending(record: SessionRecord) -> Html:
    end = record.end
    if end is None:
        return el("p", "This session is unfinished.", class_="end")
    return el(
        "p", el("strong", f"End: {stop_name(end)}"), f", by {end['by']}. {end['reason']}", class_="end", dir="auto"
    )


def _plans(record: SessionRecord, heading: str) -> Html | None:
    plans = record.of("plan")
    if not plans:
        return None
    heads = ("revision", "exchange", "made for", "technique", "focus", "hypothesis", "steps", "why")
    rows = (
        (
            str(plan["revision"]),
            str(plan["made_at"]),
            str(plan["trigger"]).replace("_", " "),
            technique_label(plan["technique"]),
            plan["focus"],
            plan["hypothesis"],
            plan_steps(plan["steps"]),
            plan["reason"],
        )
        for plan in plans
    )
    return _more("Plans", heading, table(heads, rows, caption="Every revision of the plan"))


def _cost(record: SessionRecord, heading: str) -> Html | None:
    end = record.end
    if end is None:
        return None
    heads = ("role and model", *(key.replace("_", " ") for key in _USAGE))
    rows = [_usage(key, used) for key, used in end["usage_by"].items()] + [_usage("all", end["usage"])]
    caption = f"Calls and tokens; {end['seconds']:.1f} s, {end['repairs']} repairs, {end['retries']} retries"
    return _more("Cost", heading, table(heads, rows, caption=caption))


def _usage(who: str, used: Mapping[str, Any]) -> tuple[str, ...]:
    return (who, *(f"{used[key]:,}" for key in _USAGE))


def _more(title: str, heading: str, inside: Html) -> Html:
    return el("details", el("summary", el(heading, title)), inside, class_="more")
