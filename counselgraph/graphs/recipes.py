"""Recipes: named, ready compositions of a graph and roles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """What `--recipe NAME` stands for.

    Attributes:
        about: One sentence.
        course: Whether each persona gets a course of sessions instead of one.
        roles: Roles it adds to every session, or puts in the place of a default.
    """

    about: str
    course: bool = False
    roles: tuple[str, ...] = ()


RECIPES = {
    "session": Recipe("One session with each persona."),
    "course": Recipe(
        "Several sessions with each persona, a review and notes after each, life between them.",
        course=True,
        roles=("keeper",),
    ),
    "theramind": Recipe(
        "A course whose counselor perceives emotion and resistance before each turn and chooses a strategy; the review "
        "may change the therapy. After TheraMind.",
        course=True,
        roles=("theramind", "keeper"),
    ),
    "muspsy": Recipe(
        "A course with a progress record, written after every session by the review, and notes kept by a model. After "
        "MusPsy.",
        course=True,
        roles=("keeper",),
    ),
}
"""Every recipe by name."""
