"""What a form's sentences say about thoughts, feelings and actions, in the form a client can speak.

Nothing is invented: every thought is a clause of the form, every emotion a word of it. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from counselgraph.personas.persona import Conceptualization

_TAIL = re.compile(
    r",? (?:despite|even though|whereas|leading|leaving|causing|making (?:me|it|them)|resulting|prompting|affecting"
    r"|due to|which (?:has|have|is|was|makes|made|led|leads|can|further|only|then)|and (?:this|these|it'?s|that) "
    r"|but (?:this|these|it|the)|so i|especially|particularly)\b.*|[;:\u2013\u2014].*|\.$",
    re.IGNORECASE,
)
_SUBJECT = (
    r"(?:i|i'm|i'll|i've|i'd|he|she|they|it|it's|we|you|people|everyone|everybody|others|other people|no[ -]?one|nobody"
    r"|nothing|something|everything|someone|if|my|his|her|their|the|this|there|being|all|any|life|things)"
)
_FINITE = re.compile(
    r"\b(?:am|is|are|was|were|will|would|can|could|can't|cannot|won't|must|may|might|should|do|does|don't|doesn't|has"
    r"|have|had|i'm|i'll|i've|it's|isn't|aren't|makes?|thinks?|needs?|prevents?|means?|deserve|hates?|judges?|dislikes?"
    r"|\w+ed)\b",
    re.IGNORECASE,
)
_THAT = re.compile(
    r"\b(?:believe|belief|think|thought|thinking|fear|afraid|worry|worried|worrying|feel|feeling|felt|convinced|assume"
    r"|assuming|conviction|idea|sense|concerned|dread) (?:that|like|as if|as though) "
    rf"(?P<clause>{_SUBJECT}\b.+)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\b(?:i|me) (?:\w+ )?(?:believe|think|fear|worry|assume|feel) "
    r"(?P<clause>(?:i|he|she|they|people|everyone|no one|nobody|others)\b.+)",
    re.IGNORECASE,
)
_FEAR_OF = re.compile(
    r"\b(?:fear|afraid|scared|terrified|worried|worry|worries) (?:of|about) (?P<clause>(?:not )?\w+ing\b.+)",
    re.IGNORECASE,
)
_LIKE_A = re.compile(
    r"\b(?:feel(?:ing)?|am|i'm) like (?P<clause>an? [\w' -]+?)(?= because| since| when| due|[.,;]|$)", re.IGNORECASE
)
_LACK = re.compile(r"\bmy (?:perceived )?lack of (?P<clause>[\w' -]+)", re.IGNORECASE)
_DOUBT = re.compile(r"\b(?:doubt|doubting|doubts about) my ability to (?P<clause>[\w' -]+)", re.IGNORECASE)
_BLAME = re.compile(r"\b(?P<clause>self-blame|(?:blame|blaming|berate|berating) myself)\b", re.IGNORECASE)
_FEAR_STOP = re.compile(
    r" (?:started|began|has|have|is|are|was|were|which|that|due to|because|and)\b.*|[.,;].*", re.IGNORECASE
)
_NO_THOUGHT = re.compile(
    r"^(?:the (?:main )?(?:cause|stress|problem|issue|reason)|this is|it is due|it was)\b", re.IGNORECASE
)
_WORDS = 26

_BELIEFS = (
    ("I am worthless.", r"\bworthless(?:ness)?\b"),
    ("I am unlovable.", r"\bunlov(?:able|ed)\b"),
    ("I am a failure.", r"\b(?:a|feelings? of|like a) failure\b"),
    ("I am not good enough.", r"\binadequa(?:te|cy)\b|\bnot good enough\b"),
    ("I can't do anything right.", r"\bincompeten(?:t|ce)\b"),
    ("I am helpless.", r"\bhelpless(?:ness)?\b|\bpowerless(?:ness)?\b"),
    ("I am a burden.", r"\b(?:a|being a) burden\b"),
)
_EMOTIONS = (
    ("anxiety", r"anxiety|anxious"),
    ("fear", r"fear(?:ful)?|afraid|scared|terrified"),
    ("guilt", r"guilt|guilty"),
    ("shame", r"shame|ashamed"),
    ("embarrassment", r"embarrass(?:ment|ed)"),
    ("sadness", r"sadness|sad|tearful"),
    ("loneliness", r"loneliness|lonely"),
    ("hopelessness", r"hopeless(?:ness)?"),
    ("worthlessness", r"worthless(?:ness)?"),
    ("despair", r"despair(?:ing)?"),
    ("emptiness", r"emptiness|empty"),
    ("frustration", r"frustrat(?:ion|ed|ing)"),
    ("disappointment", r"disappoint(?:ment|ed)"),
    ("anger", r"anger|angry"),
    ("resentment", r"resent(?:ment|ful)"),
    ("jealousy", r"jealous(?:y)?|envy|envious"),
    ("grief", r"grief|grieving"),
    ("panic", r"panic(?:king)?"),
    ("self-doubt", r"self-doubts?|doubt my(?:self)?"),
    ("insecurity", r"insecurit(?:y|ies)|insecure"),
    ("inadequacy", r"inadequa(?:cy|te)"),
    ("worry", r"worr(?:y|ies|ied)"),
)
_MOST_EMOTIONS = 5
_ACTION = re.compile(
    r"\bI (?:(?:often|constantly|tend to|usually|sometimes|have been|keep|find myself|also|now) )*(?!\w+ed\b)"
    r"(?:avoid|berat|isolat|withdraw|blam|check|neglect|procrastinat|cancel|hid|stay|freez|label|discount|compar"
    r"|overwork|snap|shout|working|focus only|distanc|ruminat|seek reassurance|refus|postpon|overeat|drink)\w*\b[^;]*"
)
_EXAMPLE = re.compile(r"^(?:for (?:example|instance)|once|last (?:week|month|night|year|\w+day)),? ", re.IGNORECASE)
_GOALS = (
    (re.compile(r"\b(?P<goal>I(?:'d| would) like to .+|I (?:want|hope|wish|need) (?:to|support|help) .+)"), "{}"),
    (
        re.compile(r"\bseek(?:ing)? (?:counsell?ing|therapy|help|support) to (?P<goal>.+)", re.IGNORECASE),
        "I want to {}",
    ),
    (
        re.compile(
            r"\bseek(?:ing)? (?:counsell?ing|therapy) for (?P<goal>(?:support|guidance|help|advice)\b.*)", re.IGNORECASE
        ),
        "I would like {}",
    ),
)


def conceptualize(problem: Sequence[str], life: Sequence[str], triggers: Sequence[str]) -> Conceptualization:
    """The conceptualization that the sentences of a form support.

    Args:
        problem: Sentences of the presenting problem.
        life: Sentences about functioning and relationships.
        triggers: Those sentences of the problem that say when it happens.
    """
    everything = [*problem, *life]
    return Conceptualization(
        situations=_unique([*(text for text in problem if _EXAMPLE.match(text)), *triggers]),
        automatic_thoughts=_unique(thought for text in everything for thought in thoughts_in(text)),
        emotions=_emotions(" ".join(everything)),
        behaviours=_unique(action for text in everything for action in _actions_in(text)),
        core_beliefs=tuple(belief for belief, cue in _BELIEFS if re.search(cue, " ".join(everything), re.IGNORECASE)),
    )


def goals_in(texts: Iterable[str]) -> tuple[str, ...]:
    """What the client wants, where the reason for coming says it."""
    return _unique(
        _sentence(form.format(match["goal"])) for text in texts for cue, form in _GOALS if (match := cue.search(text))
    )


def thoughts_in(text: str) -> list[str]:
    """The thoughts a sentence reports, as words in the client's head."""
    found = [
        thought for pattern, make in _THOUGHTS if (match := pattern.search(text)) and (thought := make(match["clause"]))
    ]
    return found[:1]


def _clause(words: str) -> str:
    clause = _TAIL.sub("", words).strip(" ,.")
    fits = len(clause.split()) <= _WORDS and _FINITE.search(clause) and not _NO_THOUGHT.match(clause)
    return _sentence(clause) if fits else ""


def _feared(words: str) -> str:
    clause = _FEAR_STOP.sub("", words).strip()
    return _sentence(f"I might end up {clause}") if 1 < len(clause.split()) <= _WORDS else ""


def _likeness(words: str) -> str:
    return _sentence(f"I am {words.strip()}")


_THOUGHTS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_THAT, _clause),
    (_BARE, _clause),
    (_LIKE_A, _likeness),
    (_FEAR_OF, _feared),
    (_LACK, lambda words: _sentence(f"I lack {words}")),
    (_DOUBT, lambda words: _sentence(f"I won't be able to {words}")),
    (_BLAME, lambda _: "It is my fault."),
)


def _actions_in(text: str) -> list[str]:
    match = _ACTION.search(text)
    return [_sentence(_TAIL.sub("", match[0]).strip(" ,."))] if match else []


def _emotions(text: str) -> tuple[str, ...]:
    places = {
        noun: match.start() for noun, cue in _EMOTIONS if (match := re.search(rf"\b(?:{cue})\b", text, re.IGNORECASE))
    }
    return tuple(sorted(places, key=lambda noun: places[noun])[:_MOST_EMOTIONS])


def _sentence(text: str) -> str:
    bare = re.sub(r"\bi\b(?=[ ']|$)", "I", text.strip().rstrip("."))
    return f"{bare[:1].upper()}{bare[1:]}."


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
