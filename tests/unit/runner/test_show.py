from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from counselgraph.errors import InputError
from counselgraph.runner.log import Event, SessionRecord, read_session
from counselgraph.runner.show import LiveShow, WatchFirst, show, show_run
from tests.unit.runner.logs import FIRST, OPENING, end, header, memory, plan, risk, session, turn, write_run


def console(width: int = 80, *, color: bool = False) -> Console:
    # soft_wrap as the command line has it: what is shown must wrap all the same.
    system: Literal["truecolor"] | None = "truecolor" if color else None
    return Console(file=io.StringIO(), width=width, force_terminal=color, color_system=system, soft_wrap=True)


def text_of(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


def record_of(folder: Path, events: Iterable[Event]) -> SessionRecord:
    return read_session(write_run(folder, {"one": events}) / "sessions" / "one.jsonl")


def shown(folder: Path, events: Iterable[Event], *, width: int = 80, prompts: bool = False) -> str:
    where = console(width)
    show(record_of(folder, events), where, prompts=prompts)
    return text_of(where)


def live(events: Iterable[Event], *, asides: bool | None = None) -> str:
    where = console()
    printer = LiveShow(where, asides=asides)
    for event in events:
        printer.take(event)
    return text_of(where)


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_none_ends_in_blanks(tmp_path: Path, width: int) -> None:
    lines = shown(tmp_path, session(first=f"{FIRST} " * 8), width=width).splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    assert not [line for line in lines if line != line.rstrip()]


def test_the_sides_can_be_told_apart_without_colour(tmp_path: Path) -> None:
    lines = shown(tmp_path, session()).splitlines()
    assert "  1  Client" in lines
    assert f"     {FIRST}" in lines
    assert "             Counselor" in lines
    assert f"             {OPENING}" in lines


def test_every_turn_is_told_in_order(tmp_path: Path) -> None:
    told = " ".join(shown(tmp_path, session()).split())
    places = [told.index(event["text"]) for event in session() if event["event"] == "turn"]
    assert places == sorted(places)


def test_the_header_says_who_with_what_and_that_it_is_no_care(tmp_path: Path) -> None:
    told = " ".join(shown(tmp_path, session()).split())
    for words in ("Ada Lindt, neutral, en", "default rehearsal", "seed 11, replicate 1", "Not care"):
        assert words in told


def test_the_end_says_why_and_at_what_cost(tmp_path: Path) -> None:
    told = shown(tmp_path, session())
    assert "End: completed, by counselor." in told
    assert "5 calls, 1,200 prompt tokens (900 cached), 140 completion tokens" in told


def test_a_session_without_an_end_says_so(tmp_path: Path) -> None:
    assert "unfinished" in shown(tmp_path, session()[:-1])


def test_markup_in_text_and_names_is_text(tmp_path: Path) -> None:
    told = shown(tmp_path, session("[red]Ada[/red]", first="[bold]no[/bold] [/] [link=file:///x]y[/link] :smile:"))
    assert "[red]Ada[/red]" in told
    assert "[bold]no[/bold] [/] [link=file:///x]y[/link] :smile:" in told


def test_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    told = shown(tmp_path, session("Ada\x1b]0;x\x07", first="\x1b[2Jgone \x9b31m back\r"))
    assert not set("\x1b\x07\x9b\r") & set(told)


def test_colour_is_used_where_there_is_some(tmp_path: Path) -> None:
    where = console(color=True)
    show(record_of(tmp_path, session()), where)
    assert "\x1b[1;36mClient" in text_of(where)
    assert f"\n     {FIRST}\n" in text_of(where)


def test_risk_is_told_when_it_is_there_or_has_changed() -> None:
    quiet = [header(), turn("client", "a", 1), risk(1, 0), turn("client", "b", 2), risk(2, 0)]
    assert "Risk" not in live(quiet)
    back = [*quiet, turn("client", "c", 3), risk(3, 2, quote="c"), turn("client", "d", 4), risk(4, 0), risk(5, 0)]
    told = [line.strip() for line in live(back).splitlines() if "Risk" in line]
    assert told == ["~ Risk of the client: R2 passive", "~ Risk of the client: R0 none"]


def test_a_clean_draft_of_the_counselor_is_no_news() -> None:
    assert "draft" not in live([header(), risk(1, 0, side="counselor")])
    assert "Counselor's draft: R3" in live([header(), risk(1, 3, side="counselor")])


@pytest.mark.parametrize(
    ("kind", "words"), [("crisis", "crisis protocol"), ("safe_reply", "replaced by the safety screen")]
)
def test_turns_that_no_model_wrote_are_marked(kind: str, words: str) -> None:
    assert f"Counselor ({words})" in live([header(), turn("counselor", "Call someone.", 1, kind)])


def test_a_later_plan_tells_what_changed() -> None:
    told = live([header(), plan(1), plan(4, 2, technique="continuum", reason="All or nothing.")])
    first, second = told.split("~ Plan 2: Continuum Technique")
    assert "focus: One mistake" in first
    assert "focus" not in second
    assert "why: All or nothing." in second


def test_a_memory_does_not_repeat_the_turn_it_keeps() -> None:
    told = live([header(), turn("counselor", "Write it down.", 1), memory(1, "Write it down.", kind="homework")])
    assert told.count("Write it down.") == 1
    assert "homework: (as said above)" in told


def test_a_person_in_the_clients_seat_is_shown_no_plan() -> None:
    events = [header(models={"default": "rehearsal", "client": "human"}), turn("client", "a", 1), plan(1), risk(1, 2)]
    assert "Plan" not in live(events)
    assert "Risk" not in live(events)
    assert "Plan 1" in live(events, asides=True)


def test_exchanges_are_counted_for_events_that_carry_none() -> None:
    bare = [{k: v for k, v in event.items() if k != "exchange"} for event in session() if event["event"] == "turn"]
    assert "  2  Client" in live(bare)


def test_a_watched_run_shows_one_session() -> None:
    where = console()
    watch = WatchFirst(where)
    for event in session():
        watch.take({**event, "session": "a"})
        watch.take({**event, "session": "b"})
    assert text_of(where).count(OPENING) == 1


def test_prompts_show_an_instruction_once_and_every_card(tmp_path: Path) -> None:
    again = {**session()[8], "exchange": 2, "card": "Second card"}
    told = shown(tmp_path, [*session()[:-1], again, end()], prompts=True)
    assert told.count("You are the counselor.") == 1
    assert "(instruction as above)" in told
    assert "Turn card of counselor 1" in told
    assert "Second card" in told


@pytest.mark.parametrize("width", [80, 120])
def test_a_run_is_a_table_of_its_sessions(tmp_path: Path, width: int) -> None:
    run = write_run(tmp_path, {"a": session(), "b": session(first="[red]x[/red]")[:6]})
    (run / "sessions" / "c.jsonl").touch()
    where = console(width)
    show_run(run, where)
    lines = text_of(where).splitlines()
    assert max(map(len, lines[:-1])) <= width
    first, second, third = (line.split() for line in lines[1:4])
    assert first[:2] == ["a", "neutral"]
    assert {"2", "completed", "R1"} <= set(first)
    assert {"unfinished", "[red]x[/red]"} <= set(second)
    assert third == ["c", "unfinished"]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        show_run(tmp_path, console())
