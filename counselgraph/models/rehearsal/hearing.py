"""What can be heard in a client's turn: thoughts, feelings, numbers, people, and how it meets the counselor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from counselgraph.models.rehearsal.words import capital, plain, sentences, trimmed

_QUOTED = re.compile(r"\"([^\"]{8,160})\"")
_SUBJECT = (
    r"(?:I|I'm|I'll|I'd|I've|my|no ?one|no ?body|every\w+|people|he|she|they|it|it's|there|there's|this|nothing|the|what if"
    r"|if|we|life|others|other people|one)\b"
)
_THOUGHT_FRAMES = re.compile(
    r"\b(?:I keep (?:on )?(?:thinking|telling myself|saying to myself)|I (?:just |always |still )?(?:tell|told) myself"
    r"|(?:all )?I(?: just| always| still| really)? (?:could )?(?:think|thought|believe|feel|felt|figure)"
    r"|the (?:thought|belief|idea|feeling|worry|fear)(?: is| was)?|what (?:goes|went) through my (?:mind|head) (?:is|was)"
    r"|(?:I'm|I am|I was|I get|I got) (?:\w+ly |so |just )?(?:afraid|scared|worried|terrified|convinced|certain|sure)"
    r"|it (?:would mean|means|says|tells me|proves|shows)|part of me (?:thinks|says|believes)"
    r"|I worry|I fear|my (?:first )?thought (?:is|was)|feeling|thinking)"
    rf"(?: like| as if| as though|,|:)?(?: that| is that| was that)?[,:]? (?P<thought>{_SUBJECT}[^.;!?\"]*)",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(
    r"\b(?:I(?:'m| am) (?:not |just |such |a |an |never |too |going to )|I (?:can't|can never|could never|will never|"
    r"always|never|should|must|have to|ought|don't deserve|ruin|fail)|no ?one|no ?body|everyone|everybody|nothing (?:I|will|ever))",
    re.IGNORECASE,
)
_CUT = re.compile(
    r",? (?:and|but|so|because|which|when|whenever|while|even though|although)\b|,|;| - | — ", re.IGNORECASE
)
_WISHES = re.compile(
    r"\b(?:I'm|I am) (?:hoping|looking forward|willing|ready|here|glad|grateful|open)\b", re.IGNORECASE
)

THOUGHT_WORDS = 16
"""Longest thought worth quoting, in words."""


def thought_in(text: str) -> str | None:
    """A thought the client states in this turn, in the client's own first-person words, capitalised; None if none."""
    said = plain(text)
    for quoted in _QUOTED.findall(said):
        if re.match(_SUBJECT, quoted, re.IGNORECASE) and len(quoted.split()) >= 3:
            return _clipped(quoted)
    for sentence in sentences(said):
        found = _THOUGHT_FRAMES.search(sentence)
        thought = _clipped(found["thought"]) if found else None
        if thought:
            return thought
    for sentence in sentences(said):
        bare = trimmed(sentence)
        if _ABSOLUTE.search(bare) and not sentence.endswith("?") and not _WISHES.search(bare):
            clipped = _clipped(bare)
            if clipped and _ABSOLUTE.search(clipped):
                return clipped
    return None


def _clipped(thought: str) -> str | None:
    bare = trimmed(thought)
    cuts = [cut.start() for cut in _CUT.finditer(bare)]
    for end in [len(bare), *reversed(cuts)]:
        piece = bare[:end].strip(" ,;")
        if len(piece.split()) <= THOUGHT_WORDS:
            return capital(piece) if _complete(piece) else None
    return None


def _complete(piece: str) -> bool:
    return len(piece.split()) >= 3 and re.search(r"\b(?:you|your)\b", piece, re.IGNORECASE) is None


FEELINGS: dict[str, tuple[str, str]] = {
    adjective: (adjective, noun)
    for adjective, noun in (
        ("ashamed", "the shame"),
        ("guilty", "the guilt"),
        ("anxious", "the anxiety"),
        ("sad", "the sadness"),
        ("angry", "the anger"),
        ("lonely", "the loneliness"),
        ("afraid", "the fear"),
        ("scared", "the fear"),
        ("worried", "the worry"),
        ("hopeless", "the hopelessness"),
        ("embarrassed", "the embarrassment"),
        ("overwhelmed", "the feeling of being overwhelmed"),
        ("nervous", "the nerves"),
        ("hurt", "the hurt"),
        ("frustrated", "the frustration"),
        ("jealous", "the jealousy"),
        ("inadequate", "the sense of not being enough"),
        ("numb", "the numbness"),
        ("stressed", "the stress"),
        ("helpless", "the helplessness"),
        ("disappointed", "the disappointment"),
        ("insecure", "the insecurity"),
        ("worthless", "the sense of being worth nothing"),
        ("exhausted", "the exhaustion"),
        ("empty", "the emptiness"),
        ("tense", "the tension"),
        ("humiliated", "the humiliation"),
        ("stuck", "the feeling of being stuck"),
        ("rejected", "the feeling of being turned away"),
        ("tired", "the tiredness"),
        ("miserable", "the misery"),
        ("panicky", "the panic"),
        ("relieved", "the relief"),
    )
}
_FEELING_FORMS = {
    "shame": "ashamed",
    "guilt": "guilty",
    "anxiety": "anxious",
    "sadness": "sad",
    "anger": "angry",
    "loneliness": "lonely",
    "fear": "afraid",
    "worry": "worried",
    "hopelessness": "hopeless",
    "embarrassment": "embarrassed",
    "nervousness": "nervous",
    "frustration": "frustrated",
    "jealousy": "jealous",
    "inadequacy": "inadequate",
    "stress": "stressed",
    "helplessness": "helpless",
    "disappointment": "disappointed",
    "insecurity": "insecure",
    "exhaustion": "exhausted",
    "emptiness": "empty",
    "tension": "tense",
    "humiliation": "humiliated",
    "panic": "panicky",
    "terrified": "scared",
    "relief": "relieved",
    "alone": "lonely",
}
_FEELING = re.compile(rf"\b({'|'.join([*FEELINGS, *_FEELING_FORMS])})\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|n't|never|less|no|without|hardly)\s+(?:\w+\s+)?$", re.IGNORECASE)


def feeling_in(text: str) -> str | None:
    """The first feeling named and not denied in this turn, as an adjective out of `FEELINGS`."""
    said = plain(text)
    for match in _FEELING.finditer(said):
        if not _DENIED.search(said[: match.start()]):
            word = match.group(1).lower()
            return _FEELING_FORMS.get(word, word)
    return None


_RATED = re.compile(
    r"\b(\d{1,3})\s*(?:%|percent\b|per cent\b|out of (?:100|a hundred)\b|/\s*100)|\b(\d{1,3})\b", re.IGNORECASE
)
_ASKS_NUMBER = re.compile(
    r"\b(?:from (?:0|zero) to (?:100|a hundred)|percent|per cent|how (?:sure|likely|much do you believe|strongly)|number|rating"
    r"|rate|where (?:is it|are you|would you put|do you put)|slice|the line)\b",
    re.IGNORECASE,
)
_TENS = {
    word: value
    for value, word in enumerate(
        ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "a hundred"), 1
    )
}
_TENS_WORD = re.compile(rf"\b({'|'.join(_TENS)})(?:[- ](five))?\b", re.IGNORECASE)


def asks_number(question: str) -> bool:
    """Whether a counselor's turn asks for a rating."""
    return _ASKS_NUMBER.search(question) is not None


def rating_in(text: str, *, asked: bool) -> int | None:
    """The last rating from 0 to 100 in this turn.

    Args:
        text: The client's turn.
        asked: Whether the counselor had just asked for a number, so that a bare one counts.
    """
    found = [
        int(marked or bare)
        for marked, bare in _RATED.findall(plain(text))
        if (marked or asked) and int(marked or bare) <= 100
    ]
    if found:
        return found[-1]
    words = _TENS_WORD.findall(text) if asked else []
    return _TENS[words[-1][0].lower()] * 10 + (5 if words[-1][1] else 0) if words else None


_PEOPLE = re.compile(
    r"\bmy (?:(?:old|older|younger|little|big|best|close) )?(boss|manager|supervisor|mother|mom|mum|father|dad|sister|brother"
    r"|wife|husband|partner|girlfriend|boyfriend|friends?|best friend|colleagues?|coworkers?|co-workers?|team|teacher|daughter"
    r"|son|kids|children|roommate|flatmate|parents|professor|coach|family|neighbou?r|classmates?|students?|clients?|customers?"
    r"|ex|brother-in-law|sister-in-law|mother-in-law|grand\w+|aunt|uncle|cousin)\b",
    re.IGNORECASE,
)


def person_in(text: str) -> str | None:
    """A person the client speaks of, from the counselor's side ("your boss")."""
    found = _PEOPLE.search(plain(text))
    return f"your {found.group(0)[3:].lower()}" if found else None


_WARM = re.compile(
    r"\b(?:that (?:helps|helped|makes sense|does help)|thank you|thanks|I (?:hadn't|had not|never) (?:thought|seen|looked|noticed)"
    r"|I (?:see|notice|realise|realize|can see)|good (?:point|question)|feels? (?:lighter|better|easier|different|fairer|kinder)"
    r"|I like that|I'd like to try|I could try|I can try|I want to try|hopeful|relie(?:f|ved)|it's true|that's fair|fair enough)\b",
    re.IGNORECASE,
)
_RESISTS = re.compile(
    r"\b(?:don't (?:see|get|know why|think (?:this|that|it) (?:will|would|can))|what(?:'s| is) the point|pointless|waste of time"
    r"|rather not|something else|with (?:all )?(?:due )?respect|easy for you|you (?:don't|wouldn't|can't) (?:know|understand|get)"
    r"|won't (?:help|change|work)|doesn't (?:help|change|work)|isn't going to (?:help|change|work)|do we have to|none of your"
    r"|if you say so|sounds like (?:a|one of those)|textbook|already tried|tried that|not (?:convinced|sure (?:this|that|it|how)))\b",
    re.IGNORECASE,
)
_ASKS_WHY = re.compile(
    r"\b(?:why (?:are|do) you|what(?:'s| is) (?:this|that) for|how (?:does|is|will|would) (?:this|that|it) )", re.IGNORECASE
)
_ASKS_VIEW = re.compile(
    r"\b(?:do you think|what would you|what do you think|am I (?:crazy|wrong|being)|is that (?:normal|weird|stupid))",
    re.IGNORECASE,
)
_CHECKS = re.compile(
    r"\b(?:does that make sense|do you know what I mean|you know what I mean|if that makes sense)\b", re.IGNORECASE
)


def stance(text: str, *, held: bool) -> str:
    """How a turn meets the counselor.

    Returns:
        One of "asks_why", "resists", "held", "asks_view", "checks", "warm" and "tells".
    """
    said = plain(text)
    tests: Sequence[tuple[str, bool]] = (
        ("asks_why", "?" in said and _ASKS_WHY.search(said) is not None),
        ("resists", _RESISTS.search(said) is not None),
        ("held", held),
        ("asks_view", "?" in said and _ASKS_VIEW.search(said) is not None),
        ("checks", _CHECKS.search(said) is not None),
        ("warm", _WARM.search(said) is not None),
    )
    return next((name for name, true in tests if true), "tells")


def last_of(found: Iterable[str | None]) -> str | None:
    """The last value that is not None."""
    kept = [value for value in found if value is not None]
    return kept[-1] if kept else None
