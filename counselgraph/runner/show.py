"""Reading a session in the terminal: the conversation, with what happened beside it as side notes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from counselgraph.errors import InputError
from counselgraph.runner.course_record import CourseRecord, read_courses
from counselgraph.runner.log import SessionRecord, last_event, read_session
from counselgraph.runner.story import (
    STANDS_IN,
    Aside,
    Story,
    Turn,
    clean,
    cost,
    first_words,
    models_line,
    speaker,
    stop_name,
    system_prompt,
    techniques,
)
from counselgraph.safety.levels import Level
from counselgraph.transcript import CLIENT, COUNSELOR

_WIDTH = 100  # columns; longer lines are hard to read
_MARGIN, _SHIFT = 5, 8  # columns before the client's words, and by how much the counselor's stand further right


class LiveShow:
    """Prints the events of one session as they happen.

    Args:
        console: Where to.
        asides: Whether to print what happens beside the conversation too. Left out, it is kept from a person who plays
            the client: plan and risk are not for the client's eyes.
    """

    def __init__(self, console: Console, *, asides: bool | None = None) -> None:
        self._console, self._asides = console, asides
        self._story, self._exchange = Story(), 0

    def take(self, event: Mapping[str, Any]) -> None:
        """Print one event, or nothing if it is none that a reader wants."""
        match event["event"]:
            case "header":
                if self._asides is None:
                    self._asides = event["models"].get(CLIENT) != "human"
                _print(self._console, _header(event))
            case "end":
                _print(self._console, _end(self._console, event))
            case _:
                for item in self._story.take(event):
                    self._tell(item)

    def _tell(self, item: Turn | Aside) -> None:
        if isinstance(item, Turn):
            _print(self._console, _turn(self._console, item, number=item.exchange != self._exchange))
            self._exchange = item.exchange
        elif self._asides:
            _print(self._console, _aside(self._console, item))


class WatchFirst:
    """Prints the session of a run whose events come first, and leaves out the others.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._live, self._session = LiveShow(console), ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Print one event if it is of the session watched."""
        self._session = self._session or event["session"]
        if event["session"] == self._session:
            self._live.take(event)


def show(record: SessionRecord, console: Console, *, prompts: bool = False) -> None:
    """Print a session: who, then the conversation with its side notes, then how it ended and what it cost.

    Args:
        record: The session.
        console: Where to; text of personas and people is never read as markup.
        prompts: Print each model call too: the role's instruction when it is new, and the turn card.

    Raises:
        InputError: `prompts` is set and a prompt is missing from the run folder.
    """
    live, told = LiveShow(console, asides=True), set[str]()
    for event in record.events:
        if prompts and event["event"] == "model_call":
            _print(console, _call(event, system_prompt(record, event), new=event["system"] not in told))
            told.add(event["system"])
        live.take(event)
    if record.end is None:
        _print(console, Text("\nThis session is unfinished; resume the run to play it on.", "yellow"))


def show_run(folder: str | Path, console: Console) -> None:
    """Print a table of a run's sessions.

    Raises:
        InputError: The folder is no run folder, or a log in it cannot be read.
    """
    roomy = console.width >= _WIDTH
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", expand=True)
    table.add_column("session", overflow="fold", max_width=32 if roomy else 18)
    table.add_column("attitude")
    table.add_column("technique", no_wrap=True, overflow="ellipsis", max_width=26 if roomy else 14)
    table.add_column("exch.", justify="right")
    table.add_column("stop", max_width=20 if roomy else 10)
    table.add_column("risk")
    table.add_column(
        "first words of the client" if roomy else "first words", no_wrap=True, overflow="ellipsis", ratio=1
    )
    for file in session_files(folder):
        table.add_row(*_row(file))
    console.print(table, soft_wrap=False)
    console.print(Text(clean(f"\n{table.row_count} sessions in {folder}"), "dim"))
    for course in read_courses(folder):
        _print(console, _course(course))


def _course(course: CourseRecord) -> Text:
    """The progress record of a course: a line a session, what moved in it, and the time after it."""
    told = Text(clean(f"\nCourse {course.id}: {course.end}\n"), "bold")
    for row in course.rows:
        name, day, approach, technique, stop, progress, after, moved = row.cells()
        head = f"  {name}  day {day}, {approach}, {technique}, {stop}{f', progress {progress}' if progress else ''}\n"
        told.append(clean(head), "not bold")
        told.append(
            clean("".join(f"      {line}\n" for line in (moved, f"then: {after}" * bool(after)) if line)),
            "dim not bold",
        )
    return told


def session_files(folder: str | Path) -> list[Path]:
    """The logs of a run's sessions, by id.

    Raises:
        InputError: The folder is no run folder.
    """
    sessions = Path(folder) / "sessions"
    if not sessions.is_dir():
        raise InputError("is no run folder.", file=str(folder), fix="give the folder named by `--out`")
    return sorted(sessions.glob("*.jsonl"))


def _print(console: Console, block: RenderableType) -> None:
    console.print(block, width=_width(console), soft_wrap=False)


def _width(console: Console) -> int:
    return min(console.width, _WIDTH)


def _header(header: Mapping[str, Any]) -> Panel:
    persona = header["persona"]
    who = f"{persona['name']}, {persona['attitude']}, {header['language']}"
    seed = f"seed {header['seed']}, replicate {header['replicate']}, at most {header['max_exchanges']} exchanges"
    lines = Text("\n").join(
        [
            Text(clean(who), "bold"),
            Text(clean(f"models: {models_line(header['models'])}")),
            Text(clean(seed)),
            Text(clean(header["notice"]), "yellow"),
        ]
    )
    title = Text(clean(str(header.get("session", persona["id"]))), "bold")
    return Panel(lines, title=title, title_align="left", border_style="dim", padding=(0, 1))


def _turn(console: Console, turn: Turn, *, number: bool) -> Text:
    counselor = turn.role == COUNSELOR
    label = Text(f"\n{turn.exchange:>3}  " if number else f"\n{'':{_MARGIN}}").append(" " * _SHIFT * counselor)
    label.append(clean(speaker(turn.role)), "bold green" if counselor else "bold cyan")
    if turn.kind in STANDS_IN:
        label.append(f" ({STANDS_IN[turn.kind]})", "bold red")
    if turn.inherited:
        label.append(" (inherited)", "dim")
    left, right = (_MARGIN + _SHIFT, 0) if counselor else (_MARGIN, _SHIFT)
    return Text("\n").join([label, _block(console, Text(clean(turn.text)), left, right=right)])


def _aside(console: Console, aside: Aside) -> Text:
    title = Text(clean(aside.title), _style(aside))
    facts = [Text(clean(f"{label}: {text}" if label else text), "dim") for label, text in aside.facts]
    blocks = [_block(console, title, _MARGIN, mark="~ "), *(_block(console, fact, _MARGIN + 2) for fact in facts)]
    return Text("\n").join([Text(), *blocks])


def _block(console: Console, text: Text, left: int, *, right: int = 0, mark: str = "") -> Text:
    """A text wrapped between two margins; unlike rich's padding it leaves no blanks at the right to be copied."""
    lines = text.wrap(console, max(1, _width(console) - left - right), tab_size=4)
    margin = Text(" " * left)
    for line in lines:
        line.rstrip()
    first, *rest = lines
    first = Text.assemble((mark.rjust(left), "dim" if mark else ""), first)
    return Text("\n").join([first, *(margin + line for line in rest)])


def _style(aside: Aside) -> str:
    if aside.kind == "trouble" or aside.level >= Level.ACTIVE:
        return "bold red"
    return "yellow" if aside.level else "dim bold"


def _end(console: Console, end: Mapping[str, Any]) -> Text:
    told = Text.assemble((f"End: {stop_name(end)}", "bold"), clean(f", by {end['by']}. {end['reason']}"))
    counts = f"exchanges {end['exchanges']}, plans {end['plans']}, highest risk R{end['highest_risk']}"
    spent = Text(f"{counts}\n{cost(end['usage'], end['seconds'])}", "dim")
    return Text("\n").join([Text(), _block(console, told, 0), spent])


def _call(call: Mapping[str, Any], system: str, *, new: bool) -> Panel:
    parts = [system if new else "(instruction as above)", f"(the {call['turns']} turns so far)", call["card"]]
    title = Text(clean(f"{call['role']} asks {call['model']}, exchange {call['exchange']}, call {call['call']}"))
    return Panel(Text(clean("\n\n".join(filter(None, parts)))), title=title, title_align="left", border_style="dim")


def _row(file: Path) -> list[Text]:
    if last_event(file) is None:  # a log that was only just opened, or whose last line is torn
        return [Text(clean(file.stem)), *map(Text, ("", "", "", "unfinished", "", ""))]
    record = read_session(file)
    end = record.end
    exchanges = max((turn["exchange"] for turn in record.turns), default=0)
    risk = max((event["level"] for event in record.of("risk") if event["side"] == "client"), default=0)
    used = techniques(record)
    technique = f"{used[0]}{f' +{len(used) - 1}' * (len(used) > 1)}" if used else ""
    cells = (record.id, record.header["persona"]["attitude"], technique, str(exchanges), stop_name(end))
    words = Text(clean(first_words(record.turns)))
    return [*(Text(clean(cell)) for cell in cells), Text(f"R{risk}", "bold red" if risk >= Level.ACTIVE else ""), words]
