"""The rehearsal keeper: what a session leaves behind for each side, in the words that were said in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from langchain_core.messages import AnyMessage

from counselgraph.memory.kept import Kept, KeptItem
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal import generic
from counselgraph.models.rehearsal.bank import LANGUAGES, bank
from counselgraph.models.rehearsal.evidence import exact, said_by_any
from counselgraph.models.rehearsal.hearing import dark, moves
from counselgraph.models.rehearsal.portrait import Heard, portrait
from counselgraph.models.rehearsal.reading import read
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.story import OPENING, THOUGHTS, met
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import harsh
from counselgraph.transcript import CLIENT, COUNSELOR, exchange_of, role_of, text_of

_MOST = {COUNSELOR: 6, CLIENT: 4}
_LONGEST = 200
_FEW_WORDS = 4
_HELD = frozenset({"held", "resists"})
_TALK_ONLY = frozenset({"summary", "what_stays", "risk_question", "risk_protective"})
"""Asks whose answers are worth keeping although any client might have given them."""
_INSIGHTS = THOUGHTS | {"balanced_thought", "evidence_against", "what_matters", "give_it_words"}
_PROMISES, _REPORT = "homework", "homework_review"


@dataclass(frozen=True, slots=True)
class _Found:
    """Something worth keeping: its entry in the bank, and the sentence of the turn it comes from."""

    entry: Mapping[str, Any]
    said: str
    exchange: int
    role: str


def keep(request: Request) -> Answer:
    """What the asked side keeps of the session in its View, as a `Kept` in JSON."""
    if request.output is not Kept:
        return generic.improvise(request)
    view, owner = request.view, str(request.view.get("owner", COUNSELOR))
    number = int(view.get("session_number", 1))
    told = heard_in(view.get("messages", ()), request.language, later=number > 1)
    before: Sequence[MemoryRecord] = view.get("counselor_memories") or ()
    found = _for_client(told, english=request.language in LANGUAGES) if owner == CLIENT else _for_counselor(told)
    items = _items(found, owner, before, request.language)
    made = portrait(told, before, number, request.language) if owner != CLIENT else ""
    return Answer(text=Kept(items=items, portrait=made).model_dump_json())


def heard_in(messages: Sequence[AnyMessage], language: str, *, later: bool = False) -> list[Heard]:
    """The client's turns, each with what it answers, oldest first; in a later session none of them is the opening."""
    found: list[Heard] = []
    asked: list[AnyMessage] = []
    for message in messages:
        role = role_of(message)
        if role == COUNSELOR:
            asked.append(message)
        elif role == CLIENT:
            said, question = text_of(message), " ".join(map(text_of, asked))
            asks = read(question).asks if language in LANGUAGES else ()
            first = (OPENING,) if not found and not later else ()
            found.append(Heard((*first, *asks), said, exchange_of(message), met(said, language), tuple(asked)))
            asked = []
    return found


def _for_counselor(told: Sequence[Heard]) -> Iterator[_Found]:
    entries = bank("keeper")
    for turn in told:
        if turn.dangerous:
            yield _Found(entries["danger"], turn.dangerous, turn.exchange, CLIENT)
            continue
        ask = next((ask for ask in turn.asks if ask in entries["kept"]), None)
        said = _worth_keeping(turn, ask)
        if said and ask and turn.met not in _HELD:
            yield _Found(entries["kept"][ask], said, turn.exchange, CLIENT)
        elif said and moves(said):
            yield _Found(entries["moved"], said, turn.exchange, CLIENT)
        elif said and harsh(said):
            yield _Found(entries["harsh"], said, turn.exchange, CLIENT)


def _for_client(told: Sequence[Heard], *, english: bool) -> Iterator[_Found]:
    entries = bank("keeper")["client"]
    for turn in told:
        said = _worth_keeping(turn, next(iter(turn.asks), None))
        if said and _PROMISES in turn.asks and turn.met not in _HELD:
            yield _Found(entries["own"]["promise"], said, turn.exchange, CLIENT)
        elif said and not _INSIGHTS.isdisjoint(turn.asks) and turn.met not in _HELD:
            yield _Found(entries["own"]["insight"], said, turn.exchange, CLIENT)
        for message in filter(exchange_of, turn.answered if english else ()):
            moods = read(text_of(message)).moods
            entry = next((entries["theirs"][mood] for mood in entries["theirs"] if mood in moods), None)
            heard = _met_by(text_of(message), entry, entries["theirs"])
            if heard and entry:
                yield _Found(entry, heard, exchange_of(message), COUNSELOR)


def _met_by(text: str, entry: object, moods: Mapping[str, object]) -> str:
    """The sentence of the counselor's that was taken that way; no question, and nothing that leads up to one."""
    mood = next((name for name, found in moods.items() if found is entry), None)
    said = exact(text, lambda part: mood is not None and mood in read(part).moods and not part.endswith("?"))
    fits = mood is not None and mood in read(said).moods and "?" not in said
    return said if fits and len(said.split()) >= _FEW_WORDS and not _cue("polite").search(said) else ""


@lru_cache(maxsize=4)
def _cue(name: str) -> re.Pattern[str]:
    return re.compile("|".join(bank("keeper")[name]), re.IGNORECASE)


def _worth_keeping(turn: Heard, ask: str | None) -> str:
    """The words of a turn that say most of the matter; "" if it is all talk about the talk."""
    if ask == _PROMISES:
        return next((part for part in turn.sentences if promises(part)), "")
    if ask == _REPORT:
        # How the days have been comes before it.
        return next((part for part in reversed(turn.sentences) if len(part.split()) >= _FEW_WORDS), "")
    if ask in _TALK_ONLY:
        return exact(turn.said, lambda part: len(part.split()) >= _FEW_WORDS)
    if ask in THOUGHTS and (thought := turn.thought):
        return thought
    parts = [] if dark(turn.said) else [part for part in turn.sentences if _says_something(part)]
    return next(filter(harsh, parts), next(iter(parts), ""))


def promises(part: str) -> bool:
    """Whether a sentence says what somebody is going to do."""
    return len(part.split()) >= _FEW_WORDS and _cue("promises").search(part) is not None


def _says_something(part: str) -> bool:
    idle = beside_the_point(part) or small_talk(part) or said_by_any(part)
    return not (idle or part.endswith("?")) and len(part.split()) >= _FEW_WORDS


def _items(found: Iterator[_Found], owner: str, before: Sequence[MemoryRecord], language: str) -> tuple[KeptItem, ...]:
    """The most important of what was found, no sentence twice, and none that an earlier session kept."""
    known = "\n".join(normal(memory.text) for memory in before if memory.kind is not Kind.PORTRAIT)
    chosen: dict[str, _Found] = {}
    for one in found:
        if normal(one.said) not in known and len(one.said) <= _LONGEST:
            chosen.setdefault(normal(one.said), one)
    best = sorted(chosen.values(), key=lambda one: (-one.entry["importance"], one.exchange))
    return tuple(_item(one, language) for one in best[: _MOST[owner if owner == CLIENT else COUNSELOR]])


def _item(found: _Found, language: str) -> KeptItem:
    bare = found.said.strip().strip('"\u201c\u201d')
    said = bare.replace('"', "'")
    said = said if said[-1:] in ".!?\u2026" else f"{said}."
    return KeptItem(
        kind=found.entry["kind"],
        text=found.entry["says"].format(said=said) if language in LANGUAGES else found.said,
        exchange=found.exchange,
        role=found.role,
        quote=bare,
        importance=found.entry["importance"],
        subject="",
    )
