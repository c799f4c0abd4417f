"""Layers of somebody else's, to be named by their import path."""

from __future__ import annotations

import threading

from counselgraph.safety.levels import Side, Verdict

LET_GO = threading.Event()
HELD_UP: list[str] = []


def held(text: str, *, side: Side, language: str) -> Verdict | None:
    """Waits to be let go, and notes the texts that nobody let go."""
    if not LET_GO.wait(2):
        HELD_UP.append(f"{side} in {language}: {text}")
    return None
