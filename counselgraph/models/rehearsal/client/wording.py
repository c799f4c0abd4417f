"""Filling the client's words into phrases."""

from __future__ import annotations

import re

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.derive import embedded, is_clause
from counselgraph.models.rehearsal.client.ratings import (
    earlier,
    first_rating,
    given,
    loosened,
    next_rating,
    own_random,
    slices,
)
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.hearing import thought_in
from counselgraph.models.rehearsal.reading import RATINGS, content_words
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.words import capital, plain
from counselgraph.personas.persona import Attitude

_QUOTED = re.compile(r"\"([^\"]+)\"")
_OWN_SLICE = re.compile(r"\bme, (\d{1,3})\b", re.IGNORECASE)
_MOST_OWN = 85
TENS = frozenset({"importance_number", "confidence_number", "number_now", "good_enough", "where_it_is_missing"})
"""Asks for a number from 0 to 10."""
_TEN = {Attitude.POSITIVE: 5, Attitude.NEUTRAL: 4, Attitude.NEGATIVE: 3}
_LEAST_TEN, _MOST_TEN, _GOOD, _BETTER = 2, 7, 7, 9
_FEARS = (20, 35, 50, 70, 90)


def slots_for(scene: Scene, ask: str) -> dict[str, str]:
    """Words to fill in when `ask` is answered, by slot name."""
    slots = dict(scene.material.slots)
    slots["day"] = scene.chance.choice(bank("client_frames")["days"])
    _add_mind(scene, slots)
    if ask in RATINGS:
        _add_rating(scene, ask, slots)
    elif ask in {"list_causes", "share_out"}:
        _add_pie(scene, slots)
    elif ask in {"ladder", "lowest_rung"}:
        _add_ladder(scene, slots)
    elif ask == "summary":
        slots |= _moved(scene)
    elif ask in TENS:
        slots |= _out_of_ten(scene, ask)
    for name in ("adj", "when", "person", "helper"):
        if name in slots:
            slots[capital(name)] = capital(slots[name])
    return slots


def quoted(thought: str) -> str:
    """A thought as direct speech, closed inside the quotation marks."""
    closed = thought if thought[-1:] in ".!?…" else f"{thought}."
    return f'"{capital(closed)}"'


def focus_thought(scene: Scene) -> str | None:
    """The thought the talk is about: one the counselor has just quoted, else the one its words come nearest to."""
    quoted_now = [part.strip(" ,.") for part in _QUOTED.findall(plain(scene.turns[-1].counselor))]
    own = (*scene.material.thoughts, *scene.material.beliefs)
    named = next((thought for part in quoted_now for thought in own if normal(part) == normal(thought)), None)
    if named is None and "summary" in scene.reading.asks:
        named = next((part for part in quoted_now if thought_in(part) and not scene.speech.fresh(part)), None)
    heard = frozenset[str]().union(*(content_words(turn.counselor) for turn in scene.turns[-3:]))
    return named or max(scene.material.thoughts, key=lambda thought: len(heard & content_words(thought)), default=None)


def _add_mind(scene: Scene, slots: dict[str, str]) -> None:
    thought = focus_thought(scene)
    if thought is not None:
        slots["quote"] = quoted(thought)
        if is_clause(thought):
            slots["that"] = embedded(thought)
    others = [text for text in scene.material.thoughts if text != thought and scene.speech.fresh(text)]
    if others and thought is not None and not scene.speech.fresh(thought):
        slots["other"] = quoted(others[0])
    if scene.material.beliefs:
        slots["bquote"] = quoted(scene.material.beliefs[0])
        if is_clause(scene.material.beliefs[0]):
            slots["bthat"] = embedded(scene.material.beliefs[0])
    felt = [(noun, words) for noun, words in scene.material.emotions if words]
    if felt:
        slots["noun"], slots["adj"] = felt[0]
    if len(felt) > 1:
        slots["adj2"] = felt[1][1]


def _add_rating(scene: Scene, ask: str, slots: dict[str, str]) -> None:
    before = earlier(scene.turns, ask)
    if before is None:
        slots["n"] = str(loosened(first_rating(scene.persona, ask, scene.chance), ask, scene.gain))
        return
    share = _pie_share(scene) if ask == "rate_share" else None
    after = next_rating(scene.persona, ask, before, scene.warmth, scene.chance) if share is None else share
    slots["n"], slots["before"] = str(after), str(before)


def _out_of_ten(scene: Scene, ask: str) -> dict[str, str]:
    """A number from 0 to 10 and the one that would be good enough; they grow over the sessions of a course."""
    drawn = own_random(scene.persona, "ten", ask).choice((-1, 0, 0, 1))
    now = max(_LEAST_TEN, min(_MOST_TEN, _TEN[scene.persona.attitude] + drawn + scene.gain // 2))
    return {"t": str(now), "t2": str(_GOOD if now < _GOOD else _BETTER)}


def _moved(scene: Scene) -> dict[str, str]:
    """The first and the last number given for the thing rated most often, if it came down."""
    for ask in ("rate_belief", "rate_likely", "rate_share"):
        numbers = given(scene.turns, ask)
        if len(numbers) > 1 and numbers[-1] < numbers[0]:
            return {"from": str(numbers[0]), "to": str(numbers[-1])}
    return {}


def _pie_share(scene: Scene) -> int | None:
    for turn in reversed(scene.turns):
        found = _OWN_SLICE.search(turn.client)
        if found is not None and "share_out" in turn.reading.asks:
            return int(found[1])
    return None


def _add_pie(scene: Scene, slots: dict[str, str]) -> None:
    chance = own_random(scene.persona, "causes")
    known = [scene.material.slots["cause"]] if "cause" in scene.material.slots else []
    causes = [*known, *chance.sample(bank("client_frames")["causes"], 3)][:3]
    before = earlier(scene.turns, "rate_share") or first_rating(scene.persona, "rate_share", chance)
    own = next_rating(scene.persona, "rate_share", before, scene.warmth, chance)
    if scene.persona.attitude is not Attitude.NEGATIVE:
        own -= 20
    own = max(min(5 * round(own / 5), _MOST_OWN), 10)
    shares = slices(own, len(causes), chance)
    parts = [f"{capital(cause)}, {share}." for cause, share in zip(causes, shares, strict=True)]
    slots["pie"] = f"{' '.join(parts)} And me, {own}"
    for place, cause in enumerate(causes, 1):
        slots[f"c{place}"], slots[f"C{place}"] = cause, capital(cause)


def _add_ladder(scene: Scene, slots: dict[str, str]) -> None:
    chance = own_random(scene.persona, "ladder")
    words = {"helper": slots.get("helper", "somebody")} | ({"what": slots["avoided"]} if "avoided" in slots else {})
    ladders = [filled(rungs, words) for rungs in bank("client_frames")["rungs"]]
    rungs = [capital(rung) for rung in chance.choice([ladder for ladder in ladders if len(ladder) == len(_FEARS)])]
    fears = [fear + chance.choice((-5, 0, 5)) for fear in _FEARS]
    slots["rungs"] = " ".join(f"{rung}, {fear}." for rung, fear in zip(rungs, fears, strict=True)).rstrip(".")
    slots["lowest"] = rungs[0]
