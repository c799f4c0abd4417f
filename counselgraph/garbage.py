"""When Python's garbage collector has work to do, and when it would only look."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_LOADING = 200_000  # new objects at which to look; what loads a program makes hardly any garbage
_PLAYING = (50_000, 20, 100)


@contextmanager
def kept_to_the_end() -> Iterator[None]:
    """For a process of ours, from before it loads anything to its end.

    Otherwise the collector takes a sixth of the start of a run, and half a second of its end.
    """
    gc.set_threshold(_LOADING)
    try:
        yield
    finally:
        gc.freeze()  # what is left goes with the process


@contextmanager
def rarely_collected() -> Iterator[None]:
    """While sessions are played: what is loaded by now stays, and what a session leaves behind mostly frees itself.

    At Python's own pace the collector takes a twelfth of the CPU of a run.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_PLAYING)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
