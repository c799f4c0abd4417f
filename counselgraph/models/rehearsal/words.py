"""English at clause level: saying a client's words back without a parser.

Everything here prefers silence to a wrong sentence: a clause that cannot be turned to the second person safely is
not reflected at all, so callers must be ready for None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache

from counselgraph.models.rehearsal.bank import bank

_QUOTED = re.compile(r"\"([^\"]+)\"")
_SENTENCE = re.compile(
    r"(?<=[.!?\u2026])(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\bProf\.)(?<!\be\.g\.)(?<!\bi\.e\.)"
    r"(?<!\betc\.(?= [a-z]))(?<!\bvs\.)\s+|\s*\n+\s*"
)
_SPACES = re.compile(r"\s+")
_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


@lru_cache(maxsize=8)
def _small(name: str) -> str:
    return "|".join(bank("words")[name])


@lru_cache(maxsize=1)
def _lead() -> re.Pattern[str]:
    pause = r"[\s,.;:\u2026\u2013\u2014-]+"
    return re.compile(
        rf"^(?:(?:{_small('lead')})\b{pause}|(?:{_small('lead_comma')})[,.;:\u2026]{pause})+", re.IGNORECASE
    )


@lru_cache(maxsize=1)
def _tail() -> re.Pattern[str]:
    tags = (
        rf"[\s,;:\u2026\u2013\u2014-]+(?:{_small('tail')})|\s*[,;:\u2026\u2013\u2014][\s-]*(?:{_small('tail_comma')})"
    )
    return re.compile(rf"(?:{tags})+[\s.,!\u2026]*$", re.IGNORECASE)


@lru_cache(maxsize=4)
def _sign(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_small(name)})\b", re.IGNORECASE)


_ADVERBS = r"(?:\s+(?:\w+ly|just|always|never|still|also|only|often|even|already|once|so|now|ever|almost))*"
_FLIPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), new)
    for pattern, new in (
        (r"\bmy (\w+) and I've\b", r"you and your \1 have"),
        (r"\bmy (\w+) and I'(d|ll)\b", r"you and your \1'\2"),
        (r"\bmy (\w+) and (?:I|me)\b", r"you and your \1"),
        (r"\b(?:me|I) and my\b", "you and your"),
        (r"\bam I\b", "are you"),
        (r"\bwas I\b", "were you"),
        (rf"\b(?:I|we)({_ADVERBS})\s+am\b", r"you\1 are"),
        (rf"\bI({_ADVERBS})\s+was\b", r"you\1 were"),
        (rf"\bI({_ADVERBS})\s+wasn'?t\b", r"you\1 weren't"),
        (r"\b(?:I'm|Im)\b", "you're"),
        (r"\bwe're\b", "you're"),
        (r"\b(?:I|we)'(ve|d|ll)\b", r"you'\1"),
        (r"\b(?:I|we|me|us)\b", "you"),
        (r"\b(?:my|our)\b", "your"),
        (r"\b(?:mine|ours)\b", "yours"),
        (r"\bmyself\b", "yourself"),
        (r"\bourselves\b", "yourselves"),
    )
)

FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|I'd|I'll|me|my|mine|myself|we|us|our|ours|ourselves)\b", re.IGNORECASE)
_SECOND_PERSON = re.compile(r"\b(?:you|your|yours|yourself|you'\w+|ya|u)\b", re.IGNORECASE)
_UNSAFE = re.compile(
    r"\b(?:and|but|or|then|who)\s+(?:\w+ly\s+)?(?:am|was|wasn't)\b"  # a second verb whose subject is not at hand
    r"|\b(?:counsel\w*|therap\w*|session|doctor said|this exercise|intake)\b"
    r"|\bI (?:guess|suppose)$|(?:^|\s)'|\.\.\.|\u2026|[(\[:]|\b(?:i\.e|e\.g)\.|\bit's\.?$",
    re.IGNORECASE,
)
_SUBJECT = (
    r"(?:I|we|he|she|it|they|there|that|this|my|our|the|a|an|his|her|their|people|every\w+|no\s?body|no one|nothing"
    r"|some\w*|others?|not|life|work|home|sleep)\b"
)
_ADVERBIAL = (
    r"(?:maybe|perhaps|when|whenever|every time|if|since|after|before|at|in|on|with|during|last|yesterday|today|even"
    r"|now|sometimes|lately|recently|for|most|by|all)\b[^,]*,?\s*"
)
_CLAUSE = re.compile(rf"^(?:{_ADVERBIAL})?{_SUBJECT}", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:I|we|he|she|it|they|there|that|this|who|one|body|thing|people|(?:my|our|the|this|these|those) \w+"
    r"|(?:every|some|no)\w+)"
    r"(?:'(?:m|s|re|ve|d|ll)\b|\s+(?!and\b|or\b|of\b|at\b|in\b|on\b|with\b|(?:hav|be|gett|mak|go|com|tak|do|try)ing\b)\w+)",
    re.IGNORECASE,
)
_CUT = re.compile(
    r",? (?:but|because|so that|although|even though|(?<!even )though|except that)\b"
    r"|, (?:and|so) (?=(?:I|he|she|it|they|we|my)\b)|, which\b|;|\s[\u2013\u2014-]\s|\u2014"
)
_SUBORDINATE = re.compile(
    r"^(?:when|whenever|every time|if|since|after|before|while|as|because|although|once)\b", re.IGNORECASE
)
_LOWER = re.compile(
    r"^(?:you|your|yours|maybe|perhaps|it|he|she|they|there|that|this|the|a|an|his|her|their|people|every\w*|no|nobody|nothing|some\w*|when"
    r"|whenever|if|since|after|before|at|in|on|with|during|last|yesterday|today|even|now|lately|recently|for|most|by|all"
    r"|other|others|not|life|work|home|sleep|it's|that's|there's|he's|she's|they're|you're|you've|you'd|you'll)\b",
    re.IGNORECASE,
)

_SLIGHT = 5
SHORT, LONG = 3, 18
"""Words a clause worth saying back has, at least and at most."""


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    """Text with single spaces and straight apostrophes and quotes."""
    return _SPACES.sub(" ", text.translate(_STRAIGHT)).strip()


@lru_cache(maxsize=8192)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a turn; a full stop within quotation marks ends none."""
    quotes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        quotes.append(match.group(0))
        stop = match.group(1)[-1] if match.group(1)[-1] in ".!?" else ""
        return f"\x00{len(quotes) - 1}\x00{stop}"

    hidden = _QUOTED.sub(hide, plain(text))
    parts = [part.strip() for part in _SENTENCE.split(hidden)]
    return tuple(re.sub(r"\x00(\d+)\x00[.!?]?", lambda m: quotes[int(m.group(1))], part) for part in parts if part)


STOPS = " ,;:.!-\u2013\u2014\u3002\uff0c\u3001\uff1b\uff1a\uff01\u2026\u060c\u061b"
"""What stands around a sentence, in the scripts of the languages that clients speak; its question mark stays."""


@lru_cache(maxsize=8192)
def trimmed(sentence: str) -> str:
    """A sentence without the small words people start and end with, and without its full stop."""
    bare = _lead().sub("", plain(sentence))
    return _tail().sub("", bare).strip(STOPS)


@lru_cache(maxsize=8192)
def flip(text: str) -> str:
    """First person to second person; words inside quotation marks stay as they were said."""
    pieces = re.split(r"(\"[^\"]*\")", plain(text))
    return "".join(piece if piece.startswith('"') else _flip_piece(piece) for piece in pieces)


def _flip_piece(piece: str) -> str:
    for pattern, new in _FLIPS:
        piece = pattern.sub(new, piece)
    return piece


def capital(text: str) -> str:
    """Text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def lower(text: str) -> str | None:
    """Text fit for the middle of a sentence, or None when its first word may be a name."""
    return text[:1].lower() + text[1:] if _LOWER.match(text) else None


@lru_cache(maxsize=8192)
def clause(sentence: str, longest: int = LONG) -> str | None:
    """The first clause of a sentence that stands on its own and has at most `longest` words."""
    bare = trimmed(sentence)
    if sentence.rstrip().endswith("?"):
        return None
    for end in [*reversed([cut.start() for cut in _CUT.finditer(bare)]), None] if _count(bare) > longest else [None]:
        piece = bare[:end].strip(" ,;")
        if SHORT <= _count(piece) <= longest and _stands(piece, cut=end is not None):
            return piece
    return None


def _count(text: str) -> int:
    return len(text.split())


def stands_alone(piece: str) -> bool:
    """Whether the first part of a sentence can stand without the rest."""
    open_clause = _SUBORDINATE.match(piece) and not re.search(r", (?:I|it|he|she|they|we|my)\b", piece)
    return not open_clause and _VERB.search(piece) is not None and piece.count('"') % 2 == 0


def _stands(piece: str, *, cut: bool) -> bool:
    return stands_alone(piece) if cut else _VERB.search(piece) is not None and piece.count('"') % 2 == 0


@lru_cache(maxsize=8192)
def reflectable(piece: str) -> bool:
    """Whether a clause can be turned to the second person and stay right."""
    outside = _QUOTED.sub("", piece)
    return (
        _CLAUSE.match(piece) is not None
        and _SECOND_PERSON.search(outside) is None
        and _UNSAFE.search(outside) is None
        and not re.search(r"\d", outside)
    )


def telling(
    text: str,
    spent: Collection[str] = (),
    skip: Callable[[str], bool] = lambda _: False,
    *,
    longest: int = LONG,
    first: bool = False,
) -> str | None:
    """The clause of a turn most worth reflecting, in the client's own first person; None when none can be reflected.

    Args:
        text: The turn.
        spent: What was reflected before; a clause found in it is passed over.
        skip: Further clauses to pass over, given as whole sentences or as clauses.
        longest: Most words.
        first: Take the first that can be reflected, not the one that says most.
    """
    best: tuple[float, str] | None = None
    for place, sentence in enumerate(sentences(text)):
        piece = None if skip(sentence) else clause(sentence, longest)
        if piece is None or not reflectable(piece) or FIRST_PERSON.search(piece) is None or skip(piece):
            continue
        if any(piece.casefold() in old or flip(piece).casefold() in old for old in spent):
            continue
        if first:
            return piece
        weight = _weight(piece) + 0.3 * place
        if best is None or weight > best[0]:
            best = weight, piece
    return None if best is None else best[1]


def mirror(text: str) -> str | None:
    """The clause of a turn most worth reflecting, in the second person and without a full stop.

    Returns:
        A clause such as "You lie awake and count your mistakes", capitalised as it would start a sentence; None when
        no clause of the turn can be said back safely.
    """
    found = telling(text)
    return None if found is None else capital(flip(found))


_REPORTS = re.compile(
    r"\b(?:feel\w*|felt|thoughts?|think|idea|belie\w+|afraid|worr\w+|fear|convinced|sure|scared)\b", re.IGNORECASE
)


_WISHES = re.compile(r"^I(?:'d| would)?(?: really| just)? (?:want|like|love|wish|hope)\b", re.IGNORECASE)


def verdict(piece: str) -> bool:
    """Whether a clause is a forecast or a sweeping statement: saying it back plainly would be agreeing with it.

    A clause that says of itself that it is a thought, a feeling or a wish can be said back as it is.
    """
    return _sign("verdict").search(piece) is not None and not (_REPORTS.search(piece) or _WISHES.search(piece))


def harsh(piece: str) -> bool:
    """Whether a clause is a judgement on the speaker, to be quoted and nothing else."""
    return _sign("harsh").search(piece) is not None


def _weight(piece: str) -> float:
    personal = 2.0 if re.search(r"\b(?:I|my|me)\b", piece, re.IGNORECASE) else 0.0
    felt = (
        1.0 if re.search(r"\b(?:feel|felt|afraid|never|always|can't|keep|alone|hard|nobody|everyone)\b", piece) else 0.0
    )
    return personal + felt - abs(_count(piece) - 9) * 0.1 - (1.0 if _count(piece) < _SLIGHT else 0.0)


def quotable(
    text: str, longest: int = LONG, skip: Callable[[str], bool] = lambda _: False, *, first: bool = False
) -> str | None:
    """A short stretch of a turn to be quoted word for word, without quotation marks or full stop.

    Args:
        text: The turn.
        longest: Most words.
        skip: What to pass over, given as whole sentences or as clauses.
        first: Take the first that can be quoted, not the one that says most.
    """
    told = [clause(sentence, longest) for sentence in sentences(text) if not skip(sentence)]
    pieces = [piece for piece in told if piece and '"' not in piece and not skip(piece)]
    short = [piece for piece in pieces if _count(piece) <= longest and _SECOND_PERSON.search(piece) is None]
    return capital(short[0] if first else max(short, key=_weight)) if short else None
