"""What happens below a model call, retries and limits, told to whoever asked.

A model returns one `Answer` and has nowhere to put "the server failed twice first". It emits an event instead, and the
asking side takes the events of its call. With nobody listening an event is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Sink = Callable[[dict[str, Any]], None]

_sink: ContextVar[Sink | None] = ContextVar("counselgraph_model_events", default=None)


def emit(event: str, **fields: Any) -> None:
    """Tell whoever listens in this context.

    Args:
        event: Kind of event, one of the kinds of the run's log: "retry" or "limit".
        fields: Plain JSON values.
    """
    sink = _sink.get()
    if sink is not None:
        sink({"event": event, **fields})


def listener() -> Sink | None:
    """Who takes the events of this context, if anybody does."""
    return _sink.get()


@contextmanager
def collecting(sink: Sink) -> Iterator[None]:
    """Hand the events of the calls awaited inside the block to `sink`, each as a dict with the key `event`.

    Of two nested blocks the inner one takes the events of its calls.
    """
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)
