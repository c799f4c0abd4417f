"""What the client says to what it was asked, before the small talk around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.fitting import by_thought, facts, happened, moment
from counselgraph.models.rehearsal.client.homework import report, report_since, task_of
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.since import known_piece, may_tell_again
from counselgraph.models.rehearsal.client.wording import slots_for
from counselgraph.models.rehearsal.reading import RATINGS, content_words
from counselgraph.models.rehearsal.slotted import filled, with_slots
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.words import plain
from counselgraph.personas.interlude import Homework
from counselgraph.personas.persona import Disclosure, When
from counselgraph.protocols.technique import ApproachName

_SLIGHT = frozenset({"check", "consent", "unknown", "more", "how_are_you"})
"""Asks that are passed over when something more definite is asked in the same turn."""

_OFTEN_OWN_WORDS = frozenset(
    {"nod", "validation", "advice", "lecture", "unknown", "evidence_against", "what_it_costs", "cons", "rule_origin"}
)
"""Asks that are often answered with a phrase although something is left to tell."""

_MOODS = ("push", "advice", "lecture", "validation")
"""What is reacted to when nothing is asked, the strongest first."""

_SAME_WORDS = RATINGS | {"list_causes", "share_out", "ladder", "lowest_rung", "summary", "second_try"}
"""Asks whose answers take up the words of an earlier one."""
_FIRST_AGAIN = {"agenda": "agenda_next", "how_are_you": "since_then", "opening": "since_then"}
"""What asks become in a later session."""
_AFTER_FIRST = {"agenda": "agenda_next", "how_are_you": "more", "opening": "more", "since_then": "more"}
"""The same in a course, once the client has told how it has been."""
_ANYTHING = ("nod", "unknown", "how_are_you", "their_story")
_OF_THE_DAYS = (*_ANYTHING, "situation", "how_bad")
"""Asks that can be answered with what has happened since the last session, and those of them where it was hard."""
_CLOSING = frozenset({"summary", "homework", "farewell", "what_stays"})
_BRIEF = 10
"""Words that even the tersest client spends."""
_OPENING_EXCHANGES = 2
_SHORTEST = 4
"""Words a sentence has at least to be told without the one after it."""
_TOUCHED = 0.5
"""Share of a topic's words a question has to contain to be about it."""
_RE_RATED = frozenset({"weigh_readings", "balanced_thought"})
"""Steps that ask for a second rating, whether or not a first one was given."""
_EASED = 20
"""By how much a rating that is given for the first time after the work lies below one given before it."""
_QUOTED = re.compile(r"\"[^\"]*\"")
_CORRECTS = 0.25
"""Share of proposals that are put right rather than agreed to."""


def asks_of(scene: Scene) -> list[str]:
    """What this client answers of what was asked: at most two things, and one when its guard is up."""
    asks = list(scene.reading.asks)
    definite = [ask for ask in asks if ask not in _SLIGHT]
    asks = definite or asks
    if "feeling" in asks and "behaviour" in asks:
        asks = ["feeling_action", *(ask for ask in asks if ask not in {"feeling", "behaviour"})]
    if scene.exchange <= _OPENING_EXCHANGES and not scene.own:
        asks = ["opening" if ask in {"unknown", "more", "agenda", "feeling"} else ask for ask in asks]
    if scene.returning:
        again = _AFTER_FIRST if scene.since and scene.own else _FIRST_AGAIN
        asks = [again.get(ask, ask) for ask in asks]
        owed = scene.since.homework is not Homework.NONE if scene.since else task_of(scene) is not None
        asks = ["since_then" if ask == "homework_review" and not owed else ask for ask in asks]
    if scene.held_in_row:
        asks = ["unknown" if ask in {"consent", "check"} else ask for ask in asks]
    ratings = [ask for ask in asks if ask in RATINGS]
    if len(asks) > 1 and ratings:
        return (
            [next(ask for ask in asks if ask not in ratings), ratings[0]] if len(ratings) < len(asks) else ratings[:1]
        )
    return asks[: 1 if scene.tone == "cool" else 2]


def core(scene: Scene) -> list[str]:
    """The sentences that answer the counselor's turn, each fresh as far as there are fresh ones left."""
    asks = asks_of(scene)
    disclosed = disclosure(scene)
    if disclosed is not None:
        return [disclosed, *(answer(scene, ask, short=True) for ask in asks if ask in RATINGS)]
    if not asks:
        return _reaction(scene)
    parts = [answer(scene, ask, short=len(asks) > 1) for ask in asks]
    return _extended(scene, asks[-1], parts)


def _reaction(scene: Scene) -> list[str]:
    mood = next((mood for mood in _MOODS if mood in scene.reading.moods), "nod")
    if not scene.own:
        return [answer(scene, "opening")]
    return _extended(scene, mood, [answer(scene, mood)])


def answer(scene: Scene, ask: str, *, short: bool = False) -> str:
    """One answer to one ask."""
    entry = entry_for(ask)
    fitted = _fitted(scene, ask, entry)
    if fitted is not None:
        return fitted
    told = _tell(scene, entry, short=short)
    if told is not None and (not entry.get("say") or scene.sometimes(_tell_first(ask))):
        return told
    lines = says(scene, ask, entry)
    return _choose(scene, lines, again=ask in _SAME_WORDS) or told or _fallback(scene, ask)


def _fitted(scene: Scene, ask: str, entry: dict[str, Any]) -> str | None:
    """An answer that has to fit the matter more closely than any answer of its kind would; None to answer as usual."""
    if not scene.material.english:
        return None
    if ask == "homework_review" and scene.since is not None:
        return _choose(scene, report_since(scene, scene.since, entry)) or _fallback(scene, ask)
    if ask == "homework_review" and (task := task_of(scene)) is not None:
        return _choose(scene, report(scene, task, entry)) or _fallback(scene, ask)
    if ask == "homework_review":
        return scene.speech.pick(entry["first"])
    days = scene.hard_days and scene.untold("since")
    if ask == "situation" and not days and not any(map(happened, scene.untold("situations"))):
        return _choose(scene, moment(scene, entry))
    if ask == "agenda_agree" and scene.sometimes(_CORRECTS):
        return _choose(scene, filled(entry["corrects"], slots_for(scene, ask)))
    if "weigh" in entry and (found := facts(scene, ask, entry)):
        frames = [frame for frame in entry["frame"] if scene.speech.fresh(frame)]
        return f"{scene.chance.choice(frames)} {found[0]}" if frames else found[0]
    if "by_thought" in entry and (lines := by_thought(scene, entry)) and (scene.tone != "cool" or scene.sometimes(0.5)):
        return _choose(scene, lines)
    return None


def _tell_first(ask: str) -> float:
    return 0.65 if ask in _OFTEN_OWN_WORDS else 1.0


def says(scene: Scene, ask: str, entry: dict[str, Any]) -> list[str]:
    """The answers to an ask that this persona can give in this tone."""
    slots = slots_for(scene, ask)
    if ask == "summary" and _of_other_matters(scene, slots.get("quote", "")):
        slots.pop("quote", None)
    if ask in RATINGS and "before" in slots:
        moved = "same" if slots["n"] == slots["before"] else "higher" if ask == "rate_place" else "lower"
        return filled(entry[f"again_{moved}"], slots)
    if ask in RATINGS and scene.since and (scene.gain or scene.since.relapse):
        kind = "place" if ask == "rate_place" else "back" if scene.since.relapse else "down"
        return filled(bank("client/since")["ratings"][kind], slots)
    if "late" in entry and not _RE_RATED.isdisjoint(scene.reading.asks):
        return filled(entry["late"], slots | {"n": str(max(int(slots["n"]) - _EASED, 0))})
    own = entry.get(scene.tone, [])
    plain = entry.get("say", [])
    personal = filled(with_slots([*plain, *own]), slots)
    if scene.sometimes(entry.get("own_words", 0)) and _any_fresh(scene, personal):
        plain, own = with_slots(plain), with_slots(own)
    if scene.tone == "cool" and own and scene.sometimes(0.9):
        return filled(own, slots) + filled(plain, slots) * (not _any_fresh(scene, filled(own, slots)))
    return filled([*plain, *own], slots)


def _of_other_matters(scene: Scene, thought: str) -> bool:
    """Whether a summary does not name this thought."""
    return normal(thought) not in normal(scene.turns[-1].counselor)


def _any_fresh(scene: Scene, lines: Sequence[str]) -> bool:
    return any(not scene.told(line) for line in lines)


def _choose(scene: Scene, lines: Sequence[str], *, again: bool = False) -> str | None:
    """A line not said before; with `again`, one that may use the words of an earlier turn."""
    once = bank("client/since")["not_again"] if scene.since else ()
    fresh = scene.share(lines, scene.speech.fresh if again else lambda line: not scene.told(line))
    fresh = [line for line in fresh if not any(words in line for words in once)]
    brief = [line for line in fresh if len(line.split()) <= max(scene.budget, _BRIEF) * 1.5]
    return scene.chance.choice(brief or fresh) if fresh else None


def _tell(scene: Scene, entry: dict[str, Any], *, short: bool) -> str | None:
    facets = entry.get("tell", [])
    if entry in map(entry_for, _OF_THE_DAYS if scene.hard_days else _ANYTHING) and scene.since:
        facets = ["since", *facets]
    lines = scene.untold(*facets)
    if not lines or (scene.since and lines[0] not in scene.untold("since") and not may_tell_again(scene)):
        return None
    if entry in (entry_for("unknown"), entry_for("nod")):
        lines = scene.nearest(lines)
    line = _shortened(scene, lines[0])
    if scene.since and scene.material.english:
        return line if lines[0] in scene.untold("since") else known_piece(scene, line)
    if not scene.material.english or lines[0] not in scene.material.facets.get(facets[0], ()):
        return line
    frames = filled(entry.get("frame", []), slots_for(scene, ""))
    if entry.get("framed") == "always":
        return f"{scene.speech.pick(frames)} {line}"
    frames = [frame for frame in frames if scene.speech.fresh(frame)]
    talks = not short and scene.persona.style.verbosity > 1 and scene.sometimes(0.4)
    return f"{scene.chance.choice(frames)} {line}" if talks and frames else line


def _shortened(scene: Scene, line: str) -> str:
    """The first sentence of a piece alone, for a client who says little and has a guard up."""
    if len(line.split()) <= max(scene.budget, 12) * 1.5:
        return line
    head, stop, _rest = line.partition(". ")
    return f"{head}." if stop and len(head.split()) >= _SHORTEST else line


def _extended(scene: Scene, ask: str, parts: list[str]) -> list[str]:
    """The parts and, for a client who talks, one more piece of the story."""
    words = sum(len(part.split()) for part in parts)
    if words >= scene.budget * 0.75 or ask in {"farewell", "first_try", "second_try", "hold_ground", "i_sentence"}:
        return parts
    topics = entry_for(ask).get("add", [])
    if scene.since:
        topics = ["since"] if entry_for(ask) in map(entry_for, _ANYTHING) else []
    more = [line for line in scene.untold(*topics) if line not in " ".join(parts)]
    return [*parts, more[0]] if more else parts


def _fallback(scene: Scene, ask: str) -> str:
    frames = bank("client_frames")
    if not scene.material.english:
        return scene.speech.pick(frames["plain"])
    other = says(scene, "unknown", frames["unknown"])
    run_out = [line for line in frames["exhausted"] if scene.speech.fresh(line)]
    if run_out and ask not in {"unknown", "nod", *_MOODS} and scene.sometimes(0.5):
        return str(scene.chance.choice(run_out))
    return _tell(scene, frames["unknown"], short=True) or _choose(scene, other) or scene.speech.pick(other)


def disclosure(scene: Scene) -> str | None:
    """Something the persona tells only on a condition, when the condition is met now."""
    if scene.since and not _CLOSING.isdisjoint(scene.reading.asks):
        return None
    for item in scene.persona.disclosures:
        if item.text != scene.state.withheld and not scene.told(item.text) and _may_tell(scene, item):
            if scene.since and scene.material.english:
                return known_piece(scene, item.text) if may_tell_again(scene) else None
            return item.text if _touched(scene, item) or not scene.material.english else f"{_led_to(item)} {item.text}"
    return None


def _led_to(item: Disclosure) -> str:
    """Words that bring up what nobody asked about."""
    kin = item.topic.casefold() in bank("client_lexicon")["people"].split()
    return f"My {item.topic}, for instance." if kin else "There's another thing."


def _touched(scene: Scene, item: Disclosure) -> float:
    """Share of the topic's words in what the counselor asked; the client's own words said back ask for nothing.

    In a question about something else, "what would you want them to hear?", only the very words count.
    """
    stems = set(scene.reading.asks) <= _SLIGHT
    topic, asked = content_words(item.topic, stems=stems), _QUOTED.sub("", plain(scene.reading.question))
    return len(topic & content_words(asked, stems=stems)) / len(topic) if topic else 0


def _may_tell(scene: Scene, item: Disclosure) -> bool:
    touched = _touched(scene, item)
    match item.when:
        case When.ASKED_DIRECTLY:
            return touched == 1
        case When.ASKED:
            return touched >= _TOUCHED
        case When.TRUSTED:
            return scene.tone == "warm" and (touched >= _TOUCHED or _opens_up(scene))
        case When.FREELY:
            return touched >= _TOUCHED or _opens_up(scene)


def _opens_up(scene: Scene) -> bool:
    """Whether this is a moment for telling something unasked."""
    asks = set(scene.reading.asks)
    return scene.exchange > _OPENING_EXCHANGES and asks <= _SLIGHT and scene.sometimes(0.5)


@lru_cache(maxsize=128)
def entry_for(ask: str) -> dict[str, Any]:
    """The bank entry of an ask; an ask without one is answered like an unknown question."""
    answers, frames = bank("client_answers"), bank("client_frames")
    entry: dict[str, Any] = answers.get(ask) or frames.get(ask) or _of_approach(ask) or frames["unknown"]
    return entry


def _of_approach(ask: str) -> dict[str, Any] | None:
    """The entry of a step of an approach that has a bank of its own."""
    banks = (bank(f"client/{approach}") for approach in ApproachName if approach is not ApproachName.CBT)
    return next((own[ask] for own in banks if ask in own), None)
