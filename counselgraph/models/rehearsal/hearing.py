"""What can be heard in a client's turn: thoughts, feelings, numbers, people, and how it meets the counselor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.talk import small_talk
from counselgraph.models.rehearsal.words import capital, plain, sentences, stands_alone, trimmed

SHORTEST, LONGEST = 3, 16
"""Words a thought has, at least and at most, to be worth quoting."""

_WHOLE = 12
"""Words up to which two halves joined by a bare "and" are one thought."""
_CLEAR = 4
"""Words before a comma or an "and" that make a thought of their own."""
_QUOTED = re.compile(r"\"([^\"]{8,160})\"")
_CUT = re.compile(r",? (?:and|but|so|because|which|even though|although)\b|,|;| - | — ", re.IGNORECASE)
_YOU = re.compile(r"\b(?:you|your)\b", re.IGNORECASE)


@lru_cache(maxsize=64)
def _heard(name: str, frame: str = r"\b(?:{})\b") -> re.Pattern[str]:
    cues = bank("hearing")[name]
    return re.compile(
        frame.format("|".join(sorted(cues.split(), key=len, reverse=True) if isinstance(cues, str) else cues)),
        re.IGNORECASE,
    )


@lru_cache(maxsize=1)
def _introduced() -> re.Pattern[str]:
    between = r"(?: like| as if| as though|,|:)?(?: that| is that| was that)?[,:]?"
    heard = bank("hearing")
    subject, before = "|".join(heard["subject"]), "|".join(heard["introduces"])
    return re.compile(rf"\b(?:{before}){between} (?P<thought>(?:{subject})\b[^.;!?\"]*)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def thought_in(text: str) -> str | None:
    """A thought the client states in this turn, in the client's own first-person words, capitalised; None if none."""
    said = plain(text)
    quoted = [part for part in _QUOTED.findall(said) if _heard("subject", r"^(?:{})\b").match(part)]
    said = _SORRY.sub("", said)
    told = [sentence for sentence in sentences(said) if not dark(sentence) and not small_talk(sentence)]
    introduced = [found["thought"] for found in map(_introduced().search, told) if found]
    stated = [sentence for sentence in map(trimmed, filter(_may_state, told)) if _states(sentence)]
    found = [
        *map(_whole, quoted),
        *map(_clipped, introduced),
        *(piece for piece in map(_clipped, stated) if piece and _states(piece)),
    ]
    return next((thought for thought in found if thought), None)


def _may_state(sentence: str) -> bool:
    return not sentence.endswith("?")


def _states(bare: str) -> bool:
    verdict = _heard("absolute", r"^(?:(?:when|if|because|since|sometimes|maybe|then)\b[^,]*,? )?(?:{})").search(bare)
    return verdict is not None and not _heard("resists").search(bare) and not _heard("wishes").search(bare)


def _whole(thought: str) -> str | None:
    bare = trimmed(thought)
    return capital(bare) if SHORTEST <= len(bare.split()) <= LONGEST and not _YOU.search(bare) else _clipped(thought)


def _clipped(thought: str) -> str | None:
    bare = trimmed(thought)
    whole = len(bare.split()) <= _WHOLE
    cuts = [cut.start() for cut in _CUT.finditer(bare) if not (whole and cut.group().strip().casefold() == "and")]
    for end in [*(cut for cut in cuts if len(bare[:cut].split()) >= _CLEAR and stands_alone(bare[:cut])), len(bare)]:
        piece = bare[:end].strip(" ,;")
        if len(piece.split()) <= LONGEST:
            return capital(piece) if len(piece.split()) >= SHORTEST and not _YOU.search(piece) else None
    return None


_FELT = re.compile(
    r"\b(?:feel|feels|feeling|felt|am|I'm|was|so|be|get|got)\s+(?:(?:so|very|just|really|quite|a bit)\s+)?$",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:looks?|looked|seems?|seemed|sounds?|sounded"
    r"|(?:they|he|she|somebody|everyone)(?:'d be|'re|'s| would be| was| were| is| are))"
    r"\s+(?:(?:so|very|just|really)\s+)?$",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\b(?:not|never|less|no|without|hardly|nobody(?:'s)?|no one(?:'s)?)|n't)\s+(?:\w+\s+)?$", re.IGNORECASE
)


_SORRY = re.compile(
    r"\bI'm afraid\b"
    r"(?=\s*(?:$|[.,;!?]|not\b|so\b|it's\b|that's\b|there's\b|there is\b|I (?:can't|don't|haven't|didn't|won't)\b))",
    re.IGNORECASE,
)
"""Being afraid as a way of saying sorry."""


@lru_cache(maxsize=4096)
def feeling_in(text: str) -> str | None:
    """The first feeling named and not denied in this turn, as an adjective ("ashamed")."""
    forms, only = bank("hearing")["feeling_forms"], bank("hearing")["felt_only"].split()
    said = _SORRY.sub("", plain(text))
    for match in _feelings().finditer(said):
        word, before = match.group(1).lower(), said[: match.start()]
        if not _DENIED.search(before) and not _OTHERS.search(before) and (word not in only or _FELT.search(before)):
            return str(forms.get(word, word))
    return None


def feeling_noun(adjective: str) -> str:
    """What to call a feeling found by `feeling_in` ("the shame")."""
    return str(bank("hearing")["feelings"][adjective])


@lru_cache(maxsize=1)
def _feelings() -> re.Pattern[str]:
    words = [*bank("hearing")["feelings"], *bank("hearing")["feeling_forms"]]
    return re.compile(
        rf"\b({'|'.join(words)})\b(?! (?:myself|someone|somebody|anyone|him|her|them|me|you)\b)", re.IGNORECASE
    )


_HIGHEST = 100
_MARKED = r"\b(\d{1,3})\s*(?:%|percent\b|per cent\b|out of (?:100|a hundred)\b|/\s*100)"
_BARE = r"(?<!day )(?<!age )\b(\d{1,3})\b(?! ?(?:\w+s|minutes?|hours?|days?|weeks?|years?|people|of)\b)"
_PAST = re.compile(r"\b(?:not|from|instead of|than|was(?: at)?|said|were at) \d{1,3}\b(?! (?:to|now))", re.IGNORECASE)
_RATED = re.compile(f"{_MARKED}|{_BARE}", re.IGNORECASE)
_TENS = ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "a hundred")
_TENS_WORD = re.compile(
    rf"\b({'|'.join(_TENS)})(?:[- ](five))?\b(?! (?:minutes?|hours?|days?|weeks?|months?|years?|people|times?|of)\b)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def asks_number(question: str) -> bool:
    """Whether a counselor's turn asks for a rating."""
    return _heard("asks_number").search(question) is not None


@lru_cache(maxsize=8192)
def rating_in(text: str, *, asked: bool) -> int | None:
    """The last rating from 0 to 100 in this turn.

    Args:
        text: The client's turn.
        asked: Whether the counselor had just asked for a number, so that a bare one or a word counts.
    """
    pairs = _RATED.findall(_PAST.sub("", plain(text)))
    found = [int(marked or bare) for marked, bare in pairs if marked or asked]
    found = [number for number in found if number <= _HIGHEST]
    if found or not asked:
        return found[-1] if found else None
    words = _TENS_WORD.findall(text)
    return (_TENS.index(words[-1][0].lower()) + 1) * 10 + (5 if words[-1][1] else 0) if words else None


@lru_cache(maxsize=4096)
def person_in(text: str) -> str | None:
    """A person the client speaks of, from the counselor's side ("your boss")."""
    frame = r"\bmy (?:(?:old|older|younger|little|big|best|close) )?(?:{})\b"
    found = _heard("people", frame).search(plain(text))
    return f"your {found.group(0)[3:].lower()}" if found else None


_BRIEF = 8
"""Words up to which a turn that starts with a yes is no more than a yes."""


@lru_cache(maxsize=4096)
def stance(text: str, *, held: bool) -> str:
    """How a turn meets the counselor.

    Returns:
        One of "asks_why", "resists", "held", "asks_view", "checks", "agrees", "warm" and "tells".
    """
    said = plain(text)
    asks, brief = said.endswith("?"), len(said.split()) <= _BRIEF
    fits = {
        "asks_why": asks,
        "resists": True,
        "held": held,
        "asks_view": asks,
        "checks": asks,
        "agrees": brief,
        "warm": True,
    }
    for name, may in fits.items():
        if may and (name == "held" or _heard(name).search(said)):
            return name
    return "tells"


@lru_cache(maxsize=4096)
def moves(text: str) -> bool:
    """Whether a turn says that something has moved: a doubt about the old thought, or some relief."""
    return _heard("moves", r"(?:{})").search(plain(text)) is not None


def unconvinced(text: str) -> bool:
    """Whether a word on the summary keeps its distance."""
    return _heard("unconvinced", r"(?:{})").search(plain(text)) is not None


def wordless(text: str) -> bool:
    """Whether somebody who was asked for a thought says that it was none, but a picture or a feeling."""
    return _heard("wordless", r"(?:{})").search(plain(text)) is not None


def outcome(text: str) -> str:
    """What came of a task, by the client's report: "undone", "half" or "done"."""
    return next((kind for kind in ("undone", "half") if _heard(kind, r"(?:{})").search(plain(text))), "done")


_DAYS_SINCE = 3
"""Sentences at the start of a turn that say how it has been."""


def let_go(text: str) -> bool:
    """Whether a client says that the trouble has lost its grip."""
    return _heard("grip", r"(?:{})").search(plain(text)) is not None


@lru_cache(maxsize=4096)
def fares(text: str) -> str:
    """How somebody who comes back says it has been: "relapse", "worse", "better" or "same"."""
    told = sentences(text)[:_DAYS_SINCE]
    if let_go(" ".join(told)):
        return "better"
    kinds = ("relapse", "worse", "better")
    return next((kind for kind in kinds if any(_heard(kind, r"(?:{})").search(said) for said in told)), "same")


@lru_cache(maxsize=4096)
def dark(text: str) -> bool:
    """Whether a turn speaks of dying or self-harm, even to deny it."""
    return _heard("dark").search(plain(text)) is not None


def heavy(clause: str) -> bool:
    """Whether a clause asks to be met with care rather than with a nod."""
    return _heard("heavy").search(clause) is not None


def last_of(found: Iterable[str | None]) -> str | None:
    """The last value that is not None."""
    kept = [value for value in found if value is not None]
    return kept[-1] if kept else None
