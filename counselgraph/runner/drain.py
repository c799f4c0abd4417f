"""Draining: a signal lets the calls in flight finish, saves them, and starts nothing new."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from langgraph.runtime import RunControl

_REASON = "asked to stop"


class Controls:
    """Lets a signal drain every session in flight, here or with workers.

    Attributes:
        draining: True once a drain was asked for.
    """

    def __init__(self) -> None:
        self.draining = False
        self._open: set[RunControl] = set()
        self._listeners: list[Callable[[], None]] = []

    @contextlib.contextmanager
    def one(self) -> Iterator[RunControl]:
        """Control of one session, for as long as it is in flight."""
        control = RunControl()
        if self.draining:
            control.request_drain(_REASON)
        self._open.add(control)
        try:
            yield control
        finally:
            self._open.discard(control)

    def drain(self) -> None:
        """Ask every session in flight to stop after its current step."""
        self.draining = True
        for control in self._open:
            control.request_drain(_REASON)
        for callback in self._listeners:
            callback()

    @contextlib.contextmanager
    def told(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call a function when a drain is asked for, at once if it has been already."""
        self._listeners.append(callback)
        if self.draining:
            callback()
        try:
            yield
        finally:
            self._listeners.remove(callback)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Drain on SIGINT and SIGTERM where the platform and the thread allow it; a SIGINT after that stops at once."""
        loop, taken = asyncio.get_running_loop(), []

        def drain() -> None:
            self.drain()
            loop.remove_signal_handler(signal.SIGINT)

        for number in (signal.SIGINT, signal.SIGTERM):
            # asyncio has no signal handlers on Windows or outside the main thread; there is no drain then.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, drain)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)
