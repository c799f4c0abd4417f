"""Sessions as one self-contained web page: nothing is fetched, and no text of a session can become markup."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from counselgraph.errors import InputError
from counselgraph.runner.course_record import HEADS, CourseRecord
from counselgraph.runner.html_session import article, exchanges, first_technique, highest_level, risk_mark
from counselgraph.runner.log import SessionRecord
from counselgraph.runner.markup import Html, el, join
from counselgraph.runner.story import first_words, stop_name, techniques
from counselgraph.runner.writers import replacing
from counselgraph.safety.levels import Level

_FILTERS: dict[str, Callable[[SessionRecord], str]] = {
    "attitude": lambda record: str(record.header["persona"]["attitude"]),
    "technique": first_technique,
    "stop": lambda record: stop_name(record.end),
}
_HEADS = ("session", "attitude", "technique", "exchanges", "stop", "risk", "first words of the client")
_TOLD = HEADS[-2:]
"""Columns of a course's table that hold sentences."""


def html_page(records: Sequence[SessionRecord], courses: Sequence[CourseRecord] = ()) -> str:
    """One page for one session, or for a run: an index with filters, then every session.

    The page has its own style and script inside and forbids every request. It shows what the log knows, plans, risk,
    memories and private notes included, but no prompts. A page of several sessions begins with the progress records
    of their courses.
    """
    style, script = _asset("show.css"), _asset("show.js")
    title = records[0].id if len(records) == 1 else f"{len(records)} sessions"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{title} - counselgraph"),
        el("style", style),
    )
    body = el(
        "body", el("a", "To the content", class_="skip", href="#main"), *_body(records, courses), el("script", script)
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def write_html(records: Sequence[SessionRecord], file: str | Path, *, courses: Sequence[CourseRecord] = ()) -> None:
    """Write the page of some sessions to a file; one that was there before is replaced once the new one is whole.

    Raises:
        InputError: The file cannot be written, or is none.
    """
    try:
        with replacing(Path(file)) as draft:
            draft.write(html_page(records, courses).encode())
    except OSError as error:
        fix = "give a file in a folder that is there"
        raise InputError(f"cannot be written: {error.strerror or error}.", file=str(file), fix=fix) from error


def _asset(name: str) -> Html:
    return Html((files("counselgraph.runner") / name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """What the page may do: use this very style and script, and nothing else."""
    return (
        f"default-src 'none'; style-src {_fingerprint(style)}; script-src {_fingerprint(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _body(records: Sequence[SessionRecord], courses: Sequence[CourseRecord]) -> tuple[Html, ...]:
    notices = sorted({record.header["notice"] for record in records})
    notice = el("p", " ".join(notices), class_="notice", role="note") if notices else None
    foot = el("footer", el("p", "Made by counselgraph. ", *notices))
    if len(records) == 1:
        return el("header", notice), el("main", article(records[0], "s1", "h1"), id="main"), foot
    runs = ", ".join(sorted({str(record.header["run"]) for record in records}))
    top = el("header", el("p", "counselgraph", class_="eyebrow"), el("h1", f"Run {runs}"), notice, class_="top")
    folded = (_folded(number, record) for number, record in enumerate(records, 1))
    numbers = {record.id: number for number, record in enumerate(records, 1)}
    main = el("main", *(_course(course, numbers) for course in courses), _index(records), *folded, id="main")
    return top, main, foot


def _course(course: CourseRecord, numbers: Mapping[str, int]) -> Html:
    """The progress record of a course; its sessions lead to their places on the page."""
    head = el("thead", el("tr", *(el("th", text, scope="col") for text in HEADS)))
    rows = []
    for row in course.rows:
        name, *cells = row.cells()
        link = el("a", name, href=f"#s{numbers[name]}") if name in numbers else name
        rows.append(el("tr", el("th", link, scope="row"), *map(_labelled, HEADS[1:], cells)))
    table = el("table", el("caption", course.end), head, el("tbody", *rows))
    wide = el("div", table, class_="wide", tabindex="0", role="region", aria_label=f"Course {course.id}")
    return el("section", el("h2", f"Course {course.id}"), wide, class_="index")


def _labelled(head: str, cell: str) -> Html:
    """A cell that carries its column's head, for windows too narrow to show the columns side by side."""
    return el("td", cell, dir="auto", class_="told" if head in _TOLD else None, data_label=head)


def _index(records: Sequence[SessionRecord]) -> Html:
    head = el("thead", el("tr", *(el("th", text, scope="col") for text in _HEADS)))
    body = el("tbody", *(_entry(number, record) for number, record in enumerate(records, 1)))
    count = el("output", f"{len(records)} sessions", id="count", aria_live="polite")
    whole = el("table", el("caption", count), head, body)
    wide = el("div", whole, class_="wide", tabindex="0", role="region", aria_label="Sessions")
    return el("nav", el("h2", "Sessions"), _filters(records), wide, aria_label="Sessions", class_="index")


def _entry(number: int, record: SessionRecord) -> Html:
    link = el("a", record.id, href=f"#s{number}")
    level = highest_level(record)
    attitude, first, stop = (value(record) for value in _FILTERS.values())
    used = techniques(record)
    technique = (
        join(first, el("span", f"+{len(used) - 1}", class_="mark", title=", then ".join(used))) if used[1:] else first
    )
    words = el("td", first_words(record.turns), class_="first", dir="auto", lang=record.header["language"])
    cells = (attitude, technique, str(exchanges(record)), stop, risk_mark(level))
    told = (el("td", cell, data_label=head) for head, cell in zip(_HEADS[1:], cells, strict=False))
    return el("tr", el("th", link, scope="row"), *told, words, **_data(number, record))


def _filters(records: Sequence[SessionRecord]) -> Html:
    """Filters; hidden until the script shows that it can work them."""
    chosen = [_choice(key, sorted({value(record) for record in records} - {""})) for key, value in _FILTERS.items()]
    risks = _choice("risk", [str(level) for level in range(1, max(Level) + 1)], "R{} or more")
    search = el("label", "text", el("input", type="search", id="f-text"))
    return el("div", search, *chosen, risks, class_="filters", role="search", hidden=True)


def _choice(key: str, values: Sequence[str], shown: str = "{}") -> Html:
    options = (el("option", shown.format(value), value=value) for value in values)
    return el("label", key, el("select", el("option", "any", value=""), *options, id=f"f-{key}"))


def _folded(number: int, record: SessionRecord) -> Html:
    who = join(el("span", record.id, class_="id"), " ", el("bdi", record.header["persona"]["name"]))
    summary = el(
        "summary", who, " ", el("span", stop_name(record.end), class_="mark"), risk_mark(highest_level(record))
    )
    return el("details", summary, article(record, f"s{number}", "h2"), class_="folded", **_data(number, record))


def _data(number: int, record: SessionRecord) -> dict[str, str | int]:
    """What the filters look at."""
    data: dict[str, str | int] = {f"data_{key}": value(record) for key, value in _FILTERS.items()}
    return {**data, "data_risk": highest_level(record), "data_session": number}
