"""A deadline for layers that are not ours: one that hangs has failed, and the others have not."""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from counselgraph.safety.layers import Layer
    from counselgraph.safety.levels import Side, Verdict

DEADLINE = 30.0
"""Seconds that a call may take, unless the layer has an attribute `deadline` of its own."""

_MOST_OUT = 4


class _Answer(NamedTuple):
    verdict: Verdict | None
    error: BaseException | None = None


class Timed:
    """A layer whose every call has a deadline.

    A call runs in a thread, which is left behind when it is late, since no thread can be stopped from outside. While
    four of them are out, the layer is not called again.

    Args:
        layer: The layer; its attribute `deadline`, if it has one, counts in seconds.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._seconds = float(getattr(layer, "deadline", DEADLINE))
        self._out = 0
        self._lock = Lock()

    def __call__(self, text: str, *, side: Side, language: str) -> Verdict | None:
        """The layer's verdict.

        Raises:
            TimeoutError: The call is late, or too many before it still are.
            Exception: Whatever the layer raises; a `SystemExit` as a `RuntimeError`, since a screen ends no program.
        """
        with self._lock:
            if self._out >= _MOST_OUT:
                raise TimeoutError(f"{self._out} calls before this one have not come back")
            self._out += 1
        answers: SimpleQueue[_Answer] = SimpleQueue()
        give = partial(copy_context().run, self._layer, text, side=side, language=language)
        Thread(target=self._attempt, args=(give, answers), daemon=True).start()
        try:
            verdict, error = answers.get(timeout=self._seconds)
        except Empty:
            raise TimeoutError(f"no verdict within {self._seconds:g} seconds") from None
        if error is not None:
            raise error
        return verdict

    def _attempt(self, give: partial[Verdict | None], answers: SimpleQueue[_Answer]) -> None:
        try:
            answer = _Answer(give())
        except SystemExit:
            answer = _Answer(None, RuntimeError("it called for the end of the program"))
        except BaseException as error:  # noqa: BLE001 - raised again where the call is waited for
            answer = _Answer(None, error)
        with self._lock:
            self._out -= 1
        answers.put(answer)
