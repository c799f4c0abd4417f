"""What a persona's sentences imply: the thought in the client's head, the people in it, what is avoided."""

from __future__ import annotations

import re
from collections.abc import Iterable

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.spoken import spoken
from counselgraph.models.rehearsal.words import capital, plain

_SUBJECT = (
    r"(?:I|I'm|I'll|I've|I'd|my|he|she|they|it|it's|that|this|we|people|every\w+|no one|nobody|nothing|some\w+|if|being"
    r"|all|the|there|one|others)\b"
)
_MENTAL = "thought|belief|idea|thinking|feeling|worry|fear|convinced|certain|afraid|scared|worried|believe|think|feel"
_THOUGHTS = (
    rf"\b(?:{_MENTAL}) (?:that|like|as if|as though) (?P<t>{_SUBJECT}[^.;]*)",
    rf"\b(?:I (?:constantly |always |often )?(?:believe|worry|fear|think)) (?P<t>{_SUBJECT}[^.;]*)",
    r"\bfeel(?:s|ing)? like (?P<np>an? [\w -]+?)(?=,|\.| because| for| when|$)",
    r"\bdoubt(?:ing)? my ability to (?P<ability>[^.,;]+)",
    r"\b(?:berate|blame|criticize) myself for not being able to (?P<should>[^.,;]+)",
    r"\b(?:berate|blame|criticize) myself for not being (?P<not>[^.,;]+)",
)
_THOUGHT_PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _THOUGHTS)
_THOUGHT_FORMS = {
    "t": "{}",
    "np": "I'm {}",
    "ability": "I'll never be able to {}",
    "should": "I should have been able to {}",
    "not": "I wasn't {}",
}
_THOUGHT_END = re.compile(
    r",? (?:causing|leading|resulting|making|despite|due to|which|and (?:this|that|it|I)\b|but|so that|so\b|as I"
    r"|affecting|prompting|in the eyes of|because)\b.*$|,.*$",
    re.IGNORECASE,
)
_NO_THOUGHT = re.compile(
    r"\b(?:counsel|therap|support to cope|these (?:feelings|thoughts)|this (?:problem|issue))"
    r"|^(?:the|this|my) (?:\w+ )?(?:stress|cause|problem|issue)\b|has a lot to do with",
    re.IGNORECASE,
)
_CLAUSE = re.compile(rf"^{_SUBJECT}", re.IGNORECASE)
_WHEN = re.compile(
    r"\b((?:when(?:ever)?|every time|each time|the moment) (?:I|my|he|she|they|it|we|people|some\w+|any\w+|no one"
    r"|nobody|the|a|something|others)\b[^.;]*)",
    re.IGNORECASE,
)
_ONCE = re.compile(r"\b(?:started|began|realized|was diagnosed|died|passed away)\b", re.IGNORECASE)
_AVOIDED = re.compile(
    r"\b(?:avoid(?:ed|ing)?|stay(?:ed|ing)? away from|steer clear of) (?!this|these|it\b|such|that\b)(?P<what>[^.,;]+)",
    re.IGNORECASE,
)
_AVOIDED_END = re.compile(r" (?:or|altogether|if|because|when|whenever|since|as|so|and)\b.*$")
_STRESS = re.compile(
    r"\b(?:the (?:stress|pressure) of (?P<a>[^.,;]+?)(?= (?:has|have|had|triggered|contributed|caused|led|made|is|was)"
    r"\b|[.,;]|$)|(?:due to|because of|stems? from|comes? from) (?P<b>(?:the|my|a|an|past|all)\b[^.,;]+)"
    r"|cause is (?P<c>my [^.,;]+))",
    re.IGNORECASE,
)


def thought_in(text: str) -> str | None:
    """The thought a sentence reports, as a clause in the client's words without a full stop."""
    for pattern in _THOUGHT_PATTERNS:
        for found in pattern.finditer(plain(text)):
            kind = next(name for name, value in found.groupdict().items() if value)
            clause = _cut(found[kind])
            thought = spoken(_THOUGHT_FORMS[kind].format(clause)).rstrip(".")
            if _within(thought, 3, 20) and not _NO_THOUGHT.search(thought):
                return thought
    return None


def _cut(clause: str) -> str:
    condition, comma, rest = clause.partition(",") if clause.casefold().startswith("if ") else ("", "", clause)
    return f"{condition}{comma}{_THOUGHT_END.sub('', rest)}".strip(' "')


def is_clause(thought: str) -> bool:
    """Whether a thought can follow "that ..."."""
    return _CLAUSE.match(thought) is not None and "?" not in thought and _within(thought, 1, 20)


def embedded(clause: str) -> str:
    """A clause with its first letter fit for the middle of a sentence."""
    first = clause.split(" ", 1)[0]
    return (
        clause if first == "I" or first.startswith("I'") or not is_clause(clause) else clause[:1].lower() + clause[1:]
    )


def when_in(text: str) -> str | None:
    """A clause that says when it happens ("whenever I meet new people"), first letter in lower case."""
    found = next((match for match in _WHEN.finditer(plain(text)) if not _ONCE.search(match[1])), None)
    if found is None:
        return None
    clause = re.split(r", (?!or |and |my )|, I\b|\bI get it\b", found[1])[0].strip(" ,.")
    clause = re.sub(r",? (?:leading|causing|making|affecting)\b.*$", "", clause)
    return clause[:1].lower() + clause[1:] if _within(clause, 3, 16) else None


_MOMENT = re.compile(
    r"^(?:when(?:ever)?|every time|each time) (?P<who>I|my [\w-]+|he|she|they|we|people|some\w+) (?P<rest>.+)$",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\b(?:that|which|who|if|is|are|am|isn't|aren't|do|does|don't|doesn't|can|can't|will|won't|has|have|I|they|he|she|we)\b"
)
_OR_ELSE = re.compile(r" (?:or|because|due to|as|since|especially|leading|causing)\b.*$|,.*$")
_DOING = re.compile(r"\b(?:when(?:ever)?|while|every time) (?P<doing>(?!feeling|being|having|seeing)\w+ing\b[^.;]*)")


def moment_in(text: str) -> str | None:
    """A clause about one time at which what a sentence tells of may have happened; None if none can be made safely."""
    always = when_in(text)
    once = moment_from(always) if always else None
    doing = _DOING.search(plain(text))
    if once is None and doing is not None:
        once = f"when I was {_OR_ELSE.sub('', doing['doing'])}"
    return once if once is not None and _within(once, 4, 16) else None


def moment_from(when: str) -> str | None:
    """A clause about what always happens as one about what happened once ("when I met new people"); None if unsafe."""
    found = _MOMENT.match(when)
    if found is None:
        return None
    verb, _space, rest = found["rest"].partition(" ")
    past = _past(verb)
    rest = _OR_ELSE.sub("", rest)
    if past is None or _FINITE.search(rest):
        return None
    head, joined, tail = rest.partition(" and ")
    second, _space, more = tail.partition(" ")
    if joined and _past(second) is not None:
        rest = f"{head} and {_past(second)} {more}".rstrip()
    return f"when {found['who']} {past} {rest}".rstrip()


def _past(verb: str) -> str | None:
    """The past form of a verb this model knows, in its base form or with an s."""
    known: dict[str, str] = bank("client_lexicon")["past"]
    regular = bank("client_lexicon")["regular_past"].split()
    for base in (verb, verb.removesuffix("s"), verb.removesuffix("es")):
        if base in known:
            return known[base]
        if base in regular:
            return f"{base}d" if base.endswith("e") else re.sub(r"([^aeiou])y$", r"\1i", base) + "ed"
    return None


def avoided_in(text: str) -> str | None:
    """What a sentence says is avoided, as words that can follow "about"."""
    found = _AVOIDED.search(plain(text))
    if found is None:
        return None
    what = _AVOIDED_END.sub("", found["what"]).strip()
    return what if _within(what, 1, 9) and what != "situations" else None


def cause_in(text: str) -> str | None:
    """A cause named in a sentence, as a noun phrase."""
    for found in _STRESS.finditer(plain(text)):
        head = "the stress of " if found["a"] else ""
        named = next(filter(None, found.groups()))
        cause = re.split(r" (?:that|and|which|when|who|where|as|to)\b| I\b", named)[0].strip()
        if _within(cause, 1, 7):
            return f"{head}{cause}"
    return None


def emotions_in(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Emotions named in some texts, as (noun, words that fit "I felt ...")."""
    nouns: dict[str, str] = bank("client_lexicon")["emotions"]
    adjectives: dict[str, str] = bank("client_lexicon")["adjectives"]
    found: dict[str, tuple[str, str]] = {}
    noun_of = {adjective: noun for noun, adjective in reversed(nouns.items())}
    for word in re.findall(r"[a-z]+(?:-[a-z]+)*", " ".join(texts).casefold()):
        if word in nouns:
            found.setdefault(nouns[word], (word, nouns[word]))
        elif word in adjectives:
            felt = adjectives[word]
            found.setdefault(felt, (noun_of.get(felt, "it"), felt))
    return list(found.values())


def felt(emotion: str) -> str:
    """Words that fit "I felt ..." for an emotion noun; "" when none are known."""
    nouns: dict[str, str] = bank("client_lexicon")["emotions"]
    adjectives: dict[str, str] = bank("client_lexicon")["adjectives"]
    word = emotion.casefold()
    return nouns.get(word) or adjectives.get(word, "")


def person_in(text: str) -> str | None:
    """Somebody of the client's life, with "my" in front ("my sister")."""
    people = _people()
    found = re.search(
        rf"\bmy (?:(?:ex|older|younger|little|big|best|close|grown-up)[- ])?(?:{people})\b", plain(text), re.IGNORECASE
    )
    return f"my {found[0][3:]}" if found else None


def helper_in(text: str) -> str | None:
    """Somebody a support sentence names ("a close friend", "my daughter")."""
    people = _people()
    found = re.search(
        rf"\b(?:(?P<whose>my|an?|some|a few|few|several|two|three) (?:(?!and\b)[\w-]+ )?)?(?:{people})(?: members?)?\b",
        plain(text),
        re.IGNORECASE,
    )
    if found is None:
        return None
    who = re.sub(r"\b(?:supportive|good) \b", "", found[0] if found["whose"] else f"my {found[0]}")
    who = re.sub(rf"^an? (?=(?:{_ONE_OF_A_KIND})\b)", "my ", who, flags=re.IGNORECASE)
    return who[:1].lower() + who[1:]


_ONE_OF_A_KIND = r"spouse|wife|husband|partner|mother\S*|father\S*|brother-in-law|sister-in-law|girlfriend|boyfriend"


def _people() -> str:
    return "|".join(sorted(bank("client_lexicon")["people"].split(), key=len, reverse=True))


def belief_from(text: str) -> str | None:
    """The belief about oneself that a persona's feelings hint at."""
    for pattern, belief in bank("client_lexicon")["beliefs"]:
        if re.search(pattern, text, re.IGNORECASE):
            return str(belief)
    return None


def first(found: Iterable[str | None]) -> str | None:
    """The first value that is not None."""
    return next((value for value in found if value), None)


def closed(text: str) -> str:
    """A sentence with a capital and a full stop."""
    return capital(text if text[-1:] in ".!?…" else f"{text}.")


def _within(text: str, least: int, most: int) -> bool:
    """Whether a text has at least and at most these numbers of words."""
    return least <= len(text.split()) <= most
