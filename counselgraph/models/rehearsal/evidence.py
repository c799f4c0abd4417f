"""The client's exact words: the sentence that shows something, and a piece that was told and not taken further."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.hearing import dark, heavy, thought_in
from counselgraph.models.rehearsal.lines import technique_steps
from counselgraph.models.rehearsal.reading import content_words
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.story import SAFETY, Exchanged
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import quotable
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Level
from counselgraph.safety.screen import screen

_SENTENCE = re.compile(r"[^.!?\u2026]+[.!?\u2026]*[\"\u201d']?")
_LONGEST = 280
_WORDS = 4
_OPEN = 18
_TAKEN_UP = 0.6
"""Share of a piece's topic words in an earlier agenda from which it counts as taken up."""
_INWARD = frozenset({"belief", "what_is_it_about", "what_it_needs", "what_matters", "their_feeling", "give_it_words"})
_CLOSING = frozenset({"summary", "homework", "farewell"})


def exact(turn: str, shows: Callable[[str], bool]) -> str:
    """The first sentence of a turn that shows it, as it stands there; the start of the turn if no single one does."""
    parts = [part.strip() for part in _SENTENCE.findall(turn)]
    showing = [part for part in parts if part and shows(part)]
    found = next((part for part in showing if len(part.split()) >= _WORDS), next(iter(showing), ""))
    return found if found and len(found) <= _LONGEST else turn[:_LONGEST].strip()


def left_open(turns: Sequence[Exchanged], used: str, chance: random.Random) -> str:
    """Words of the client to come back to: told outside the closing, heavy enough, and not on an agenda yet.

    Args:
        turns: The client's turns.
        used: The agendas so far.
        chance: Decides between pieces that are equally good.
    """
    scored: list[tuple[float, str]] = []
    for turn in turns[1:]:
        piece = _piece(turn)
        if piece is not None and _weighs(turn, piece) and not _taken_up(piece, used):
            scored.append((_weight(turn, piece) + chance.random() * 0.8, piece))
    return max(scored)[1] if scored else ""


def _piece(turn: Exchanged) -> str | None:
    if not turn.answers or turn.asked in {None, SAFETY, *_CLOSING} or _dangerous(turn.said):
        return None
    return quotable(turn.said, _OPEN, lambda text: beside_the_point(text) or small_talk(text))


def _dangerous(said: str) -> bool:
    """Whether a turn is a matter for questions about safety and not for the next agenda."""
    return dark(said) or screen(said).level > Level.NONE


def _weighs(turn: Exchanged, piece: str) -> bool:
    """Whether a piece is worth coming back to: a thought, or something that hurts, and no word on the method."""
    inward = turn.asked in _INWARD or thought_in(piece) is not None or heavy(piece)
    return inward and not said_by_any(piece)


@lru_cache(maxsize=2048)
def said_by_any(piece: str) -> bool:
    """Whether these words are those of any client, and tell nothing of this one."""
    return any(normal(piece) in line for line in _said_by_any())


@lru_cache(maxsize=1)
def _said_by_any() -> tuple[str, ...]:
    """What any client says: of the way of working, of the days since, or where it has no words of its own."""
    own = (bank(f"client/{approach}") for approach in ApproachName if approach is not ApproachName.CBT)
    told = (bank("client/fit"), bank("client/since"), bank("life"), bank("client_answers"), bank("client_frames"), *own)
    told = (*told, bank("client/emotion"), bank("client/readiness"))
    return tuple(normal(line) for node in told for line in _lines(node))


def _lines(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping | list):
        for part in node.values() if isinstance(node, Mapping) else node:
            yield from _lines(part)


def _weight(turn: Exchanged, piece: str) -> float:
    inward = 1.5 if turn.asked in _INWARD else 0.0
    thought = 1.0 if thought_in(piece) else 0.0
    weighed = -0.5 if turn.asked in technique_steps() else 0.0
    return inward + thought + weighed + 0.05 * min(len(piece.split()), 12)


def _taken_up(piece: str, used: str) -> bool:
    words = content_words(piece)
    return bool(words) and len(words & content_words(used)) >= _TAKEN_UP * len(words)
