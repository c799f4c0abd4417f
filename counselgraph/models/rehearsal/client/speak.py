"""The rehearsal client: what it says next."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.answers import answer, asks_of, core
from counselgraph.models.rehearsal.client.changing import as_much_as, colour, has_something_to_say
from counselgraph.models.rehearsal.client.fit import fit_remark
from counselgraph.models.rehearsal.client.risk import due, heavy_ask, risk_words, settling
from counselgraph.models.rehearsal.client.scene import Scene, gives_nothing
from counselgraph.models.rehearsal.client.since import first_words, refers_back
from counselgraph.models.rehearsal.client.warmth import COOL
from counselgraph.personas.persona import Attitude

_TRIES = 12
_STARTS = re.compile(
    r"^(?:yes|no|yeah|well|okay|ok|hm+|mm|right|sure|fine|honestly|look|thanks|thank you|maybe|let me|all right|um|oh"
    r"|facts|if you|good question|still|about|the worst|bye|now that|if it)\b|^[\"\d]",
    re.IGNORECASE,
)
_NEVER_HELD = frozenset(
    {"risk_question", "risk_means", "risk_protective", "safety_step", "farewell", "summary", "homework"}
)
_ABOUT_A_QUESTION = re.compile(r"question|answer|know\b|idea|sure", re.IGNORECASE)
_HELD_IN_ROW = 2
_BARE_YES = 3
"""How many of the "heard" leads say no more than yes, and so go before an answer to a question."""
_NOT_A_YES = 3
"""Up to where the "cool" leads agree to nothing, and so go before an answer to a question."""
_PUSHED_OUT = 3
_LONG_ENOUGH = 6
_FROZEN = 0.05
_TAIL_ROOM = 3
_ROLE_PLAY = frozenset({"first_try", "second_try", "hold_ground", "i_sentence"})
_TAILED = frozenset(
    {"opening", "thought", "feeling", "feeling_action", "behaviour", "belief", "situation", "onset", "cause", "course"}
    | {"previous", "life", "support", "coping", "relationships", "work", "sleep_daily", "unknown", "more", "worst_case"}
)
"""Asks whose answer may be followed by a word about the telling itself."""
_SETTLED = frozenset({"homework", "summary", "consent", "check", "agenda"})
"""Asks that are agreed to or not, so that no thinking aloud goes before the answer."""
_OWN_SENTENCE = re.compile(r"(?:one|it|that|it's|that's|there's|what|we|life)\s.*\w|[A-HJ-Z]")
"""Habits that are sentences of their own and not tags on another."""
_LEADS_ON = (" but", " and", " so")
"""Ends of habits that something has to follow."""
_FRONT_HABITS = frozenset(
    {"i mean", "well", "look", "so", "honestly", "basically", "actually", "sorry", "i don't know", "like"}
)


def speak(request: Request) -> Answer:
    """The client's next turn, from its own View alone.

    The same view and seed give the same words; within a session no turn is said twice.
    """
    scene = Scene.of(request)
    if _walks_out(scene):
        text = scene.speech.pick(bank("client_frames")["leaving"])
        return Answer(text=text, end="the client left")
    return Answer(text=_fresh_turn(scene))


def _fresh_turn(scene: Scene) -> str:
    words = risk_words(scene)
    if words is not None:
        return _unsaid(scene, [_risk_turn(scene, words)])
    if "farewell" in scene.reading.asks:
        return _unsaid(scene, [answer(scene, "farewell")])
    if scene.since is not None and not scene.own:
        words_since = first_words(scene, scene.since) if scene.material.english else scene.since.event
        return colour(scene, words_since).around(words_since)
    if _holds_back(scene):
        held = [line for line in bank("client_frames")["held"] if scene.speech.fresh(line)]
        held = [line for line in held if scene.reading.asks or not _ABOUT_A_QUESTION.search(line)]
        if held:
            chosen = scene.chance.choice(held)
            voiced = _in_own_voice(scene, chosen)
            return voiced if gives_nothing(voiced) else chosen
    return _unsaid(scene, (_turn(scene) for _ in range(_TRIES)))


def _unsaid(scene: Scene, drafts: Iterator[str] | Sequence[str]) -> str:
    """The first draft not said before; when all were, generic words in a combination that was not."""
    tried: list[str] = []
    for draft in drafts:
        if scene.speech.fresh(draft) and not (scene.material.english and gives_nothing(draft)):
            return draft
        tried.append(draft)
    return next(text for text in _endless(tried[-1]) if scene.speech.fresh(text))


def _endless(draft: str) -> Iterator[str]:
    frames = bank("client_frames")
    leads = [*frames["leads"]["question"], *frames["leads"]["cool"]]
    pool = [*frames["exhausted"], *frames["unknown"]["say"]]
    yield from (f"{lead} {draft}" for lead in leads)
    for count in itertools.count(2):
        yield from (" ".join(parts) for parts in itertools.product(pool, repeat=count))


def _risk_turn(scene: Scene, words: list[str]) -> str:
    if words[0] != due(scene) or not scene.material.english or settling(scene):
        return " ".join(words)
    asks = asks_of(scene)
    before = [answer(scene, asks[0], short=True)] if asks and scene.tone != "cool" and not heavy_ask(scene) else []
    if scene.since:
        return " ".join([*before, scene.speech.pick(bank("client/since")["risk_lead"]), *words])
    heavy = [] if scene.tone == "cool" else [scene.speech.pick(bank("client_frames")["risk"]["heavy"])]
    return " ".join([*before, *heavy, *words])


def _turn(scene: Scene) -> str:
    parts = as_much_as(scene, core(scene))
    shade = colour(scene, " ".join(parts))
    if not scene.material.english:
        return shade.around(" ".join(_in_one_language(scene, parts)))
    text = _in_own_voice(scene, " ".join(parts))
    if shade.before or shade.after:
        return shade.around(text)
    remark = "" if scene.state.sustains else fit_remark(scene)
    back = "" if remark or not _SETTLED.isdisjoint(scene.reading.asks) else refers_back(scene)
    lead = back or _lead(scene, text)
    return " ".join(part for part in (lead, text, remark or _tail(scene, text)) if part)


def _in_one_language(scene: Scene, parts: list[str]) -> list[str]:
    """The parts in the client's own language and the numbers, if there are any; phrases are in English."""
    persona, pieces = scene.persona, (piece for facet in scene.material.facets.values() for piece in facet)
    told = "\n".join((*pieces, *(item.text for item in persona.disclosures)))
    own = [part for part in parts if part.rstrip(".") in told]
    return [part for part in parts if part in own or any(map(str.isdigit, part))] if own else parts


def _lead(scene: Scene, text: str) -> str:
    if _STARTS.match(text) or scene.exchange <= 1 or not _ROLE_PLAY.isdisjoint(scene.reading.asks):
        return ""
    if not scene.sometimes(0.15 if scene.register == "clipped" else 0.4):
        return ""
    recent = " ".join(scene.own[-3:])
    pool = scene.share(_leads(scene), lambda lead: lead not in recent)
    return scene.chance.choice(pool) if pool else ""


def _leads(scene: Scene) -> list[str]:
    leads: dict[str, list[str]] = bank("client_frames")["leads"]
    moods = scene.reading.moods
    if scene.tone == "cool":
        return leads["cool"] if not scene.reading.asks else leads["cool"][1:_NOT_A_YES] + leads["question"][:2]
    if "validation" in moods and not scene.reading.asks and scene.sometimes(0.5):
        return leads["kindness"]
    if "reflection" in moods or not scene.reading.asks:
        return leads["heard"][: None if not scene.reading.asks else _BARE_YES]
    if not _SETTLED.isdisjoint(scene.reading.asks):
        return []
    own = leads.get(scene.register, [])
    return own if own and scene.sometimes(0.5) else leads["question"]


def _tail(scene: Scene, text: str) -> str:
    room = scene.budget - len(text.split())
    if (
        scene.exchange <= 1
        or room < _TAIL_ROOM
        or text.endswith(('"', "?"))
        or not _TAILED.issuperset(scene.reading.asks)
    ):
        return ""
    if not scene.sometimes(0.3):
        return ""
    kind = {"warm": "open", "middle": "middle", "cool": "shut"}[scene.tone]
    pool = scene.share(bank("client_frames")["tails"][kind], scene.speech.fresh)
    return scene.chance.choice(pool) if pool else ""


def _in_own_voice(scene: Scene, text: str) -> str:
    """The text with one of the client's habits in it, every few turns."""
    habits = scene.persona.style.habits
    recent = " ".join(scene.own[-2:]).casefold()
    if (
        not _TAILED.issuperset(scene.reading.asks)
        or not habits
        or not scene.material.english
        or not scene.sometimes(0.45)
    ):
        return text
    if any(habit.strip(" ,.").casefold() in recent for habit in habits):
        return text
    return with_habit(text, scene.chance.choice(habits))


def with_habit(text: str, habit: str) -> str:
    """Put a habit phrase in front of a text, at the end of its first sentence, or after it, as the phrase needs."""
    bare = habit.strip(" ,.")
    if habit.endswith(",") or bare.casefold() in _FRONT_HABITS:
        return f"{bare[:1].upper()}{bare[1:]}, {_inside(text)}"
    if bare.endswith(_LEADS_ON):
        return f"{bare[:1].upper()}{bare[1:]} {_inside(text)}"
    if _OWN_SENTENCE.match(bare):
        return f"{text} {bare[:1].upper()}{bare[1:]}."
    if re.search(r"[^.?!\"]\.$", text):
        return f"{text[:-1]}, {bare}."
    return text


def _inside(text: str) -> str:
    """A text as it goes on after a word put in front of it."""
    first = text.split(" ", 1)[0]
    keeps = first == "I" or first.startswith(("I'", '"')) or not first.partition("'")[0].istitle()
    return text if keeps else text[:1].lower() + text[1:]


def _holds_back(scene: Scene) -> bool:
    """Whether this turn gives nothing; never for long, and never where an answer matters."""
    if not scene.material.english or scene.exchange <= 1 or not scene.own or has_something_to_say(scene):
        return False
    if scene.warmth >= COOL or scene.held_in_row >= _HELD_IN_ROW or not _NEVER_HELD.isdisjoint(scene.reading.asks):
        return False
    if sum(map(gives_nothing, scene.own)) > scene.exchange // 4:
        return False
    if scene.state.readiness is not None and not scene.state.refuses:
        return False
    rough = not scene.reading.moods.isdisjoint({"push", "advice", "lecture"})
    chance = (0.34 if scene.negative else 0.15) + 0.15 * rough - 0.15 * scene.held_in_row
    return scene.sometimes(chance)


def _walks_out(scene: Scene) -> bool:
    if scene.persona.attitude is not Attitude.NEGATIVE or scene.persona.risk.level or scene.exchange < _LONG_ENOUGH:
        return False
    pushes = sum("push" in turn.reading.moods for turn in scene.turns[-5:])
    return pushes >= _PUSHED_OUT and scene.warmth < _FROZEN and scene.sometimes(0.5)
