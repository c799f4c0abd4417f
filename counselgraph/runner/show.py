"""Reading a session in the terminal: the conversation, with what happened beside it as side notes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from counselgraph.errors import InputError
from counselgraph.runner.log import SessionRecord, last_event, read_session
from counselgraph.runner.story import (
    STANDS_IN,
    Aside,
    Story,
    Turn,
    cost,
    first_words,
    models_line,
    speaker,
    stop_name,
    technique_label,
)
from counselgraph.safety.levels import Level
from counselgraph.transcript import COUNSELOR

_WIDTH = 100  # columns; longer lines are hard to read
_MARGIN, _SHIFT = 5, 8  # columns before the client's words, and by how much the counselor's stand further right
_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class LiveShow:
    """Prints the events of one session as they happen.

    Args:
        console: Where to.
        asides: Whether to print what happens beside the conversation too. A person who plays the client should not
            see the plan.
    """

    def __init__(self, console: Console, *, asides: bool = True) -> None:
        self._console, self._asides = console, asides
        self._story, self._exchange = Story(), 0

    def take(self, event: Mapping[str, Any]) -> None:
        """Print one event, or nothing if it is none that a reader wants."""
        match event["event"]:
            case "header":
                self._print(_header(event))
            case "end":
                self._print(_end(event))
            case _:
                for item in self._story.take(event):
                    self._tell(item)

    def _tell(self, item: Turn | Aside) -> None:
        if isinstance(item, Turn):
            self._print(_turn(item, number=item.exchange != self._exchange))
            self._exchange = item.exchange
        elif self._asides:
            self._print(_aside(item))

    def _print(self, block: RenderableType) -> None:
        # Trailing blanks would spoil what somebody copies out of the terminal, so nothing is padded to the right edge.
        self._console.print(block, width=min(self._console.width, _WIDTH))


def show(record: SessionRecord, console: Console, *, prompts: bool = False) -> None:
    """Print a session: who, then the conversation with its side notes, then how it ended and what it cost.

    Args:
        record: The session.
        console: Where to; text of personas and people is never read as markup.
        prompts: Print each model call too: the role's instruction when it is new, and the turn card.

    Raises:
        InputError: `prompts` is set and a prompt is missing from the run folder.
    """
    live, told = LiveShow(console), set[str]()
    for event in record.events:
        if prompts and event["event"] == "model_call":
            console.print(_call(event, system_prompt(record, event), new=event["system"] not in told))
            told.add(event["system"])
        live.take(event)
    if record.end is None:
        console.print(Text("\nThis session is unfinished; resume the run to play it on.", "yellow"))


def show_run(folder: str | Path, console: Console) -> None:
    """Print a table of a run's sessions.

    Raises:
        InputError: The folder is no run folder, or a log in it cannot be read.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for title, ratio in (("session", 5), ("attitude", 3), ("technique", 5), ("exch.", 0), ("stop", 4), ("risk", 0)):
        number = title in {"exch.", "risk"}
        table.add_column(title, ratio=ratio or None, overflow="fold", justify="right" if number else "left")
    table.add_column("first words of the client", ratio=9, no_wrap=True, overflow="ellipsis")
    for file in session_files(folder):
        table.add_row(*_row(file))
    console.print(table)
    console.print(Text(f"\n{table.row_count} sessions in {folder}", "dim"))


def session_files(folder: str | Path) -> list[Path]:
    """The logs of a run's sessions, by id.

    Raises:
        InputError: The folder is no run folder.
    """
    sessions = Path(folder) / "sessions"
    if not sessions.is_dir():
        raise InputError("is no run folder.", file=str(folder), fix="give the folder named by `--out`")
    return sorted(sessions.glob("*.jsonl"))


def system_prompt(record: SessionRecord, call: Mapping[str, Any]) -> str:
    """The instruction and case card that a model was given.

    Raises:
        InputError: The run folder does not hold it.
    """
    file = record.file.parent.parent / "texts" / f"{call['system']}.txt"
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = "copy the folder `texts` of the run beside its folder `sessions`"
        raise InputError(f"cannot be read: {error}.", file=str(file), fix=fix) from error


def clean(text: str) -> str:
    """Text that cannot steer a terminal: control characters other than line ends and tabs become visible."""
    return text.translate(_CONTROLS)


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


def _turn(turn: Turn, *, number: bool) -> RenderableType:
    counselor = turn.role == COUNSELOR
    label = Text(f"{turn.exchange:>3}  " if number else " " * _MARGIN, "dim")
    label.append(" " * _SHIFT * counselor)
    label.append(clean(speaker(turn.role)), "bold green" if counselor else "bold cyan")
    if turn.kind in STANDS_IN:
        label.append(f" ({STANDS_IN[turn.kind]})", "bold red")
    left, right = (_MARGIN + _SHIFT, 0) if counselor else (_MARGIN, _SHIFT)
    return Group(Text(), label, Padding(Text(clean(turn.text)), (0, right, 0, left), expand=False))


def _aside(aside: Aside) -> RenderableType:
    lines = Text(clean(aside.title), _style(aside))
    for label, text in aside.facts:
        lines.append("\n  ")
        lines.append(clean(f"{label}: {text}" if label else text), "dim")
    marked = Table.grid(padding=(0, 1))
    marked.add_row(Text("~", "dim"), lines)
    return Padding(marked, (1, 0, 0, _MARGIN - 2), expand=False)


def _style(aside: Aside) -> str:
    if aside.kind == "trouble" or aside.level >= Level.ACTIVE:
        return "bold red"
    return "yellow" if aside.level else "dim bold"


def _end(end: Mapping[str, Any]) -> RenderableType:
    head = Text(f"\nEnd: {stop_name(end)}", "bold")
    head.append(clean(f", by {end['by']}. {end['reason']}"), "not bold")
    counts = f"{end['exchanges']} exchanges, {end['plans']} plans, highest risk R{end['highest_risk']}"
    return Group(head, Text(f"{counts}\n{cost(end['usage'], end['seconds'])}", "dim"))


def _call(call: Mapping[str, Any], system: str, *, new: bool) -> Panel:
    parts = [system if new else "(instruction as above)", f"(the {call['turns']} turns so far)", call["card"]]
    title = Text(clean(f"{call['role']} asks {call['model']}, exchange {call['exchange']}, call {call['call']}"))
    return Panel(Text(clean("\n\n".join(filter(None, parts)))), title=title, title_align="left", border_style="dim")


def _row(file: Path) -> list[Text]:
    if last_event(file) is None:  # a log that was only just opened, or whose last line is torn
        return [Text(clean(file.stem)), *map(Text, ("", "", "", "unfinished", "", ""))]
    record = read_session(file)
    end, plans = record.end, record.of("plan")
    exchanges = max((turn["exchange"] for turn in record.turns), default=0)
    risk = max((event["level"] for event in record.of("risk") if event["side"] == "client"), default=0)
    technique = technique_label(plans[0]["technique"]) if plans else ""
    cells = (record.id, record.header["persona"]["attitude"], technique, str(exchanges), stop_name(end))
    words = Text(clean(first_words(record.turns)))
    return [*(Text(clean(cell)) for cell in cells), Text(f"R{risk}", "bold red" if risk >= Level.ACTIVE else ""), words]
