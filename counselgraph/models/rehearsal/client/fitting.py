"""Answers that must fit the matter: one concrete moment, and facts for and against the thought that is weighed."""

from __future__ import annotations

import re
from typing import Any

from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.wording import filled, focus_thought, slots_for
from counselgraph.models.rehearsal.reading import content_words

_KINDS = (
    ("ability", r"\b(?:can't|cannot|couldn't|unable|not able|never be able|prevents? me|skills?)\b"),
    (
        "others",
        r"\b(?:they|people|every(?:one|body)|no ?(?:one|body)|he|she|others?|my \w+)(?:'ll| will| must| all| can| would)?"
        r" (?:thinks?|sees?|judges?|laughs?|likes?|loves?|hates?|knows?|notices?|wants?|looks?|leaves?|takes?|doesn't|don't|turns?)\b",
    ),
    ("future", r"\b(?:will|won't|going to|never get|forever|ruined)\b|'ll\b"),
    ("self", r"\b(?:I'm|I am|me|my fault)\b"),
)
_PERSONAL = frozenset({"self", "others"})
"""Kinds of thought against which it counts that somebody stands by the client."""


def moment(scene: Scene, entry: dict[str, Any]) -> list[str]:
    """One moment made out of what sets the trouble off, for a client who has no situation left to tell; may be empty."""
    slots = slots_for(scene, "situation")
    slots["yesterday"] = scene.chance.choice(("yesterday", f"on {slots['day']}", "the day before yesterday"))
    slots["Yesterday"] = slots["yesterday"][:1].upper() + slots["yesterday"][1:]
    lines = filled(entry["moments"], slots) or filled(entry["days"], slots)
    return [line for line in lines if not scene.told(line)]


def kind_of(thought: str) -> str | None:
    """What a thought is about: "ability", "others", "future" or "self"; None if it cannot be told."""
    return next((kind for kind, cue in _KINDS if re.search(cue, thought, re.IGNORECASE)), None)


def facts(scene: Scene, ask: str, entry: dict[str, Any]) -> list[str]:
    """Pieces of the client's story that bear on the thought being weighed, the closest first."""
    thought = focus_thought(scene) or ""
    words, kind = content_words(thought), kind_of(thought)
    fine = scene.material.facets.get("fine", ())
    against, scored = ask == "evidence_against", []
    for line in scene.untold(*entry["weigh"]):
        score = len(words & content_words(line))
        if (line in fine) is not against and line not in scene.material.facets.get("helpers", ()):
            score = 0 if against or line in fine else score
        if against and kind in _PERSONAL and line in scene.material.facets.get("helpers", ()):
            score += 1
        if score and line not in scene.material.facets.get("reason", ()):
            scored.append((score, line))
    return [line for _score, line in sorted(scored, key=lambda item: -item[0])]


def by_thought(scene: Scene, entry: dict[str, Any]) -> list[str]:
    """Answers that suit the kind of thought being weighed and were not given yet."""
    kind = kind_of(focus_thought(scene) or "")
    lines = filled(entry["by_thought"].get(kind, ()), slots_for(scene, ""))
    return [line for line in lines if not scene.told(line)]
