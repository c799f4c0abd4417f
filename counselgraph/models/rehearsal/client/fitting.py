"""Answers that must fit the matter: one concrete moment, and facts for and against the thought that is weighed."""

from __future__ import annotations

import re
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.wording import focus_thought, slots_for
from counselgraph.models.rehearsal.reading import content_words
from counselgraph.models.rehearsal.slotted import filled

_ALWAYS = re.compile(
    r"^(?:I get it|It has|It's got)\b|\b(?:whenever|every time|often|daily|usually|always|every day|tend to)\b",
    re.IGNORECASE,
)
_PERSONAL = frozenset({"self", "others"})
"""Kinds of thought against which it counts that somebody stands by the client."""


def happened(line: str) -> bool:
    """Whether a piece tells of something that happened and not of what always does."""
    return _ALWAYS.search(line) is None


def moment(scene: Scene, entry: dict[str, Any]) -> list[str]:
    """One moment made out of what sets the trouble off, for a client with no situation left to tell; may be empty."""
    slots = slots_for(scene, "situation")
    slots["yesterday"] = scene.chance.choice(("yesterday", f"on {slots['day']}", "the day before yesterday"))
    lines = filled(entry["moments"], slots) or filled(entry["days"], slots)
    return [line for line in lines if not scene.told(line)]


def kind_of(thought: str) -> str | None:
    """What a thought is about: "ability", "others", "future" or "self"; None if it cannot be told."""
    kinds: dict[str, str] = bank("client_lexicon")["thought_kinds"]
    return next((kind for kind, cue in kinds.items() if re.search(cue, thought, re.IGNORECASE)), None)


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
