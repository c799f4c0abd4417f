"""What a client brings back to a later session: how it has been, what happened, and what it told before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.wording import slots_for
from counselgraph.models.rehearsal.evidence import said_by_any
from counselgraph.models.rehearsal.hearing import outcome
from counselgraph.models.rehearsal.reading import content_words
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import lower, plain, telling
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.transcript import COUNSELOR

_TERSE = 1
_LATE = 3
"""Sessions behind a client before it says that the trouble has lost its grip."""
_SAYS_SO = 0.4
_HELPED = 0.6
_REFERS = 0.35
_MOST_KNOWN = 4
"""Pieces of its story that a client tells again in a later session."""
_QUOTED = re.compile(r"\"(.+)\"", re.DOTALL)
_TOLD = 14
"""Most words of something told before that are named again."""


def first_words(scene: Scene, since: Interlude) -> str:
    """The client's first turn in a later session: how it is, what happened and, if asked, what became of the task."""
    asked = "homework_review" in scene.reading.asks and since.homework is not Homework.NONE
    task = [task_report(since)] if asked else []
    if scene.persona.style.verbosity == _TERSE and task:
        return " ".join([_how_it_is(scene, since), *task])
    though = (since.mood < 0 or since.relapse) and not scene.hard_days
    leads = bank("client/since")["lead_though" if though else "lead"]
    lead = [_pick(scene, leads)] if though or scene.sometimes(0.5) else []
    stayed = since.homework_note in bank("life")["stayed"]
    led = task if stayed or not task else [_pick(scene, bank("client/since")["task"]), *task]
    more = scene.untold("since")[1:2] if scene.persona.style.verbosity > _TERSE + 1 or scene.sometimes(0.3) else []
    told = [_how_it_is(scene, since), *lead, since.event, *more, *led, *_what_helped(scene, since)]
    return " ".join(told)


def _how_it_is(scene: Scene, since: Interlude) -> str:
    told = bank("client/since")
    if _has_lost_its_grip(scene, since):
        return _pick(scene, told["grip"])
    kinds: Mapping[str, Sequence[str]] = told["relapse"] if since.relapse else told["mood"][str(since.mood)]
    return _pick(scene, kinds["cool" if scene.tone == "cool" and "cool" in kinds else scene.register])


def _has_lost_its_grip(scene: Scene, since: Interlude) -> bool:
    late, better = scene.returning >= _LATE, since.mood > 0 and not since.relapse
    grown = scene.gain >= _LATE and not scene.negative
    return late and better and grown and scene.sometimes(_SAYS_SO)


def _what_helped(scene: Scene, since: Interlude) -> list[str]:
    helped = since.mood > 0 and since.homework is Homework.DONE and scene.tone != "cool"
    return [_pick(scene, bank("client/since")["helped"])] if helped and scene.sometimes(_HELPED) else []


def task_report(since: Interlude) -> str:
    """What became of the task, as the interlude says; in the client's own words where it has some."""
    kinds, kind = bank("client/since")["outcome"], str(since.homework)
    note = since.homework_note
    if not note:
        return str(kinds[kind])
    return note if outcome(note) == kind else f"{kinds[kind]} {note}"


def known_piece(scene: Scene, line: str) -> str:
    """A piece of the client's story with words that say that it may have been told before."""
    return f"{_pick(scene, bank('client/since')['known'])} {line}"


def may_tell_again(scene: Scene) -> bool:
    """Whether the client has not yet told too much of its old story today."""
    known = bank("client/since")["known"]
    return sum(any(frame in turn for frame in known) for turn in scene.own) < _MOST_KNOWN


def refers_back(scene: Scene) -> str:
    """A sentence that names something told in an earlier session, where what was asked comes near it; else empty."""
    if not scene.since or not scene.own or not scene.material.english or not scene.sometimes(_REFERS):
        return ""
    frames = bank("client/since")["as_told"]
    if any(_marks(frame) in normal(turn) for frame in frames for turn in scene.own):
        return ""
    asked = content_words(scene.turns[-1].counselor)
    for memory in scene.memories:
        told = "" if memory.role == COUNSELOR else _told_in(memory.text)
        if told and scene.tells_now(told) and not scene.told(told) and asked & content_words(told):
            slots = {"told": told, "when": _when(scene, memory)}
            return scene.speech.pick(filled(frames, slots))
    return ""


@lru_cache(maxsize=1024)
def _told_in(text: str) -> str:
    """The client's own clause in a memory, as it goes on in a sentence; empty if none can be named."""
    quoted = _QUOTED.search(plain(text))
    clause = telling(quoted[1], skip=_says_little, longest=_TOLD, first=True) if quoted else None
    return (lower(clause) or (clause if clause.startswith("I") else "")) if clause else ""


def _says_little(clause: str) -> bool:
    return beside_the_point(clause) or small_talk(clause) or said_by_any(clause)


def _when(scene: Scene, memory: MemoryRecord) -> str:
    words = bank("client/since")["when"]
    if memory.session_number == scene.returning:
        return str(words["last"])
    return str(words["first" if memory.session_number == 1 else "other"])


@lru_cache(maxsize=64)
def _marks(frame: str) -> str:
    return max((normal(part) for part in re.split(r"\{\w+\}", frame)), key=len)


def _pick(scene: Scene, lines: Sequence[str]) -> str:
    """A line of this session's share that was not said before."""
    usable = filled(scene.share(lines), slots_for(scene, "")) or filled(lines, slots_for(scene, ""))
    return scene.speech.pick(usable)


def remembered_task(memories: Sequence[MemoryRecord]) -> MemoryRecord | None:
    """The latest task among some memories."""
    tasks = [memory for memory in memories if memory.kind is Kind.HOMEWORK]
    return max(tasks, key=lambda memory: (memory.session_number, memory.exchange), default=None)
