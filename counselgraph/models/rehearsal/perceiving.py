"""What the rehearsal model perceives in the client's last turn, for a counselor that chooses how to answer it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal import generic
from counselgraph.models.rehearsal.bank import LANGUAGES, bank
from counselgraph.models.rehearsal.hearing import dark, feeling_in, feeling_noun, heavy, moves, stance
from counselgraph.models.rehearsal.story import sounds
from counselgraph.models.rehearsal.talk import beside_the_point
from counselgraph.models.rehearsal.words import quotable, sentences, trimmed
from counselgraph.protocols.protocol import load_protocol
from counselgraph.safety.levels import Level, Side
from counselgraph.safety.screen import screen
from counselgraph.transcript import CLIENT, last_said

_FIELDS = frozenset({"emotion", "intensity", "resistance", "strategy", "reason"})
_NONE, _HESITANT, _AVOIDING, _OPPOSING = "none", "hesitant", "avoiding", "opposing"
_CALM, _FELT, _STRONG, _MOST = 1, 4, 6, 9
_IN_A_ROW = 3
_QUOTED = 14


def perceive(request: Request) -> Answer:
    """What stands out in the client's last turn and what the next one should do, as JSON of the type asked for."""
    said = next(iter(last_said(request.view.get("messages", ()), CLIENT)), "")
    if request.output is None or set(request.output.model_fields) != _FIELDS or request.language not in LANGUAGES:
        return generic.improvise(request)
    before: Sequence[Mapping[str, Any]] = request.view.get("perceptions") or ()
    emotion, intensity, resistance = _emotion(said), _intensity(said), _resistance(said)
    strategy = _strategy(said, intensity, resistance, before)
    reason = bank("perceive")["reasons"][strategy].format(said=_words(said))
    seen = {"emotion": emotion, "intensity": intensity, "resistance": resistance, "strategy": strategy}
    return Answer(text=json.dumps({**seen, "reason": reason}))


def _words(said: str) -> str:
    """A few words of the turn that say something of the matter, whole clauses if there are any."""
    first = next((part for part in sentences(said) if not beside_the_point(part)), said)
    found = quotable(said, _QUOTED, beside_the_point) or " ".join(trimmed(first).split()[:_QUOTED])
    return found.replace('"', "'") or "..."


def _emotion(said: str) -> str:
    words = bank("perceive")
    adjective = feeling_in(said)
    if adjective is not None:
        return str(words["nouns"].get(adjective) or feeling_noun(adjective).removeprefix("the ") or adjective)
    if _dangerous(said):
        return str(words["danger"])
    return str(words["heavy"] if heavy(said) and _intensity(said) >= _FELT else words["calm"])


def _intensity(said: str) -> int:
    """From 0 to 10: what is named, and how strongly it is put."""
    if _dangerous(said):
        return _MOST
    felt = _FELT if feeling_in(said) else _CALM
    return min(felt + 2 * heavy(said) + len(_cue("strong").findall(said)), _MOST)


def _dangerous(said: str) -> bool:
    """Whether a turn speaks of dying or self-harm, and does not deny it."""
    return dark(said) and screen(said, side=Side.CLIENT).level is not Level.NONE


def _resistance(said: str) -> str:
    meets = stance(said, held=load_protocol().holds(said, "en"))
    if meets in {"resists", "held"}:
        return _OPPOSING if meets == "resists" else _AVOIDING
    return _HESITANT if _cue("hedges").search(said) else _NONE


def _strategy(said: str, intensity: int, resistance: str, before: Sequence[Mapping[str, Any]]) -> str:
    """The first strategy that fits; not the same one more than three times in a row."""
    lately = [str(seen["strategy"]) for seen in before[-_IN_A_ROW:]]
    tired = lately[0] if len(lately) == _IN_A_ROW and len(set(lately)) == 1 else None
    return next(name for name in _fitting(said, intensity, resistance, before) if name != tired)


def _fitting(said: str, intensity: int, resistance: str, before: Sequence[Mapping[str, Any]]) -> list[str]:
    strong_before = bool(before) and int(before[-1]["intensity"]) >= _STRONG
    fits = {
        "roll_with_resistance": resistance in {_AVOIDING, _OPPOSING},
        "explain": stance(said, held=False) == "asks_why",
        "validate": _cue("judged").search(said) is not None,
        "reflect": intensity >= _STRONG,
        "encourage_action": _cue("begins").search(said) is not None and resistance == _NONE,
        "offer_choice": resistance == _HESITANT,
        "challenge_gently": sounds(said) and not strong_before and not moves(said),
        "explore": True,
    }
    return [*(name for name, fit in fits.items() if fit), "reflect"]


@lru_cache(maxsize=8)
def _cue(name: str) -> re.Pattern[str]:
    return re.compile("|".join(bank("perceive")[name]), re.IGNORECASE)
