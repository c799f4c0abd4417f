"""The lexical screen: text in, findings out. Pure, deterministic, always on; it knows no agent.

It reads words as words. Nothing said in a text can switch it off, and what it finds it quotes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from counselgraph.safety.context import in_dialogue
from counselgraph.safety.echo import leaked
from counselgraph.safety.fold import SENTENCE_BREAK, Folded, fold
from counselgraph.safety.levels import Category, Finding, Level, Risk, Side, Subject, Time, Verdict
from counselgraph.safety.passage import Passage
from counselgraph.safety.reply import invented_contacts, left_out
from counselgraph.safety.resources import INTERNATIONAL, resources_for
from counselgraph.safety.rules import (
    DEFAULT_LANGUAGE,
    Book,
    GuardKind,
    Marker,
    Pattern,
    Rule,
    language_of,
    languages,
    load_book,
)
from counselgraph.said import Said

__all__ = ["languages", "screen", "screen_reply"]

SELF_DIRECTED = frozenset({Category.SI_PASSIVE, Category.SI_ACTIVE, Category.PLAN, Category.INTENT, Category.NSSI})
_NEAR_DEATH = frozenset({Category.ATTEMPT_RECENT, Category.PREPARATION, Category.MEANS_ACCESS, Category.METHOD_SEEKING})
_NOT_MEANT = {GuardKind.FIGURATIVE: Subject.FIGURATIVE, GuardKind.FICTION: Subject.FICTION}
_ANOTHERS = (GuardKind.OTHER, GuardKind.REPORTED)
_EMPTIES_A_DENIAL = (GuardKind.NEGATION, GuardKind.REPORTED, GuardKind.HOLLOW)


def screen(
    text: str,
    *,
    side: Side = Side.CLIENT,
    language: str = DEFAULT_LANGUAGE,
    standing: Level = Level.NONE,
    question: str = "",
) -> Verdict:
    """Screen one text.

    Findings are ordered by level, highest first, then by place. Figurative speech and fiction are reported and do not
    count; what is negated is not reported, but may make the verdict a denial. A risk of somebody else's is reported as
    `THIRD_PARTY_RISK` and counts up to R2.

    Args:
        text: What was said; any length, any characters.
        side: Whose words they are; "client" and "counselor" will do.
        language: Language code. The English rules are run beside those of any other language, since English comes up
            in every session. Without rules for the language only they are run, and the verdict is marked failed, so
            that it never lowers a level.
        standing: The client's level before this turn. From R2 up, words that leave it unsaid themselves ("I have
            bought the rope") count as beside what was said before.
        question: The counselor's turn that this one answers; a bare "yes" to a question about suicide is R3, and a
            plain "no" to the question for thoughts of suicide is a denial.

    Raises:
        ValueError: There is no such side.
    """
    side = Side(side)
    folded, books = fold(text), _books_for(language)
    verdicts = [screen_folded(folded, side, book, standing) for book in books]
    if question and side is Side.CLIENT:
        verdicts += [*_affirmed(folded, question, books), *_denied(folded, question, books)]
    verdict = _together(verdicts)
    return verdict if language_of(language) in languages() else verdict.model_copy(update={"failed": True})


def screen_reply(
    reply: str,
    *,
    risk: Risk,
    language: str = DEFAULT_LANGUAGE,
    locale: str = INTERNATIONAL,
    asked: bool = False,
    offered: bool = False,
    before: Sequence[Said] = (),
    private: Sequence[str] = (),
) -> Verdict:
    """Screen a counselor's draft in the light of the standing risk of the client and of the dialogue.

    Besides the counselor's rules it looks for what is missing: a reply to a client turn at R2 or above takes it up and
    asks directly; from R3 up it offers a service. A contact that the table of the client's country does not list is
    `HALLUCINATED_RESOURCE`. Where the dialogue is given it looks at what the reply does with what the client said, and
    whether it says again what the counselor said. For this side the level is a severity: from 3 up the draft must not
    be said as it stands.

    Args:
        reply: The draft.
        risk: The standing risk of the client, with the findings of the client's last turn.
        language: Language code, as in `screen`.
        locale: Country of the client (see `resources_for`).
        asked: The counselor has already asked directly since the risk last rose; asking again is not called for.
        offered: The counselor has already offered a service since then.
        before: The dialogue so far, in order; the last turn is the one the draft answers. Without it nothing is
            compared with it.
        private: Texts that the counselor must not give away: facts of other clients, notes, instructions.
    """
    verdict = screen(reply, side=Side.COUNSELOR, language=language)
    folded, resources, books = fold(reply), resources_for(locale), _books_for(language)
    found = (
        *verdict.findings,
        *invented_contacts(folded, resources, books),
        *left_out(folded, risk, resources, books, asked=asked, offered=offered),
        *in_dialogue(folded, before, risk, [book.language for book in books]),
        *leaked(folded, private, [said.text for said in before], resources.spoken),
    )
    findings = tuple(sorted(dict.fromkeys(found), key=lambda finding: -finding.level))
    return verdict.model_copy(update={"findings": findings, "level": _highest(findings)})


def _affirmed(answer: Folded, question: str, books: Sequence[Book]) -> Iterator[Verdict]:
    """A client's "yes" to a question about suicide, as a verdict; in a client's words alone it would not show."""
    for book in books:
        said = book.any_of(book.affirms).match(answer.text.lstrip())
        if said and _asks_of_death(question, book):
            start = len(answer.text) - len(answer.text.lstrip())
            finding = Finding(
                category=Category.SI_ACTIVE,
                level=Level.ACTIVE,
                quote=answer.quote(start, start + said.end()),
                source=f"rules/{book.language}:yes-to-the-question",
            )
            yield Verdict(side=Side.CLIENT, level=Level.ACTIVE, findings=(finding,))
            return


def _denied(answer: Folded, question: str, books: Sequence[Book]) -> Iterator[Verdict]:
    """A client's plain "no" to the question whether it thinks of suicide, as a verdict that is a denial."""
    first = answer.text.strip().split(SENTENCE_BREAK)[0].strip(" .,!")
    for book in books:
        plain = book.any_of(book.denies).fullmatch(first) and not book.any_of(book.hedges).search(answer.text)
        if plain and _asks_of_thoughts(question, book):
            yield Verdict(side=Side.CLIENT, denial=True)
            return


def _asks_of_thoughts(question: str, book: Book) -> bool:
    """Whether the last question of a turn is that one, so that no other is answered."""
    last = _questions(question, book)[-1:]
    return any(map(book.any_of(book.asks_of_thoughts).search, last))


def _asks_of_death(question: str, book: Book) -> bool:
    return any(map(book.any_of(book.asks_of_death).search, _questions(question, book)))


def _questions(turn: str, book: Book) -> list[str]:
    """The sentences of a turn that ask something, folded."""
    asks = book.any_of(book.asking)
    return [sentence for sentence in fold(turn).text.split(SENTENCE_BREAK) if asks.search(sentence)]


def screen_folded(folded: Folded, side: Side, book: Book, standing: Level = Level.NONE) -> Verdict:
    """Screen a folded text with the rules of one book."""
    found: dict[Finding, Rule] = {}
    denied = side is Side.CLIENT and _says_denial(folded, book)
    for rule, patterns in book.that_may_match(side, folded.text):
        for passage in _passages(folded, rule, patterns, book):
            if GuardKind.NEGATION in rule.guards and passage.held_by(GuardKind.NEGATION):
                denied = denied or _denies(rule, passage)
            elif finding := _finding(rule, passage):
                found[finding] = rule
    beside = list(_side_by_side(found, disclosed=standing >= Level.PASSIVE))
    findings = tuple(sorted((*beside, *_composed(beside, book)), key=lambda finding: -finding.level))
    denial = denied and not any(map(_undoes_a_denial, findings))
    return Verdict(side=side, level=_highest(findings), findings=findings, denial=denial)


def _highest(findings: Iterable[Finding]) -> Level:
    return max((finding.level for finding in findings if finding.counts), default=Level.NONE)


@lru_cache(maxsize=64)
def _books_for(language: str) -> tuple[Book, ...]:
    """The language's own book, if there is one, and the English one."""
    own = {language_of(language)} & set(languages())
    return tuple(load_book(code) for code in dict.fromkeys((*own, DEFAULT_LANGUAGE)))


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of several books on the same text."""
    if len(verdicts) == 1:
        return verdicts[0]
    found = [finding for verdict in verdicts for finding in verdict.findings]
    return Verdict(
        side=verdicts[0].side,
        level=_highest(found),
        findings=tuple(sorted(found, key=lambda finding: -finding.level)),
        denial=any(verdict.denial for verdict in verdicts) and not any(map(_undoes_a_denial, found)),
    )


def _undoes_a_denial(finding: Finding) -> bool:
    """Whether a finding contradicts a denial in the same text, or shows that it was written for the screen."""
    return finding.category is Category.ROLE_BREAK or (_is_own(finding) and finding.level >= Level.PASSIVE)


def _says_denial(folded: Folded, book: Book) -> bool:
    spans = (found.span() for found in book.denials_in(folded.text))
    return any(not any(map(Passage.around(folded, *span, book).held_by, _EMPTIES_A_DENIAL)) for span in spans)


def _denies(rule: Rule, passage: Passage) -> bool:
    """Whether a negated match is the speaker's own "no" about now."""
    own = not passage.held_by(GuardKind.OTHER) and not passage.held_by(GuardKind.HOLLOW)
    return rule.category in SELF_DIRECTED and own and passage.marker() is not Marker.REMOTE


def _passages(folded: Folded, rule: Rule, patterns: Iterable[Pattern], book: Book) -> Iterator[Passage]:
    """Matches of a rule by those of its patterns that may match, each wording once."""
    seen: set[tuple[str, str, str]] = set()
    for pattern in patterns:
        for found in pattern.finditer(folded.text):
            passage = Passage.around(folded, *found.span(), book)
            if passage.words in seen:
                continue
            seen.add(passage.words)
            if not passage.has(rule.unless):
                yield passage


def _finding(rule: Rule, passage: Passage) -> Finding | None:
    """The finding of one match; None if a counselor only repeats what somebody said."""
    marker = passage.marker()
    finding = Finding(
        category=rule.category_at(marker),
        level=rule.level_at(marker),
        time=marker.time,
        quote=passage.quote,
        source=f"rules/{passage.book.language}:{rule.id}",
    )
    for guard, subject in _NOT_MEANT.items():
        if guard in rule.guards and passage.held_by(guard):
            return finding.model_copy(update={"subject": subject})
    if not any(passage.held_by(guard) for guard in _ANOTHERS if guard in rule.guards):
        return finding
    return _of_another(finding) if rule.side is Side.CLIENT else None


def _side_by_side(found: Mapping[Finding, Rule], *, disclosed: bool) -> Iterator[Finding]:
    """Findings of one text in each other's light, and in that of what was disclosed before: see `Rule.beside`."""
    plain = [finding for finding, rule in found.items() if rule.beside is None and _is_own(finding)]
    near_death = disclosed or any(
        finding.category in SELF_DIRECTED or (finding.category in _NEAR_DEATH and finding.level >= Level.PASSIVE)
        for finding in plain
    )
    despair = any(finding.category is Category.HOPELESSNESS for finding in plain)
    for finding, rule in found.items():
        if rule.beside is None or not _is_own(finding) or not (near_death or despair):
            yield finding
        else:
            level = rule.beside if near_death else min(rule.beside, Level.PASSIVE)
            yield finding.model_copy(update={"level": level})


def _composed(findings: Sequence[Finding], book: Book) -> Iterator[Finding]:
    """What the findings of one text make together: see `Together`."""
    quotes = {_rule_of(finding): finding.quote for finding in reversed(findings) if _is_own(finding)}
    for composed in book.together if len(quotes) > 1 else ():
        present = [[rule for rule in group if rule in quotes] for group in composed.all_of]
        if all(present):
            yield Finding(
                category=composed.category,
                level=composed.level,
                quote=quotes[present[0][0]],
                source=f"rules/{book.language}:{composed.id}",
            )


def _rule_of(finding: Finding) -> str:
    return finding.source.rpartition(":")[2]


def _is_own(finding: Finding) -> bool:
    """Whether a finding speaks of the speaker, now or lately."""
    return finding.subject is Subject.SELF and finding.time is not Time.REMOTE


def _of_another(finding: Finding) -> Finding:
    """The same words about somebody else."""
    grave = finding.level >= Level.ACTIVE and finding.time is not Time.REMOTE
    level = min(finding.level, Level.PASSIVE if grave else Level.CONCERN)
    return finding.model_copy(update={"category": Category.THIRD_PARTY_RISK, "level": level, "subject": Subject.OTHER})
