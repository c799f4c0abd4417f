"""Reading what is remembered of the last session: the task, what was worked on, and whether there was danger."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.lines import technique_lines
from counselgraph.models.rehearsal.words import plain
from counselgraph.protocols.protocol import TechniqueSteps, load_protocol
from counselgraph.protocols.technique import AnyTechnique, ApproachName
from counselgraph.safety.levels import Level

_WORKED_ON = re.compile(r"^We worked on \"(?P<focus>.+)\" with the technique (?P<label>[^\"]+?)\.?$")
_DANGER = re.compile(r"\(R(\d)\)")


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a counselor keeps of the last session.

    Attributes:
        focus: What was worked on, in the client's words; empty if it was not noted.
        technique: With which technique; None if it was not noted.
        task: The technique whose task was given; None if none was.
        danger: The highest level of risk that came up.
        summary: The note of the session as a whole, if it is in words of its own.
    """

    focus: str
    technique: AnyTechnique | None
    task: AnyTechnique | None
    danger: Level
    summary: str


def last_session(memories: Iterable[MemoryRecord]) -> Recalled | None:
    """The last session as far as it is remembered; None if nothing is."""
    kept = list(memories)
    if not kept:
        return None
    latest = max(memory.session_number for memory in kept)
    texts: dict[Kind, list[str]] = {}
    for memory in sorted(kept, key=lambda memory: memory.exchange):
        if memory.session_number == latest:
            texts.setdefault(memory.kind, []).append(plain(memory.text))
    summary = texts.get(Kind.SUMMARY, [""])[-1]
    found = _WORKED_ON.match(summary)
    levels = [int(level) for text in texts.get(Kind.RISK, ()) for level in _DANGER.findall(text)]
    return Recalled(
        focus=found["focus"] if found else "",
        technique=_by_label(found["label"]) if found else None,
        task=next((way for text in reversed(texts.get(Kind.HOMEWORK, [])) if (way := task_technique(text))), None),
        danger=Level(max(levels, default=0)),
        summary="" if found else summary,
    )


def worked_with(memories: Iterable[MemoryRecord]) -> tuple[AnyTechnique, ...]:
    """The technique of every session of which it is remembered, by its summary or its task, oldest first."""
    found: dict[int, AnyTechnique] = {}
    for memory in sorted(memories, key=lambda memory: (memory.session_number, memory.exchange)):
        note = _WORKED_ON.match(plain(memory.text)) if memory.kind is Kind.SUMMARY else None
        task = task_technique(plain(memory.text)) if memory.kind is Kind.HOMEWORK else None
        technique = _by_label(note["label"]) if note else task
        if technique is not None:
            found[memory.session_number] = technique
    return tuple(found.values())


@lru_cache(maxsize=512)
def task_technique(text: str) -> AnyTechnique | None:
    """The technique whose task a note of homework is about."""
    for name, technique in _techniques():
        offered = technique_lines(name).get("homework", ())
        if text.startswith(technique.homework) or any(line in text for line in offered):
            return name
    return None


def _by_label(label: str) -> AnyTechnique | None:
    return next((name for name, technique in _techniques() if technique.label == label), None)


def _techniques() -> Iterator[tuple[AnyTechnique, TechniqueSteps]]:
    for approach in ApproachName:
        yield from load_protocol(approach).techniques.items()
