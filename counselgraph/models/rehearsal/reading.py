"""Understanding the counselor: what a turn asks for and how it treats the client, read from cues alone.

The client must be able to answer any counselor, a language model or a person too, so nothing here knows who spoke.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.lines import steps_of_all, tasks_offered
from counselgraph.models.rehearsal.words import plain, sentences
from counselgraph.protocols.technique import ApproachName

RATINGS = frozenset(
    {"rate_belief", "rate_sure", "rate_likely", "rate_share", "rate_place", "rate_fear", "rate_prediction"}
)
LONG_TURN = 75
"""Words from which a turn without a question is a lecture."""

_ALWAYS = ("risk_question", "risk_means", "risk_protective", "safety_step", "farewell")
_ALIASES = {
    "believe_rating": "rate_belief",
    "thinking": "thought",
    "moment": "situation",
    "find_the_rule": "find_rule",
    "habits": "behaviour",
    "miracle": "goals",
    "reach_out": "support",
}
STEP_ASKS = {
    "feeling": "feeling_action",
    "own_share": "rate_share",
    "how_likely": "rate_likely",
    "draw_line": "rate_place",
    "place_again": "rate_place",
}
"""Steps that the client hears as something else than their name says."""
_DARK = re.compile(
    r"\b(?:those|these|the) thoughts\b|\bact on\b|\bdo it\b|hurt|\bdie\b|dying|pills|weapon|would use|intend to|in mind"
    r"|within reach",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"[^\"]*\"")
_TENS = frozenset({"importance_number", "confidence_number", "number_now", "good_enough", "where_it_is_missing"})
_HAS_NUMBERS = _TENS | frozenset({"share_out", "ladder", "place_others", "fill_ends", "list_causes", "read_the_pie"})
_RATED_STEPS = {"weigh_readings": "rate_sure", "balanced_thought": "rate_belief"}
"""Steps that go with a second rating, often asked for in few words."""
_OUT_OF_TEN = re.compile(r"\b(?:0|zero|1|one)(?:, [^,?]*,)? (?:to|and|through) (?:10|ten)\b", re.IGNORECASE)
_STEM = 4
"""Letters a topic word has at least, without its ending."""
_ASKING = ("first", "next", "intake", "again", "close", "when")
"""Parts of a step's words that ask for what the step is about."""
_WORD = re.compile(r"[a-z][a-z'-]{2,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the client takes a counselor turn to be.

    Attributes:
        asks: What is asked for, in the order of asking; empty when nothing is asked.
        moods: How the client is treated ("reflection", "validation", "advice", "push", "lecture").
        questions: Number of questions.
        question: The words of the questions, for looking up a topic.
        text: The whole turn.
    """

    asks: tuple[str, ...]
    moods: frozenset[str]
    questions: int
    question: str
    text: str

    @property
    def about_risk(self) -> bool:
        """Whether the turn asks about suicide or self-harm, or takes a step to keep the client safe."""
        return any(ask in self.asks for ask in ("risk_question", "risk_means", "risk_protective", "safety_step"))


@lru_cache(maxsize=4096)
def read(text: str) -> Reading:
    """Read one counselor turn."""
    said = list(sentences(text))
    asking = [sentence for sentence in said if _is_request(sentence)]
    moods = _moods(said)
    known = _known_step(plain(text))
    return Reading(
        asks=_closer(
            _with_rating(known, asking)
            if known
            else _asks([_unquoted(s) for s in said], [_unquoted(s) for s in asking]),
            asking,
        ),
        moods=moods | {"lecture"} if not asking and len(text.split()) >= LONG_TURN else moods,
        questions=sum(sentence.endswith("?") for sentence in said),
        question=" ".join(asking),
        text=plain(text),
    )


@lru_cache(maxsize=4096)
def content_words(text: str, *, stems: bool = True) -> frozenset[str]:
    """Words of a text that carry its topic; their stems, unless asked otherwise."""
    words = (word for word in _WORD.findall(plain(text).casefold().replace("'s ", " ")) if word not in _small_words())
    return frozenset(map(_stem, words) if stems else words)


def _is_request(sentence: str) -> bool:
    return sentence.rstrip('"').endswith("?") or _pattern("request").search(sentence) is not None


def _unquoted(sentence: str) -> str:
    """A sentence whose quotations, which are the client's own words, cannot be taken for cues."""
    return _QUOTED.sub('"..."', sentence)


def _known_step(text: str) -> str | None:
    """The ask of a step that is put in words this model's own counselor uses too."""
    return next((ask for ask, pattern in _step_patterns() if pattern.search(text)), None)


def _closer(asks: tuple[str, ...], asking: list[str]) -> tuple[str, ...]:
    """The asks, with a proposed topic told from one to be chosen, and a second rating asked for in few words."""
    if "agenda" in asks and any(_pattern("proposal").search(sentence) for sentence in asking):
        return tuple("agenda_agree" if ask == "agenda" else ask for ask in asks if ask != "consent")
    step = next((ask for ask in asks if ask in _RATED_STEPS), None)
    rated = step is None or not RATINGS.isdisjoint(asks)
    if step is None or rated or not any(_pattern("number_again").search(sentence) for sentence in asking):
        return asks
    return (*(ask for ask in asks if ask != "thought"), _RATED_STEPS[step])


def _with_rating(ask: str, asking: list[str]) -> tuple[str, ...]:
    if ask in RATINGS or ask in _HAS_NUMBERS:
        return (ask,)
    ratings = [rating for rating in map(_rating, asking) if rating is not None]
    return (ask, *ratings[-1:])


@lru_cache(maxsize=1)
def _step_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    found: list[tuple[str, re.Pattern[str]]] = []
    for approach, step, parts in steps_of_all():
        ask = next(iter(parts.get("heard_as", ())), STEP_ASKS.get(step, step))
        lines = [line for kind in _ASKING for line in parts.get(kind, ())]
        # A person-centred step may be a statement, and is answered as the step that it is.
        asking = [line for line in lines if approach is not ApproachName.CBT or _is_request(line)]
        found.extend((ask, _template(line)) for line in asking)
    return (*found, *(("homework", _template(line)) for line in tasks_offered()))


def _template(line: str) -> re.Pattern[str]:
    words = (re.escape(piece) for piece in re.split(r"\{\w+\}", plain(line)))
    return re.compile(".{1,240}?".join(words))


def _asks(said: list[str], asking: list[str]) -> tuple[str, ...]:
    whole = " ".join(said)
    found = [kind for kind in _ALWAYS if _pattern(kind).search(whole)]
    found = [kind for kind in found if kind in {"farewell", "safety_step"} or asking]
    if "farewell" in found and asking and _asks_something(asking):
        found.remove("farewell")
    if "risk_means" in found and "risk_question" not in found and not _dark(whole):
        found.remove("risk_means")
    for sentence in asking:
        found.extend(ask for ask in (_ask(sentence), _rating(sentence)) if ask is not None and ask not in found)
    if "rate_belief" in found and not RATINGS.isdisjoint(set(found) - {"rate_belief"}) and "believe" not in whole:
        found.remove("rate_belief")
    if asking and not found:
        found.append(_ask(" ".join(said[-2:])) or "unknown")
    return tuple(found)


def _asks_something(asking: list[str]) -> bool:
    return any(_ask(sentence) not in {None, "check", "consent", "how_are_you"} for sentence in asking)


def _dark(text: str) -> bool:
    return _DARK.search(text) is not None


@lru_cache(maxsize=8192)
def _ask(sentence: str) -> str | None:
    for ask, pattern in _ask_patterns():
        if pattern.search(sentence):
            return _ALIASES.get(ask, ask.removesuffix("_too"))
    return None


@lru_cache(maxsize=8192)
def _rating(sentence: str) -> str | None:
    """A rating asked for along with something else."""
    if _ask(sentence) in _HAS_NUMBERS or _OUT_OF_TEN.search(sentence) or not _pattern("number").search(sentence):
        return None
    return next((ask for ask, pattern in _ask_patterns() if ask in RATINGS and pattern.search(sentence)), None)


def _moods(said: list[str]) -> frozenset[str]:
    kinds: list[str] = list(bank("client_reading")["moods"])
    found = frozenset(kind for kind in kinds for sentence in said if _pattern(kind).search(sentence))
    return found - {"reflection", "validation"} if "push" in found else found


@lru_cache(maxsize=32)
def _pattern(kind: str) -> re.Pattern[str]:
    cues = bank("client_reading")
    raw = cues.get(kind) or cues["moods"][kind]
    return re.compile(raw if isinstance(raw, str) else "|".join(raw), re.IGNORECASE)


@lru_cache(maxsize=1)
def _ask_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    asks: dict[str, list[str]] = bank("client_reading")["asks"]
    return tuple((ask, re.compile("|".join(cues), re.IGNORECASE)) for ask, cues in asks.items())


@lru_cache(maxsize=1)
def _small_words() -> frozenset[str]:
    return frozenset(bank("client_lexicon")["small_words"].split())


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[: -len(ending)]
    return word
