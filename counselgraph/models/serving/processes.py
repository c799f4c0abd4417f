"""Processes of this machine as Linux shows them: who belongs to a group, and whether it is still the same one."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_STATE, _GROUP, _STARTED = 0, 2, 19  # fields of /proc/PID/stat behind the name
_POLL_S = 0.05
_KILLED_S = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs; zombies do not count.

    Attributes:
        pid: Its number.
        group: Number of its process group.
        started: When it was started: the boot, and clock ticks since. With `pid` it names one process for ever.
        command: Its command line, or the title it has given itself.
    """

    pid: int
    group: int
    started: str
    command: str


def process(pid: int) -> Process | None:
    """The process of a number; None if none runs under it."""
    place = _PROC / str(pid)
    try:
        fields = (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    if fields[_STATE] in {"Z", "X"}:
        return None
    return Process(pid, int(fields[_GROUP]), f"{_boot()}:{fields[_STARTED]}", command)


def group(number: int) -> list[Process]:
    """Every process of a group."""
    found = (process(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [each for each in found if each is not None and each.group == number]


def send(groups: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to whole groups; one that is gone is fine."""
    for each in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each, number)


def end_groups(groups: Iterable[int], grace_s: float, *, hurried: Callable[[], bool] = bool) -> list[int]:
    """End whole groups: SIGTERM, and SIGKILL to those that are left.

    Args:
        groups: Process groups.
        grace_s: Seconds between the two.
        hurried: Cuts the grace short as soon as it says so.

    Returns:
        The groups that had to be killed.
    """
    wanted = list(groups)
    send(wanted, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while (left := [each for each in wanted if group(each)]) and time.monotonic() < deadline and not hurried():
        time.sleep(_POLL_S)
    send(left, signal.SIGKILL)
    deadline = time.monotonic() + _KILLED_S
    while any(group(each) for each in left) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
