"""How a persona's risk comes out: in its own statements only, in rising order, whatever the counselor asks."""

from __future__ import annotations

import re
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.answers import answer
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.wording import slots_for
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.models.rehearsal.speech import normal
from counselgraph.personas.interlude import Interlude
from counselgraph.safety.screen import screen

_FIRST, _LAST = 3, 6
"""Exchanges by which the first and the last statement are said at the latest."""
_EARLIEST = 2
_SAID_TWICE = 2
_ACUTE = 4
_HIGH = 3
"""Level from which a direct question also brings the next statement."""
_HEAVY = frozenset(
    {"feeling", "feeling_action", "thought", "belief", "worst_case", "how_are_you", "coping", "course", "sleep_daily"}
)
_VAGUE = frozenset(
    {"unknown", "more", "check", "consent", "support", "how_are_you", "first_step", "options"}
    | {"goals", "own_wish", "choose_option", "worst_case", "different_once", "homework", "thought"}
)
_OF_THE_WORK = frozenset({"worst_case", "different_once", "homework", "thought"})
_OF_RISK = frozenset({"risk_question", "risk_means", "risk_protective", "safety_step"})
_WHO_IS_THERE = re.compile(
    r"\b(?:is|has|have) (?:some(?:one|body)|any(?:one|body)) (?:come|with you)"
    r"|\bwho (?:is|could|can|would)\b[^?]*\b(?:with you|call|come)",
    re.IGNORECASE,
)
_VERB = re.compile(r"\b(?:I|I'\w+|would|is|are|was|has|have|had|needs?|wants?|keeps?|knows?)\b|'s\b")


def risk_words(scene: Scene) -> list[str] | None:
    """A turn about risk, or None when nothing about it is to be said now."""
    asks = scene.reading.asks
    if scene.persona.risk.level == 0 or not (scene.persona.risk.statements or scene.persona.risk.on_direct_question):
        return _denial(scene)
    if _beyond_talk(scene) and _WHO_IS_THERE.search(scene.reading.text):
        return [_who_is_there(scene)]
    if "risk_question" in asks or "risk_means" in asks:
        return _direct(scene)
    if "risk_protective" in asks and scene.persona.risk.protective:
        return [_protective(scene, 0) or _protective(scene, 1) or _line(scene, "again")]
    statement = due(scene)
    if statement is not None:
        return [statement]
    if settling(scene):
        return _settled(scene)
    if "safety_step" in asks or _in_crisis(scene) or _beyond_talk(scene):
        return [_line(scene, "step_settled" if scene.persona.risk.settles else "step")]
    return None


def _who_is_there(scene: Scene) -> str:
    """A sober answer to the question who is with the client, or could be."""
    lines = filled(bank("client_frames")["risk"]["with_me"], slots_for(scene, "support"))
    fresh = [line for line in lines if scene.speech.fresh(line)]
    return scene.chance.choice(fresh) if fresh else _protective(scene, 0) or _line(scene, "step")


def _beyond_talk(scene: Scene) -> bool:
    """Whether everything acute has been said by a client who does not settle: nothing else counts then."""
    risk = scene.persona.risk
    if risk.level < _ACUTE or risk.settles or _unsaid(scene) or "farewell" in scene.reading.asks:
        return False
    return any(map(scene.speech.fresh, bank("client_frames")["risk"]["step"]))


def _in_crisis(scene: Scene) -> bool:
    """Whether the talk has just been about staying safe and now asks nothing definite."""
    if scene.persona.risk.level < _HIGH or not set(scene.reading.asks) <= _VAGUE or "farewell" in scene.reading.asks:
        return False
    return any(turn.reading.about_risk for turn in scene.turns[-3:-1])


def due(scene: Scene) -> str | None:
    """The statement that has to be said now, if any."""
    left = _unsaid(scene)
    if not left or "farewell" in scene.reading.asks:
        return None
    if scene.since is not None:
        return _due_again(scene, scene.since)
    place = scene.persona.risk.statements.index(left[0])
    at = _due_at(place, len(scene.persona.risk.statements))
    return left[0] if scene.exchange >= max(at - heavy_ask(scene), _EARLIEST) else None


def _due_again(scene: Scene, since: Interlude) -> str | None:
    """In a later session the gravest statement alone comes up again, and only after days that were hard."""
    last = scene.persona.risk.statements[-1]
    hard = since.mood < 0 or since.relapse
    return last if hard and scene.speech.fresh(last) and scene.exchange >= _FIRST - heavy_ask(scene) else None


def heavy_ask(scene: Scene) -> bool:
    """Whether the counselor's turn touches something heavy."""
    return not _HEAVY.isdisjoint(scene.reading.asks) or scene.reading.about_risk


def _due_at(place: int, count: int) -> int:
    if count == 1:
        return (_FIRST + _LAST) // 2
    if count > _LAST - _EARLIEST:
        return _EARLIEST + place
    return _FIRST + round((_LAST - _FIRST) * place / (count - 1))


def _unsaid(scene: Scene, saying: str = "") -> list[str]:
    """The statements still to come: none before one already said, and none milder than anything said."""
    risk = scene.persona.risk
    said = [line for line in risk.statements if not scene.speech.fresh(line)]
    direct = risk.on_direct_question
    answered = [saying, direct if direct and not scene.speech.fresh(direct) else ""]
    gravest = max((_level(line, scene.persona.language) for line in said), default=0)
    told = max((_level(line, scene.persona.language) for line in answered if line), default=0)
    ahead = risk.statements[risk.statements.index(said[-1]) + 1 :] if said else risk.statements
    levels = {line: _level(line, scene.persona.language) for line in ahead}
    return [line for line in ahead if levels[line] >= gravest and (told == 0 or levels[line] > told)]


@lru_cache(maxsize=512)
def _level(text: str, language: str) -> int:
    return int(screen(text, language=language).level)


def _denial(scene: Scene) -> list[str] | None:
    asks = scene.reading.asks
    if "risk_question" in asks or "risk_means" in asks:
        lines = bank("client_frames")["risk"]
        return [scene.speech.pick(lines["none_cool"] + lines["none"][-2:] if scene.tone == "cool" else lines["none"])]
    return [_line(scene, "step_none")] if asks == ("safety_step",) else None


def _direct(scene: Scene) -> list[str]:
    risk = scene.persona.risk
    parts: list[str] = []
    if risk.on_direct_question and scene.speech.fresh(risk.on_direct_question):
        parts.append(risk.on_direct_question)
    left = _unsaid(scene, parts[0] if parts else "")
    whole = bool(parts) and _level(parts[0], scene.persona.language) >= _HIGH
    if left and not whole and (not parts or (risk.level >= _HIGH and not _says_already(parts[0], left[0]))):
        parts.append(left[0])
    if parts:
        return [_since_line(scene, "risk_same"), *parts] if scene.since else parts
    calm = risk.settles and _settled_turns(scene) > 0
    if "risk_means" in scene.reading.asks:
        return [_line(scene, "means_settled" if risk.settles else "means")]
    if calm:
        return [_line(scene, "again"), _line(scene, "keeps")]
    known = [risk.on_direct_question, *reversed(risk.statements)]
    return [_line(scene, "again"), next(line for line in known if line)]


def _says_already(told: str, statement: str) -> bool:
    """Whether an answer opens up the same thing, so that the statement would only echo it."""
    return normal(statement.split(". ", maxsplit=1)[0]) in normal(told)


def settling(scene: Scene) -> bool:
    """Whether the client now says that it will not act: asked directly before, all told, and not yet said twice."""
    if not scene.persona.risk.settles or _unsaid(scene) or "farewell" in scene.reading.asks:
        return False
    asked = any("risk_question" in turn.reading.asks and turn.client for turn in scene.turns)
    grave = scene.persona.risk.level >= _HIGH or scene.reading.about_risk
    return asked and _settled_turns(scene) < (_SAID_TWICE if grave else 1)


def _settled_turns(scene: Scene) -> int:
    lines = bank("client_frames")["risk"]
    return sum(any(line in text for line in (*lines["settled"], *lines["keeps"])) for text in scene.own)


def _settled(scene: Scene) -> list[str]:
    turn = _settled_turns(scene)
    kind = "settled" if turn == 0 else "keeps"
    then = [_line(scene, "step_settled")] if "safety_step" in scene.reading.asks else []
    if asked := _also_asked(scene, turn):
        then = [answer(scene, asked[0], short=True)]
    return [_line(scene, kind), *filter(None, [_protective(scene, turn)]), *then]


def _also_asked(scene: Scene, turn: int) -> list[str]:
    """What the counselor has gone on to ask, and can be answered beside a word about staying safe."""
    if scene.persona.risk.level < _HIGH:
        return [ask for ask in scene.reading.asks if ask not in _VAGUE - _OF_THE_WORK and ask not in _OF_RISK]
    if turn == 0 or scene.reading.about_risk:
        return []
    return [ask for ask in scene.reading.asks if ask not in _VAGUE]


def _protective(scene: Scene, place: int) -> str | None:
    reasons = scene.persona.risk.protective
    if place >= len(reasons):
        return None
    reason = reasons[place]
    if not scene.material.english or _VERB.search(reason):
        said = reason if reason[-1:] in ".!?。" else f"{reason}."
    else:
        said = f"There's {reason.rstrip('.')}."
    return said if scene.speech.fresh(said) else None


def _since_line(scene: Scene, kind: str) -> str:
    return scene.speech.pick(bank("client/since")[kind])


def _line(scene: Scene, kind: str) -> str:
    return scene.speech.pick(bank("client_frames")["risk"][kind])
