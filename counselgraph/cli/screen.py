"""The command screen: the safety monitor as a tool of its own."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, cast

import typer

from counselgraph.cli.app import OK, SOME_FAILED, Format, SkipBad, app, err, notice
from counselgraph.errors import InputError

if TYPE_CHECKING:
    from counselgraph.dialogues import Dialogue
    from counselgraph.safety.dialogue import Screening
    from counselgraph.safety.layers import Layer
    from counselgraph.safety.levels import Side

Row = dict[str, Any]
_STANDARD_INPUT = "-"
_SHOWN = 10
"""Bad records that are named one by one."""


@app.command()
def screen(
    source: Annotated[str, typer.Argument(help="File, folder or run folder; - for standard input.", metavar="FILE|-")],
    side: Annotated[str, typer.Option("--side", help="Whose turns: client or counselor.")] = "client",
    to: Annotated[Path | None, typer.Option("--out", help="File of JSON Lines to write; else standard output.")] = None,
    language: Annotated[str, typer.Option("--language", help="Language code; auto looks at each input.")] = "auto",
    locale: Annotated[str, typer.Option("--locale", help="Country whose crisis contacts a reply may name.")] = "US",
    layers: Annotated[
        str, typer.Option("--layers", help="rules (always), learned, package.module:name; with commas between.")
    ] = "rules,learned",
    format_: Format = None,
    skip_bad: SkipBad = None,
) -> None:
    """Screen texts and dialogues for signs of risk: one JSON line each, with a level from 0 to 5 and the findings.

    A research tool, not care: it does not diagnose, and it protects nobody who is in danger.
    """
    from counselgraph.safety.layers import load_layers

    names = [name.strip() for name in layers.split(",") if name.strip()]
    load_layers(names)
    job = Job(_side(side), language, locale, tuple(names))
    _refuse_to_overwrite(source, to)
    if source != _STANDARD_INPUT and not skip_bad:
        check(source, format_)
    with _written(to) as stream:
        screen_into(stream, source, job, form=format_, skip_bad=bool(skip_bad))
    raise typer.Exit(_tell(job))


@dataclass(slots=True)
class Job:
    """How to screen, and the counts of what was screened.

    Attributes:
        levels: Level to inputs.
        untold: Inputs without a turn of the side asked for.
        failed: Layer, and why it failed, to inputs on which it did.
        bad: What is wrong with records that were left out.
    """

    side: Side
    language: str = "auto"
    locale: str = "US"
    layers: tuple[str | Layer, ...] = ("rules",)
    levels: Counter[int] = field(default_factory=Counter)
    untold: int = 0
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[InputError] = field(default_factory=list)

    def row(self, dialogue: Dialogue) -> Row:
        """Screen one input: the line that is written for it."""
        done = self._screened(dialogue)
        self.levels[done.level] += 1
        self.untold += not any(turn.side is self.side for turn in done.turns)
        if done.failed:
            self.failed.update(done.failed.items())
        return _row(done, len(dialogue.turns) > 1)

    def _screened(self, dialogue: Dialogue) -> Screening:
        from counselgraph.dialogues.language import language_of
        from counselgraph.safety.dialogue import screen_dialogue

        (name, turns), language = dialogue, self.language
        if language == "auto":
            language = language_of("\n".join(turn.text for turn in turns))
        return screen_dialogue(
            turns, side=self.side, language=language, locale=self.locale, layers=self.layers, id=name
        )


def screen_into(stream: IO[bytes], source: str, job: Job, *, form: str | None = None, skip_bad: bool = False) -> None:
    """Write one line of JSON for every input of a source.

    Raises:
        InputError: Nothing in the source can be screened, or a record cannot be used.
    """
    from counselgraph.dialogues import read_dialogues
    from counselgraph.runner.writers import Lines

    place = sys.stdin.buffer if source == _STANDARD_INPUT else source
    lines = Lines(stream)
    for dialogue in read_dialogues(place, form, on_bad=job.bad.append if skip_bad else None):
        lines.write(job.row(dialogue))
    if not job.levels:
        told = "standard input" if source == _STANDARD_INPUT else source
        problem = _listing(job.bad) or "there is nothing in it to screen."
        raise InputError(problem, file=None if job.bad else told, fix="give a file with texts or dialogues.")


def check(source: str, form: str | None) -> None:
    """Read everything once, so that nothing is screened before all of it is known to be good.

    Raises:
        InputError: Something is not; all of it is in one message.
    """
    from counselgraph.dialogues import read_dialogues

    bad: list[InputError] = []
    for _ in read_dialogues(source, form, on_bad=bad.append):
        pass
    if bad:
        raise bad[0] if len(bad) == 1 else InputError(f"{_listing(bad)}\nNothing was screened; see --skip-bad.")


def _row(done: Screening, many: bool) -> Row:
    row: Row = {"id": done.id, "level": done.level, "findings": [finding.model_dump() for finding in done.findings]}
    if many:
        row["turns"] = [turn.model_dump() for turn in done.turns]
    if done.failed:
        row["failed"] = list(done.failed)
    return row


def _side(name: str) -> Side:
    from counselgraph.safety.levels import Side

    if name not in list(Side):
        raise InputError(f"{name!r} is no side.", field="--side", fix=f"use {' or '.join(Side)}")
    return Side(name)


def _refuse_to_overwrite(source: str, to: Path | None) -> None:
    from counselgraph.dialogues.read import files_in

    if to is None or not to.exists():
        return
    if not to.is_file():
        raise InputError("is no file.", file=str(to), field="--out", fix="give a file, or leave --out away")
    place = Path(source).expanduser()
    files = [] if source == _STANDARD_INPUT else files_in(place) if place.is_dir() else [place]
    if any(file.exists() and file.samefile(to) for file in files):
        raise InputError(
            "would overwrite what is to be screened.", file=str(to), field="--out", fix="give another file"
        )


@contextmanager
def _written(to: Path | None) -> Iterator[IO[bytes]]:
    """Where lines go: standard output, or a file that has its name once it is whole."""
    from counselgraph.runner.writers import replacing

    if to is None:
        with _standard_output() as stream:
            yield stream
        return
    try:
        with replacing(to) as draft:
            yield cast("IO[bytes]", draft)
    except OSError as error:
        fix = "give a file in a folder that is there, and make room"
        raise InputError(f"cannot be written: {error.strerror}.", file=str(to), field="--out", fix=fix) from error


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    """Standard output; a reader that has seen enough is no error."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and must find somewhere to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(OK) from None


def _listing(bad: list[InputError]) -> str:
    """What is wrong, the first of it one by one."""
    if not bad:
        return ""
    more = [f"- and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
    head = "1 thing is wrong:" if len(bad) == 1 else f"{len(bad)} things are wrong:"
    return "\n".join([head, *(f"- {error}" for error in bad[:_SHOWN]), *more])


def _tell(job: Job) -> int:
    """Say what came out, in counts; the exit code tells whether a layer failed."""
    counts = ", ".join(f"{level}: {job.levels[level]}" for level in range(6))
    err.print(f"{job.levels.total()} inputs, {job.side}'s side. Levels {counts}.", markup=False)
    if job.untold:
        notice(f"{job.untold} inputs have no turn of the {job.side}'s; their level is 0.")
    if job.bad:
        notice(f"left out, {_listing(job.bad)}")
    for (layer, problem), count in sorted(job.failed.items()):
        notice(f"layer {layer} failed on {count} inputs: {problem or 'there are no rules for their language'}.")
    return SOME_FAILED if any(problem for _, problem in job.failed) else OK
