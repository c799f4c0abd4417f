"""Progress for people: a bar on a terminal, a plain line every so often elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
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


def told(progress: Progress) -> str:
    """Where a run stands, in one line without the sessions that have ended."""
    parts = [f"{progress.running} running", f"{progress.failed} failed", f"{progress.exchanges_per_s:.1f} exchanges/s"]
    if progress.usage.completion_tokens:
        parts.append(f"{progress.tokens_per_s:.0f} tokens/s")
    if progress.reused is not None:
        parts.append(f"{progress.reused:.0%} of the prompts cached")
    if progress.seconds_left is not None and progress.done < progress.total:
        parts.append(f"{_span(progress.seconds_left)} left")
    return ", ".join(parts)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    columns = (TextColumn("sessions"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("sessions", total=None, note="")

        def callback(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, note=told(progress))

        yield callback


def _lines(console: Console) -> Callable[[Progress], None]:
    last, done = time.monotonic(), False

    def callback(progress: Progress) -> None:
        nonlocal last, done
        now = time.monotonic()
        ended = progress.done == progress.total and not done
        if now - last >= EVERY_S or ended:
            last, done = now, ended
            console.print(f"{progress.done}/{progress.total} sessions, {told(progress)}", markup=False)

    return callback
