"""The counselor in a later session of a course: what it remembers, asks first, and makes of the days since."""

from __future__ import annotations

import re
from collections.abc import Iterator

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.evidence import said_by_any
from counselgraph.models.rehearsal.frames import Wording, mark_of
from counselgraph.models.rehearsal.hearing import dark, fares, outcome
from counselgraph.models.rehearsal.lines import task_of
from counselgraph.models.rehearsal.reading import content_words
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.story import sounds
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import capital, flip, lower, plain, quotable, reflectable, telling, trimmed
from counselgraph.protocols.technique import Phase, approach_of
from counselgraph.safety.levels import Level

_BANK = "counselor/later"
_WORDS_IN_COMMON = 2
_FITS_FROM, _KEPT_AT, _KEPT_TO = 2, 4, 7
"""Counselor turns from which on what fits is named, and between which something kept in mind is, if nothing was."""
_LONGEST, _SHORT = 26, 8
_CUT_OFF = (" but", " and", " so")
_QUOTED = re.compile(r"\"(?P<words>[^\"]+)\"")
_CAME_WITH = "The client came with this: "
_NOT_NAMED = frozenset({Kind.RISK, Kind.HOMEWORK, Kind.PROMISE, Kind.PORTRAIT})
"""Kinds of note whose words are not brought up in passing."""
_TOLD_AS = re.compile(r"^(?:The client (?:came with this|said): )(?P<words>.+)$", re.DOTALL)


def opening(material: Material, wording: Wording) -> str:
    """The first turn of a later session: a greeting, what was worked on or left open, the task or how it has been."""
    phrases = bank(_BANK)
    wording = wording.with_slots({"name": material.name, **_last_time(material)})
    if material.recalled is not None and material.recalled.danger >= Level.ACTIVE:
        return wording.choose(bank("counselor/opening")["again_danger"])
    hello, open_ = wording.choose(phrases["hello"]), wording.choose(phrases["open"])
    latest = max((note.session_number for note in material.memories), default=1)
    worked = phrases["last" if latest == 1 else "ongoing"]
    last = wording.choose(worked) if not open_ or _short(wording) else ""
    asked = wording.choose(phrases["task"]) or wording.choose(phrases["plain"])
    return " ".join(filter(None, (hello, last, open_, asked)))


def _short(wording: Wording) -> bool:
    """Whether the thought is short, and another than what was left open, so that both can be named."""
    thought, left = wording.slots.get("thought", ""), wording.slots.get("open", "")
    return 0 < len(thought.split()) <= _SHORT and normal(thought) not in normal(left)


def _last_time(material: Material) -> dict[str, str]:
    """What is known of the last session, in the forms the opening asks for; what cannot be put well is absent."""
    recalled, agenda = material.recalled, material.agenda
    focus = trimmed(recalled.focus) if recalled else ""
    task = agenda.task or (task_of(recalled.task) if recalled and recalled.task else "")
    found = {
        "open": capital(agenda.left_open) if agenda.left_open and not dark(agenda.left_open) else "",
        "thought": capital(focus) if focus and sounds(focus) else "",
        "problem": (lower(capital(flip(focus))) or "") if focus and not sounds(focus) and reflectable(focus) else "",
        "task": task,
    }
    return {name: value for name, value in found.items() if value}


def take_up(material: Material, wording: Wording) -> str:
    """The answer to the client's first turn: the days since, and the task if one was owed."""
    fared = wording.choose(bank(_BANK)[fares(material.last)])
    if not _asked_for_task(material):
        return fared
    reported = wording.choose(bank(_BANK)[f"task_{outcome(material.last)}"], beside=fared)
    return f"{fared} {reported}"


def _asked_for_task(material: Material) -> bool:
    recalled = task_of(material.recalled.task) if material.recalled and material.recalled.task else ""
    return any(task and task in material.own[0] for task in (material.agenda.task, recalled))


def bridge(material: Material, wording: Wording, *, beside: str) -> str:
    """The agenda in one sentence where the work goes straight on, or that it is gone about in another way now."""
    phrases, plan, before = bank(_BANK), material.plan, material.recalled and material.recalled.technique
    if plan is not None and before and approach_of(before) is not plan.approach:
        return wording.choose(phrases["other_way"][plan.approach], beside=beside)
    straight = material.step is not None and material.step.phase is Phase.INTERVENTION
    return wording.choose(phrases["bridge"], beside=beside) if straight and not hard_days(material) else ""


def hard_days(material: Material) -> bool:
    """Whether the client has just come back from hard days, which are looked at before the work goes on."""
    fresh = material.in_course and len(material.said) == 1 and material.english
    straight = material.step is not None and material.step.phase is Phase.INTERVENTION
    return fresh and straight and fares(material.last) in {"relapse", "worse"}


def remembers(material: Material, wording: Wording) -> str:
    """A sentence on something told in an earlier session, where it fits or when it is time to name one; else empty."""
    turns = len(material.own)
    if not material.in_course or not material.english or turns < _FITS_FROM or material.stance in {"held", "resists"}:
        return ""
    phrases, said = bank(_BANK), "\n".join(map(normal, material.own))
    pieces = [piece for piece in _kept(material) if normal(piece.quote) not in said and normal(piece.told) not in said]
    near = content_words(material.last)
    fits = [piece for piece in pieces if len(near & content_words(piece.quote)) >= _WORDS_IN_COMMON]
    fits = [piece for piece in fits if normal(piece.quote) not in normal(material.last)]
    if fits:
        return wording.with_slots(fits[0].slots).choose(phrases["worked" if fits[0].worked else "fits"])
    named = any(mark_of(frame) in said for kind in ("fits", "kept", "worked") for frame in phrases[kind])
    if _KEPT_AT <= turns <= _KEPT_TO and not named and pieces and not material.answers_now:
        piece = pieces[(material.share or 0) % len(pieces)]
        return wording.with_slots(piece.slots).choose(phrases["worked" if piece.worked else "kept"])
    return ""


def then_and_now(material: Material, wording: Wording) -> str:
    """For the summary: what the client first came with, and that it was spoken of again; empty if it is not known."""
    first = next((piece for piece in _kept(material) if piece.first and piece.came), None)
    if first is None or not first.told or (material.share or 0) % 2 == 0:
        return ""
    return wording.with_slots({"first": first.told}).choose(bank(_BANK)["then_and_now"])


class _Piece:
    """Something a client told in an earlier session."""

    def __init__(self, words: str, note: MemoryRecord, latest: int) -> None:
        clause = telling(words, skip=_says_little, longest=_LONGEST, first=True)
        self.told = (lower(capital(flip(clause))) or "") if clause else ""
        self.quote = quotable(words, _LONGEST, _says_little, first=True) or ""
        self.first = note.session_number == 1
        self.came = _is_first_turn(note)
        self.worked = note.kind is Kind.SUMMARY
        self._when = "last" if note.session_number == latest else "first" if self.first else "other"

    @property
    def slots(self) -> dict[str, str]:
        """The forms the phrases ask for."""
        found = {"kept": self.told, "kept_quote": self.quote, "when": bank(_BANK)["when"][self._when]}
        return {name: value for name, value in found.items() if value}


def _kept(material: Material) -> Iterator[_Piece]:
    """What was told in earlier sessions, the oldest first; nothing about dying."""
    latest = max((note.session_number for note in material.memories), default=0)
    for note in sorted(material.memories, key=lambda note: (note.session_number, note.exchange)):
        words = _words_in(note)
        # How the days before a later session were is told as its first turn, and is not what a counselor keeps in mind.
        days = _is_first_turn(note) and note.session_number > 1
        last = note.kind is Kind.SUMMARY and note.session_number == latest
        if words and not (days or last or dark(words)) and note.kind not in _NOT_NAMED:
            piece = _Piece(words, note, latest)
            if piece.quote and not piece.quote.endswith(_CUT_OFF) and not piece.told.endswith(_CUT_OFF):
                yield piece


def _is_first_turn(note: MemoryRecord) -> bool:
    """Whether a note is of what the client came with."""
    return note.kind is Kind.FACT and plain(note.text).startswith(_CAME_WITH)


def _words_in(note: MemoryRecord) -> str:
    """The client's words in a note; empty if it holds none."""
    told, quoted = _TOLD_AS.match(plain(note.text)), _QUOTED.search(plain(note.text))
    if told:
        return told["words"]
    return quoted["words"] if quoted else ""


def _says_little(clause: str) -> bool:
    return beside_the_point(clause) or small_talk(clause) or said_by_any(clause)
