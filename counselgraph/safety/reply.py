"""What a counselor's draft leaves out, or makes up, in the light of the standing risk of the client."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from counselgraph.safety.fold import SENTENCE_BREAK, Folded
from counselgraph.safety.levels import Category, Finding, Level, Risk, Subject, Time
from counselgraph.safety.resources import Resources, digits_of
from counselgraph.safety.rules import Book

# A number after a word that tells to call or text, or anything shaped like a telephone number.
_NUMBER = r"\+?(?:\(\d{1,5}\) ?)?\d[\d .-]{1,18}\d"
_AFTER_A_WORD = re.compile(rf"(?: [^\s\d]{{1,24}}){{0,6}} ({_NUMBER})(?![0-9a-z_])")
# Where words are not written apart; a number before "年" is a year.
_AFTER_CHARACTERS = re.compile(rf"[^\d.!?\n]{{0,8}}?({_NUMBER})(?![0-9a-z_年])")
_SHAPED = re.compile(
    r"(?<![0-9a-z_.])(\+\d[\d .-]{6,18}\d|\(?\d{3,5}\)?[ .-]\d{2,4}(?:[ .-]\d{2,5}){1,3}|\d{9,15})(?![0-9a-z_])"
)
_ADDRESS = re.compile(
    r"(?<![0-9a-z_@.-])(?:https?://)?(?:www\.)?([a-z0-9-]{2,40}(?:\.[a-z0-9-]{2,30}){0,3}\.(?:org|com|net|gov|info|uk|au|ca|ie|in|nz|de|fr|nl|eu|cn|tw|hk|es|mx|ar|cl|ir))(?![0-9a-z_])"
)

_DEATH = frozenset(
    {
        Category.SI_PASSIVE,
        Category.SI_ACTIVE,
        Category.PLAN,
        Category.INTENT,
        Category.MEANS_ACCESS,
        Category.PREPARATION,
        Category.ATTEMPT_RECENT,
        Category.NSSI,
        Category.HOPELESSNESS,
        Category.HARM_TO_OTHERS,
        Category.METHOD_SEEKING,
    }
)


def invented_contacts(folded: Folded, resources: Resources, books: Sequence[Book]) -> Iterator[Finding]:
    """Numbers and addresses of a reply that are not among the services of the client's country."""
    for start, end in sorted({*_called(folded, books), *(found.span(1) for found in _SHAPED.finditer(folded.text))}):
        if digits_of(folded.text[start:end]) not in resources.numbers:
            yield _finding(Category.HALLUCINATED_RESOURCE, 4, folded.quote(start, end), "number")
    for found in _ADDRESS.finditer(folded.text):
        if not any(found[1].endswith(url) for url in resources.urls):
            yield _finding(Category.HALLUCINATED_RESOURCE, 4, folded.quote(*found.span(1)), "address")


def left_out(
    folded: Folded, risk: Risk, resources: Resources, books: Sequence[Book], *, asked: bool, offered: bool
) -> Iterator[Finding]:
    """What the risk of the client's last turn asks for and the reply does not give."""
    if risk.turn_level < Level.PASSIVE or risk.calm_turns:
        return
    asks, offers = any(asks_directly(folded, book) for book in books), resources.named_in(folded.original)
    if not (asks or offers or any(book.any_of(book.takes_up).search(folded.text) for book in books)):
        yield _finding(Category.MISSED_RISK, 4 if risk.suspends_plan else 3, "", "takes-up")
    if not (asks or asked) and _own(risk):
        # Whom a voice or a fast troubles is not asked about suicide first; from R3 up everybody is.
        level = 3 if risk.suspends_plan or _of_death(risk) else 2
        yield _finding(Category.NO_DIRECT_QUESTION, level, "", "direct-question")
    if risk.suspends_plan and not (offers or offered):
        yield _finding(Category.NO_RESOURCE, 4 if risk.acute else 3, "", "resource")


def asks_directly(folded: Folded, book: Book) -> bool:
    """Whether a reply asks about suicide, self-harm or safety, in so many words."""
    sentences = folded.text.split(SENTENCE_BREAK)
    asks, direct = book.any_of(book.asking), book.any_of(book.direct_question)
    return any(asks.search(sentence) and direct.search(sentence) for sentence in sentences)


def _called(folded: Folded, books: Sequence[Book]) -> Iterator[tuple[int, int]]:
    """Where the numbers are that the reply says to call."""
    for book in books:
        number = _AFTER_A_WORD if book.spaced else _AFTER_CHARACTERS
        for word in book.any_of(book.calling).finditer(folded.text):
            if found := number.match(folded.text, word.end()):
                yield found.span(1)


def _own(risk: Risk) -> bool:
    """Whether the risk is the client's own and not only that of somebody they worry about."""
    return not risk.findings or any(
        finding.subject is Subject.SELF
        and finding.category is not Category.THIRD_PARTY_RISK
        and finding.level >= Level.PASSIVE
        for finding in risk.findings
    )


def _of_death(risk: Risk) -> bool:
    """Whether the client's risk speaks of death, self-injury or violence."""
    return not risk.findings or any(
        finding.category in _DEATH and finding.level >= Level.PASSIVE for finding in risk.findings
    )


def _finding(category: Category, level: int, quote: str, rule: str) -> Finding:
    return Finding(category=category, level=Level(level), time=Time.NOW, quote=quote, source=f"reply:{rule}")
