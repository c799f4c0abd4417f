"""Rewrite."""

from __future__ import annotations

from counselgraph.safety.levels import Risk, Verdict


def rewrite_note(verdict: Verdict | Risk, *, risk: Risk, locale: str, language: str) -> str:
    """What to mend."""
    return "Mend it."
