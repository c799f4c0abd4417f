"""Descriptions of a client turned into what the client could say: "You smoke to relax" becomes "I smoke to relax".

Each sentence is turned by itself, and only where it is safe: one that speaks of somebody else of the same gender, or
whose pronouns could be anybody's, is left as it is. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SUBJECT_AFTER = re.compile(
    r"(?:and|but|or|that|because|when|if|what|how|as|where|while|which|so|since|although|though|until|before|after|than"
    r"|believe|think|feel|know|say|wish|hope|whether|unless|who|then)",
    re.IGNORECASE,
)
"""Words after which a pronoun begins a clause; after any other it is an object."""
_PREPOSITION = re.compile(
    r"(?:with|to|from|for|and|but|that|when|because|in|on|at|by|as|again|off|out|up|down|after|before)", re.IGNORECASE
)
_OTHERS = {
    "male": "father|dad|brother|son|husband|boyfriend|man|boy|uncle|grandfather|men",
    "female": "mother|mom|mum|sister|daughter|wife|girlfriend|woman|girl|aunt|grandmother|women",
    "": "people|friends|parents|family|colleagues|others|children|kids|siblings|classmates|peers|they both",
    "either": "coworker|boss|doctor|physician|manager|director|supervisor|teacher|neighbou?r",
}
_PRONOUNS = {"male": "he|him|his|himself", "female": "she|her|hers|herself", "": "they|them|their|themselves"}
_SUBJECTS = {"male": "he", "female": "she", "": "they"}
_OBJECTS = {"male": "him", "": "them"}
"""Objects that can be nothing else; "her" is told from the possessive by what follows."""
_IRREGULAR = {
    "is": "am",
    "isn't": "am not",
    "are": "am",
    "has": "have",
    "hasn't": "haven't",
    "does": "do",
    "doesn't": "don't",
    "were": "was",
}
_KEPT = frozenset(
    ("was", "wasn't", "always", "perhaps", "sometimes", "as", "this", "his", "its", "across", "less", "us")
)
_ADVERB = r"(?:often|also|still|never|now|then|currently|recently|usually|sometimes|always|\w+ly) "
_VERB = re.compile(rf"\bI (?P<adverbs>(?:{_ADVERB})*)(?P<verb>[a-z]+s|are|were|(?:is|has|does)n['\u2019]t)\b")
_JOINED = re.compile(
    r"\b(?P<joint>and|but|or|and then) (?P<verb>(?:is|has|feels|worries|finds|struggles|wants|thinks|tends|avoids|lives"
    r"|needs|believes|fears|tries|keeps|copes|drinks|seeks|acknowledges|loses|undergoes|maintains|spends)\b"
    r"|experiences\b(?= (?:a|an|the|heightened)\b))"
)
_FINITE = re.compile(r"\s+(?:is|has|was|had|does|did|went|got|felt|\w{2,}ed|\w{3,}(?<!es)(?<!as)(?<!us)s)\b")
"""What follows a name that is the subject; a name before anything else is an object."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def from_second_person(text: str) -> str:
    """A description in the second person as the client would say it."""
    return " ".join(map(_second, _SENTENCE.split(text)))


def from_third_person(text: str, *, name: str = "", gender: str = "") -> str:
    """A description in the third person as the client would say it.

    Args:
        text: What is said about the client.
        name: The client's name, by which the text may call them.
        gender: As the record gives it; tells whose "he" or "she" it is.
    """
    first = gender.strip().lower()[:1]
    kind = {"m": "male", "f": "female"}.get(first, "")
    names = [re.escape(part) for part in dict.fromkeys([name, *name.split()[:1]]) if part]
    who = "|".join([*names, "the client", "the patient"])
    said: list[str] = []
    known = False
    for sentence in _SENTENCE.split(text):
        said.append(_third(sentence, who, kind, known=known))
        known = known or said[-1] != sentence
    return " ".join(said)


def _second(sentence: str) -> str:
    said = re.sub(r"\bthe two of you\b", "the two of us", sentence, flags=re.IGNORECASE)
    said = re.sub(r"\byou all\b", "we all", said, flags=re.IGNORECASE)
    said = re.sub(r"\b(you are|you're)\b", "I am", said, flags=re.IGNORECASE)
    said = re.sub(r"\byou were\b", "I was", said, flags=re.IGNORECASE)
    said = re.sub(r"\byourself\b", "myself", said, flags=re.IGNORECASE)
    said = re.sub(r"\b(?:the )?your\b", "my", said, flags=re.IGNORECASE)
    return _agreeing(_placed(said, "you"))


def _third(sentence: str, who: str, kind: str, *, known: bool) -> str:
    """One sentence; `known` says that the one before was about the client, so that its pronouns are the client's."""
    pronouns = _PRONOUNS[kind]
    begun = (known or kind) and re.match(rf"(?:{pronouns})\b", sentence, re.IGNORECASE)
    meant = known and re.search(rf"\b(?:{pronouns})\b", sentence, re.IGNORECASE)
    named = re.search(rf"\b(?:{who})\b", sentence, re.IGNORECASE)
    others = f"{_OTHERS[kind]}|{_OTHERS['either']}"
    if not (named or begun or meant) or re.search(rf"\b(?:{others})\b", sentence, re.IGNORECASE):
        return sentence
    if not kind and re.search(r"\b(?:he|him|his|she|her)\b", sentence, re.IGNORECASE):
        return sentence
    said = re.sub(rf"\b(?:{who})['\u2019]s\b", "my", sentence, flags=re.IGNORECASE)
    said = _placed(said, rf"(?:{who})", named=True)
    said = re.sub(rf"\b{_SUBJECTS[kind]}\b", "I", said, flags=re.IGNORECASE)
    said = re.sub(r"\b(?:himself|herself|themselves|themself)\b", "myself", said, flags=re.IGNORECASE)
    said = re.sub(rf"\b{_OBJECTS[kind]}\b", "me", said, flags=re.IGNORECASE) if kind in _OBJECTS else said
    said = re.sub(r"\b(?:his|her|their)\b(?P<after> \w+)?", _own(kind), said, flags=re.IGNORECASE)
    return _agreeing(said)


def _own(kind: str) -> Callable[[re.Match[str]], str]:
    """Possessives as "my"; "her" is an object where no noun follows."""

    def said(match: re.Match[str]) -> str:
        word, after = match[0].split(" ")[0].lower(), match["after"] or ""
        if word != {"male": "his", "female": "her", "": "their"}[kind]:
            return match[0]
        owns = word != "her" or (after and _PREPOSITION.fullmatch(after.strip()) is None)
        return f"{'my' if owns else 'me'}{after}"

    return said


def _placed(sentence: str, pattern: str, *, named: bool = False) -> str:
    """The sentence with each mention as "I" where it begins a clause or, if `named`, acts; and as "me" elsewhere."""

    def said(match: re.Match[str]) -> str:
        before = re.search(r"[\w']+$", sentence[: match.start()].rstrip())
        begins = before is None or _SUBJECT_AFTER.fullmatch(before[0]) is not None
        acts = named and _FINITE.match(sentence[match.end() :])
        return "I" if begins or acts else "me"

    return re.sub(rf"\b{pattern}\b", said, sentence, flags=re.IGNORECASE)


def _agreeing(sentence: str) -> str:
    """Verbs in the form that goes with "I", and a capital letter at the start."""
    said = _VERB.sub(lambda match: f"I {match['adverbs']}{_base(match['verb'])}", sentence)
    if re.search(r"\bI\b", said):
        said = _JOINED.sub(lambda match: f"{match['joint']} {_base(match['verb'])}", said)
    return f"{said[:1].upper()}{said[1:]}"


def _base(verb: str) -> str:
    """A verb of the third person in the form that goes with "I"."""
    verb = verb.replace("\u2019", "'")
    if verb in _IRREGULAR or verb in _KEPT or verb.endswith("ss"):
        return _IRREGULAR.get(verb, verb)
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    return verb[:-2] if re.search(r"(?:ss|sh|ch|x|zz|o)es$", verb) else verb[:-1]
