"""The counselor's portrait of a client, as the rehearsal keeper words it: parts that later sessions replace."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from langchain_core.messages import AnyMessage

from counselgraph.memory.kept import PORTRAIT_CHARACTERS
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.bank import LANGUAGES, bank
from counselgraph.models.rehearsal.evidence import said_by_any
from counselgraph.models.rehearsal.hearing import dark, fares, moves, outcome, thought_in
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.story import THOUGHTS, quoted_thought
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import plain, quotable, sentences, trimmed
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Level, Side
from counselgraph.safety.screen import screen

_LONGEST, _LONGEST_OPENING = 16, 24
"""Most words of the client's in one part, and in what it came with."""
_ABROAD = 200
"""Characters of the client's own first words, where the phrase banks do not speak its language."""
_ALWAYS = ("came", "beneath", "carries", "wants", "danger")
_ONCE = frozenset({"came"})
_GUARDED, _SLOW = 0.34, 0.1
"""Share of turns that give nothing or resist from which a client is called guarded, and half in doubt."""
_WANTS = re.compile(r"\b(?:want\w*|wish\w*|hope|like to|love to|matters?)\b", re.IGNORECASE)
_KEPT_OF_OTHERS = 2
"""Sentences kept of a portrait that somebody else wrote."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A client's turn as a keeper reads it.

    Attributes:
        asks: What it answers, the first turn "opening" before all else.
        said: The turn.
        exchange: Its exchange.
        met: How it meets the counselor (see `hearing.stance`).
        answered: The counselor's turns that it answers.
    """

    asks: tuple[str, ...]
    said: str
    exchange: int
    met: str
    answered: tuple[AnyMessage, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Its sentences as they stand."""
        return sentences(self.said)

    @property
    def thought(self) -> str:
        """The thought it states, in words that stand in it; "" if it states none."""
        found = quoted_thought(self.said) or thought_in(self.said) or ""
        return found if normal(found) in normal(self.said) else ""

    @property
    def dangerous(self) -> str:
        """Its first sentence with a sign of risk; "" if there is none."""
        if screen(self.said, side=Side.CLIENT).level is Level.NONE:
            return ""
        return next((part for part in self.sentences if screen(part, side=Side.CLIENT).level), self.said)


def portrait(told: Sequence[Heard], memories: Sequence[MemoryRecord], number: int, language: str) -> str:
    """The portrait after a session: the parts of the one before, each replaced where the session brought another.

    Args:
        told: The client's turns, oldest first.
        memories: What the counselor remembered when the session began; the earlier portrait is among them.
        number: The session's number.
        language: Its language.
    """
    earlier = max((m for m in memories if m.kind is Kind.PORTRAIT), key=lambda m: m.session_number, default=None)
    if language not in LANGUAGES:
        return earlier.text if earlier else " ".join(turn.said for turn in told[:1])[:_ABROAD]
    frames, known = bank("keeper")["portrait"], _read(earlier.text if earlier else "")
    parts = dict(known)
    for name in _ALWAYS:
        found = "" if name in _ONCE and name in parts else _heard(name, told)
        if found:
            parts[name] = found
    if "danger" not in known and not any(turn.dangerous for turn in told):
        parts.pop("danger", None)
    lines = [frames[name].format(said=parts[name].rstrip(".")) for name in _ALWAYS if name in parts]
    lines += [
        frames["meets"].format(said=_meets(told)),
        frames["now"].format(number=number, said=_now(told, memories, number)),
    ]
    before = _of_others(earlier.text) if earlier and not known else []
    return " ".join([*before, *lines])[:PORTRAIT_CHARACTERS]


def _heard(name: str, told: Sequence[Heard]) -> str:
    """The latest words that fill a part; the first ones for what somebody came with."""
    asks: Sequence[str] = bank("keeper")["parts"][name]
    turns = [turn for turn in told if not set(asks).isdisjoint(turn.asks) and turn.met not in {"held", "resists"}]
    found = [words for turn in turns if (words := _words(name, turn))]
    return "" if not found else (found[0] if name in _ONCE else found[-1]).replace('"', "'")


def _words(name: str, turn: Heard) -> str | None:
    if name == "danger":
        return trimmed(next(filter(dark, turn.sentences), ""))
    if not THOUGHTS.isdisjoint(turn.asks):
        return turn.thought
    if name == "wants":
        return quotable(
            turn.said, _LONGEST, lambda clause: _says_little(clause) or not _WANTS.search(clause), first=True
        )
    longest = _LONGEST_OPENING if name in _ONCE else _LONGEST
    return quotable(turn.said, longest, _says_little, first=name in _ONCE)


def _says_little(clause: str) -> bool:
    return beside_the_point(clause) or small_talk(clause) or said_by_any(clause) or dark(clause)


def _meets(told: Sequence[Heard]) -> str:
    held = sum(turn.met in {"held", "resists"} or _sustains(turn.said) for turn in told) / max(len(told), 1)
    return str(bank("keeper")["meets"]["guarded" if held >= _GUARDED else "slow" if held >= _SLOW else "open"])


@lru_cache(maxsize=4096)
def _sustains(said: str) -> bool:
    """Whether a turn speaks for leaving things as they are, or against being pushed."""
    against = load_protocol(ApproachName.MOTIVATIONAL_INTERVIEWING).approach.misfit
    return any(sign.heard_in(said, "en") for sign in against)


def _now(told: Sequence[Heard], memories: Sequence[MemoryRecord], number: int) -> str:
    words, opening = bank("keeper"), told[0].said if told else ""
    parts = [words["fares"]["first" if number == 1 else fares(opening)]]
    owed = any(memory.kind is Kind.HOMEWORK and memory.session_number == number - 1 for memory in memories)
    if owed and told and "homework_review" in told[0].asks:
        parts.append(words["task"][outcome(opening)])
    if any(moves(turn.said) for turn in told[1:]):
        parts.append(words["moves"])
    return "; ".join(parts)


def _read(text: str) -> Mapping[str, str]:
    """The parts of an earlier portrait; none if it is not of this making."""
    found = ((name, _pattern(name).search(plain(text))) for name in _ALWAYS)
    return {name: match["said"] for name, match in found if match}


@lru_cache(maxsize=8)
def _pattern(name: str) -> re.Pattern[str]:
    before, after = bank("keeper")["portrait"][name].split("{said}")
    return re.compile(f"{re.escape(before)}(?P<said>.+?){re.escape(after)}")


def _of_others(text: str) -> list[str]:
    latest = bank("keeper")["portrait"]["now"].split("{")[0]
    return [part for part in sentences(text) if not part.startswith(latest)][:_KEPT_OF_OTHERS]
