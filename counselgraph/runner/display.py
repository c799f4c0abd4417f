"""Progress for people: a bar on a terminal, a plain line every so often elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from counselgraph.errors import InputError
from counselgraph.runner.batch import Progress

EVERY_S = 5.0
DISPLAYS = ("auto", "rich", "plain", "none")


@contextmanager
def showing(display: str, console: Console) -> Iterator[Callable[[Progress], None] | None]:
    """A callback that shows progress until the block is left.

    Args:
        display: "rich", "plain", "none", or "auto" for the first two by whether the console is a terminal.
        console: Where to show it.

    Raises:
        InputError: No such display.
    """
    if display not in DISPLAYS:
        raise InputError(
            f"There is no display {display!r}.", field="--display", fix=f"use one of {', '.join(DISPLAYS)}"
        )
    if display == "none":
        yield None
    elif display == "rich" or (display == "auto" and console.is_terminal):
        with _bar(console) as callback:
            yield callback
    else:
        yield _lines(console)


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    columns = (TextColumn("sessions"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Bar(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("sessions", total=None, note="")

        def callback(progress: Progress) -> None:
            note = f"{progress.failed} failed" if progress.failed else ""
            bar.update(task, completed=progress.done, total=progress.total, note=note)

        yield callback


def _lines(console: Console) -> Callable[[Progress], None]:
    last = time.monotonic()

    def callback(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_S or progress.done == progress.total:
            last = now
            console.print(f"{progress.done}/{progress.total} sessions, {progress.failed} failed", markup=False)

    return callback
