"""The lexical screen: text in, findings out. Pure, deterministic, always on; it knows no agent.

It reads words as words. Nothing said in a text can switch it off, and what it finds it quotes.
"""

from __future__ import annotations

from collections.abc import Iterator

from counselgraph.safety.fold import Folded, fold
from counselgraph.safety.levels import Category, Finding, Level, Side, Subject, Time, Verdict
from counselgraph.safety.passage import Passage
from counselgraph.safety.rules import DEFAULT_LANGUAGE, Book, GuardKind, Rule, language_of, languages, load_book

__all__ = ["languages", "screen", "screen_folded"]

SELF_DIRECTED = frozenset({Category.SI_PASSIVE, Category.SI_ACTIVE, Category.PLAN, Category.INTENT, Category.NSSI})
_NOT_MEANT = {GuardKind.FIGURATIVE: Subject.FIGURATIVE, GuardKind.FICTION: Subject.FICTION}
_DENIED = None


def screen(text: str, *, side: Side = Side.CLIENT, language: str = DEFAULT_LANGUAGE) -> Verdict:
    """Screen one text.

    Findings are ordered by level, highest first, then by place. Figurative speech and fiction are reported and do not
    count; what is negated is not reported, but may make the verdict a denial. A risk of somebody else's is reported as
    `THIRD_PARTY_RISK` and counts up to R2.

    Args:
        text: What was said; any length, any characters.
        side: Whose words they are.
        language: Language code. Without rules for it the English ones are run and the verdict is marked failed, so
            that it never lowers a level.
    """
    code = language_of(language)
    known = code in languages()
    verdict = screen_folded(fold(text), side, load_book(code if known else DEFAULT_LANGUAGE))
    return verdict if known else verdict.model_copy(update={"failed": True})


def screen_folded(folded: Folded, side: Side, book: Book) -> Verdict:
    """Screen a folded text with the rules of one book."""
    found: dict[Finding, None] = {}
    negated = False
    for rule in book.of(side):
        for finding in _findings(folded, rule, book):
            if finding is _DENIED:
                negated = negated or rule.category in SELF_DIRECTED
            else:
                found[finding] = None
    findings = tuple(sorted(found, key=lambda finding: -finding.level))
    level = max((finding.level for finding in findings if counts(finding)), default=Level.NONE)
    denies = side is Side.CLIENT and (negated or _denies(folded, book)) and not any(map(_stands, findings))
    return Verdict(side=side, level=level, findings=findings, denial=denies)


def counts(finding: Finding) -> bool:
    """Whether a finding bears on the level."""
    return finding.subject not in {Subject.FIGURATIVE, Subject.FICTION}


def _stands(finding: Finding) -> bool:
    """Whether a finding contradicts a denial in the same text."""
    present = finding.time is not Time.REMOTE and finding.subject is Subject.SELF
    return present and finding.level >= Level.PASSIVE


def _denies(folded: Folded, book: Book) -> bool:
    for found in book.any_of(book.denials).finditer(folded.text):
        passage = Passage.around(folded, found.start(), found.end(), book)
        if not any(map(passage.held_by, (GuardKind.NEGATION, GuardKind.REPORTED, GuardKind.HOLLOW))):
            return True
    return False


def _findings(folded: Folded, rule: Rule, book: Book) -> Iterator[Finding | None]:
    """Findings of one rule; `None` stands for a match that is negated."""
    if not book.any_of(rule.patterns).search(folded.text):
        return
    for pattern in rule.patterns:
        for found in book.any_of((pattern,)).finditer(folded.text):
            passage = Passage.around(folded, found.start(), found.end(), book)
            if not passage.has(rule.unless):
                yield _judge(passage, rule)


def _judge(passage: Passage, rule: Rule) -> Finding | None:
    marker = passage.marker()
    held = {guard for guard in rule.guards if passage.held_by(guard)}
    if GuardKind.NEGATION in held:
        return _DENIED
    finding = Finding(
        category=rule.category_at(marker),
        level=rule.level_at(marker),
        time=marker.time,
        quote=passage.quote,
        source=f"rules/{passage.book.language}:{rule.id}",
    )
    for guard, subject in _NOT_MEANT.items():
        if guard in held:
            return finding.model_copy(update={"subject": subject})
    if held & {GuardKind.OTHER, GuardKind.REPORTED}:
        return _of_another(finding) if rule.side is Side.CLIENT else _SAID_BY_ANOTHER
    return finding


def _of_another(finding: Finding) -> Finding:
    """The same words about somebody else."""
    grave = finding.level >= Level.ACTIVE and finding.time is not Time.REMOTE
    level = min(finding.level, Level.PASSIVE if grave else Level.CONCERN)
    return finding.model_copy(update={"category": Category.THIRD_PARTY_RISK, "level": level, "subject": Subject.OTHER})
