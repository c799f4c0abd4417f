"""The rehearsal model's review: reads a session's words and markers, and judges progress, fit and what comes next."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.agenda import agenda_for
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.evidence import exact, left_open
from counselgraph.models.rehearsal.hearing import fares, let_go, moves, outcome, rating_in, stance, unconvinced
from counselgraph.models.rehearsal.lines import task_of
from counselgraph.models.rehearsal.recall import task_technique
from counselgraph.models.rehearsal.story import Exchanged, exchanged
from counselgraph.protocols.approach import Approach, Heard, Reading, read_markers
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Level, Risk

_RATED = (("rate_belief", "balanced_thought"), ("own_reading", "weigh_readings"), ("own_share", "share_out"))
"""Steps whose numbers are for the same thing, before and after."""
_MUCH, _SOME = 25, 10
"""By how much a number has to fall to count as two and as one."""
_FARED = {"relapse": -2.0, "worse": -1.0, "same": 0.0, "better": 0.75}
_TASK = {"done": 0.5, "half": 0.0, "undone": -0.75}
_MOVED, _MARKED, _DOUBTED = 0.5, 0.4, -0.75
_MOST = 1.0
_PATIENCE, _CLEAR, _GAVE_UP = 2, 2, 3
_LEAST_SESSIONS = 3


@dataclass(frozen=True)
class _Session:
    """A session that is over, as a review reads it."""

    turns: tuple[Exchanged, ...]
    own: Sequence[str]
    number: int
    approach: Approach
    before: Sequence[Review]
    risk: Risk
    language: str
    seed: int

    @cached_property
    def said(self) -> list[str]:
        """The client's turns, oldest first."""
        return [turn.said for turn in self.turns]

    @cached_property
    def markers(self) -> Reading:
        """What the client's words say of the approach."""
        return read_markers(self.approach, self.said, self.language)

    @property
    def opening(self) -> str:
        """What the client said first; empty if it said nothing."""
        return self.said[0] if self.said else ""

    @property
    def asked_for_task(self) -> bool:
        """Whether a task of the session before was there to be reported."""
        return bool(self.before) and "task" in self.before[-1].agenda

    @cached_property
    def rated(self) -> tuple[int, int] | None:
        """The first and last number for the same thing; None if none was given twice."""
        for first, last in _RATED:
            numbers = [rating_in(t.said, asked=True) for t in self.turns if t.asked in {first, last}]
            given = [number for number in numbers if number is not None]
            if len(given) > 1:
                return given[0], given[-1]
        return None


def review(request: Request) -> Answer:
    """What a review makes of a session, as a `Review` in JSON."""
    view = request.view
    turns, own = exchanged(view.get("messages", ()), request.language, later=int(view.get("number", 1)) > 1)
    seen = _Session(
        turns=turns,
        own=own,
        number=int(view.get("number", 1)),
        approach=load_protocol(view["approach"]).approach,
        before=tuple(view.get("reviews") or ()),
        risk=view.get("risk") or Risk(),
        language=request.language,
        seed=request.seed,
    )
    return Answer(text=_judged(seen).model_dump_json())


def _judged(seen: _Session) -> Review:
    progress = _progress(seen)
    turned = _turns_to(seen, progress)
    finished = turned is None and _finished(seen, progress)
    words = bank("review")
    return Review(
        decision="keep" if turned is None else "change",
        approach=turned or seen.approach.name,
        evidence=_evidence(seen, turned is not None)[:300] or "-",
        reason=(words["finished"] if finished else _reason(seen, turned, progress))[:400],
        progress=progress,
        moved=_moved(seen)[:300],
        agenda=_agenda(seen),
        finished=finished,
    )


def _progress(seen: _Session) -> int:
    """From -2 to 2, compared with the session before; 0 in the first, which has none before it."""
    if seen.number == 1 or not seen.said:
        return 0
    found = _FARED[fares(seen.opening)] + (_TASK[outcome(seen.opening)] if seen.asked_for_task else 0)
    found += min(_MOVED * sum(map(moves, seen.said[1:])), _MOST)
    found += max(min(_MARKED * seen.markers.balance, _MOST), -_MOST)
    found += _DOUBTED if any(t.asked == "summary" and unconvinced(t.said) for t in seen.turns) else 0
    if seen.rated:
        fall = seen.rated[0] - seen.rated[1]
        found += 2 * _MOST if fall >= _MUCH else _MOST if fall >= _SOME else -_MOVED
    return max(-2, min(2, round(found * 0.7)))


def _turns_to(seen: _Session, progress: int) -> ApproachName | None:
    """The approach to change to; None to keep the one in force.

    It is changed after two sessions in a row without progress, neither of them the first, or after a session whose
    signs of misfit are clear; and never in the first two sessions of an approach unless they are very clear.
    """
    stayed = _sessions_with(seen)
    signs = sum(heard.times for heard in seen.markers.misfit)
    clear = signs >= _CLEAR and seen.markers.balance < 0 and progress <= 0
    stuck = progress <= 0 and seen.number > _PATIENCE and seen.before[-1].progress <= 0
    if seen.number == 1 or stayed < _PATIENCE or not (clear or stuck):
        return None
    return _other(seen)


def _sessions_with(seen: _Session) -> int:
    """Sessions played with the present approach, this one included."""
    chosen = [made.approach for made in reversed(seen.before)]
    count = next((place for place, name in enumerate(chosen) if name is not seen.approach.name), len(chosen) + 1)
    return max(count, 1)


def _other(seen: _Session) -> ApproachName:
    """Where the signs of misfit point, or the client's own words, among those that the approach names."""
    named = [turn.approach for turn in seen.approach.turn_to]
    tried = {made.approach for made in seen.before} | {seen.approach.name}
    open_to = [name for name in named if name not in tried] or named
    points: Mapping[str, str] = bank("review")["points_to"]
    votes = dict.fromkeys(open_to, 0.0)
    for heard in seen.markers.misfit:
        target = points.get(heard.sign.id)
        votes.update({name: votes[name] + _GAVE_UP * heard.times for name in open_to if name == target})
    chance = random.Random(seen.seed)
    for name in open_to:
        fits = load_protocol(name).approach.fits
        votes[name] += sum(sign.heard_in(text, seen.language) for sign in fits for text in seen.said)
    return max(open_to, key=lambda name: votes[name] + chance.random() * 0.5)


def _finished(seen: _Session, progress: int) -> bool:
    """Whether the client has what it came for: it says so, it has gone well twice, and nothing darkens it."""
    well = progress > 0 and bool(seen.before) and seen.before[-1].progress > 0
    calm = seen.risk.level is Level.NONE and not seen.markers.misfit
    return seen.number >= _LEAST_SESSIONS and well and calm and any(map(let_go, seen.said))


def _evidence(seen: _Session, turned: bool) -> str:
    """Words of the client that decided it, exactly as they stand in a turn."""
    marked = [*seen.markers.misfit, *seen.markers.helping]
    if not turned:
        marked = [*seen.markers.helping, *seen.markers.misfit]
    gone = [text for text in seen.said if let_go(text)]
    if gone and not turned:
        return exact(gone[0], let_go)
    for heard in marked:
        found = exact(seen.said[heard.turn], partial(heard.sign.heard_in, language=seen.language))
        if found:
            return found
    told = [t for t in reversed(seen.said) if moves(t)] or seen.said[:1]
    return exact(told[0], lambda _part: True) if told else ""


def _reason(seen: _Session, turned: ApproachName | None, progress: int) -> str:
    words, now = bank("review"), seen.approach.label
    if turned is not None:
        signs = _strongest(seen.markers.misfit)
        then = load_protocol(turned).approach.label
        kind = "misfit" if signs else "stuck"
        return str(words["change"][kind].format(now=now, then=then, sign=_clause(signs)))
    if progress > 0:
        signs = _strongest(seen.markers.helping)
        return str(words["keep"]["better" if signs else "moving"].format(now=now, sign=_clause(signs)))
    kind = "early" if seen.number == 1 else "settling" if _sessions_with(seen) < _PATIENCE else "once"
    return str(words["keep"][kind].format(now=now))


def _strongest(heard: Sequence[Heard]) -> Heard | None:
    return max(heard, key=lambda found: found.times, default=None)


def _clause(heard: Heard | None) -> str:
    return "" if heard is None else heard.sign.says[:1].lower() + heard.sign.says[1:]


def _moved(seen: _Session) -> str:
    words, fared = bank("review")["moved"], fares(seen.opening)
    if fared == "relapse":
        return str(words["relapse"])
    if seen.rated and seen.rated[0] != seen.rated[1]:
        return str(words["rated"]).replace("{from}", str(seen.rated[0])).replace("{to}", str(seen.rated[1]))
    shifted = [t for t in seen.said[1:] if moves(t)]
    if shifted:
        return str(words["shifted"].format(quote=f'"{exact(shifted[-1], moves)}"'))
    if seen.markers.helping:
        heard = _strongest(seen.markers.helping)
        return str(words["helped"].format(sign=_clause(heard)))
    doubts = [t for t in seen.said[1:] if stance(t, held=False) == "resists"]
    if doubts and seen.markers.balance < 0:
        return str(words["doubt"].format(quote=f'"{exact(doubts[-1], lambda _part: True)}"'))
    if seen.asked_for_task and outcome(seen.opening) == "undone":
        return str(words["undone"])
    return str(words["first" if seen.number == 1 else "better" if fared == "better" else "same"])


def _agenda(seen: _Session) -> str:
    technique = next((way for turn in reversed(seen.own) if (way := task_technique(turn)) is not None), None)
    used = " ".join(made.agenda for made in seen.before)
    left = left_open(seen.turns, used, random.Random(seen.seed)) if seen.language == "en" else ""
    danger = seen.risk.level >= Level.PASSIVE
    return agenda_for(task=task_of(technique) if technique else "", left_open=left, danger=danger)
