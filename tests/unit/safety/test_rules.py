from __future__ import annotations

import re
from collections import Counter

import pytest

from counselgraph.errors import InputError
from counselgraph.safety.levels import Category, Level, Side, Subject
from counselgraph.safety.rules import Book, Marker, Rule, Together, language_of, languages, load_book, read_book
from counselgraph.safety.screen import screen

BOOKS = [load_book(language) for language in languages()]
RULES = [(book, rule) for book in BOOKS for rule in book.rules]
HITS = [
    pytest.param(book, rule, text, id=f"{book.language}-{rule.id}-{n}")
    for book, rule in RULES
    for n, text in enumerate(rule.hits)
]
MISSES = [
    pytest.param(book, rule, text, id=f"{book.language}-{rule.id}-{n}")
    for book, rule in RULES
    for n, text in enumerate(rule.misses)
]
COMPOSED = [(book, composed) for book in BOOKS for composed in book.together]
COMPOSED_HITS = [
    pytest.param(book, composed, text, id=f"{book.language}-{composed.id}-{n}")
    for book, composed in COMPOSED
    for n, text in enumerate(composed.hits)
]
COMPOSED_MISSES = [
    pytest.param(book, composed, text, id=f"{book.language}-{composed.id}-{n}")
    for book, composed in COMPOSED
    for n, text in enumerate(composed.misses)
]
CLIENT_FLOOR = [
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
    Category.ABUSE_VICTIM,
    Category.NEGLECT,
    Category.PSYCHOSIS,
    Category.SUBSTANCE_WITHDRAWAL,
    Category.EATING_DISORDER,
    Category.ACUTE_MEDICAL,
    Category.PANIC_CRISIS,
    Category.RISK_TAKING,
    Category.THIRD_PARTY_RISK,
    Category.METHOD_SEEKING,
    Category.MINOR_USER,
    Category.ROLE_BREAK,
]
MAIN = [
    *CLIENT_FLOOR[: CLIENT_FLOOR.index(Category.NEGLECT)],
    Category.PSYCHOSIS,
    Category.ACUTE_MEDICAL,
    Category.THIRD_PARTY_RISK,
]


def fired(book: Book, rule: Rule | Together, text: str) -> list[Level]:
    """Levels at which this very rule or composition found something about the speaker."""
    source = f"rules/{book.language}:{rule.id}"
    side = rule.side if isinstance(rule, Rule) else Side.CLIENT
    found = screen(text, side=side, language=book.language).findings
    return [finding.level for finding in found if finding.source == source and finding.subject is Subject.SELF]


@pytest.mark.parametrize(("book", "rule", "text"), HITS)
def test_a_rule_finds_its_examples(book: Book, rule: Rule, text: str):
    assert fired(book, rule, text)


@pytest.mark.parametrize(("book", "rule", "text"), MISSES)
def test_a_rule_leaves_its_look_alikes_alone(book: Book, rule: Rule, text: str):
    assert not fired(book, rule, text)


@pytest.mark.parametrize(("book", "composed", "text"), COMPOSED_HITS)
def test_a_composition_finds_its_examples(book: Book, composed: Together, text: str):
    assert fired(book, composed, text) == [composed.level]


@pytest.mark.parametrize(("book", "composed", "text"), COMPOSED_MISSES)
def test_a_composition_leaves_its_look_alikes_alone(book: Book, composed: Together, text: str):
    assert not fired(book, composed, text)


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.language)
def test_every_pattern_of_a_book_compiles(book: Book):
    assert book.check() is book


def test_english_has_compositions():
    assert len(load_book("en").together) >= 3


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.language)
def test_the_ids_of_rules_and_compositions_are_unique(book: Book):
    ids = Counter([*(rule.id for rule in book.rules), *(composed.id for composed in book.together)])
    assert [name for name, count in ids.items() if count > 1] == []


def test_a_composition_of_a_rule_that_is_not_there_is_refused():
    raw = load_book("en").model_dump(mode="json")
    raw["together"][0]["all_of"][0] = ["no-such-rule"]
    with pytest.raises(InputError, match="no-such-rule"):
        read_book(raw, name="mine.yaml")


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.language)
@pytest.mark.parametrize("category", MAIN)
def test_every_language_covers_the_main_client_categories(category: Category, book: Book):
    assert any(rule.category is category for rule in book.of(Side.CLIENT))


@pytest.mark.parametrize("category", CLIENT_FLOOR)
def test_english_covers_the_client_category(category: Category):
    assert any(rule.category is category for rule in load_book("en").of(Side.CLIENT))


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.language)
def test_every_repetition_in_a_pattern_has_a_bound(book: Book):
    escape_or_class = re.compile(r"\\.|\[[^\]]*\]")
    patterns = [pattern for rule in book.rules for pattern in (*rule.patterns, *rule.unless)]
    patterns += [
        pattern
        for guard in book.guards.values()
        for pattern in (*guard.before, *guard.after, *guard.unless, *guard.unless_after)
    ]
    bare = {pattern: escape_or_class.sub("", book.spelled_out(pattern)) for pattern in patterns}
    assert [pattern for pattern, text in bare.items() if re.search(r"[*+]|,\}", text)] == []


def test_a_marker_moves_a_rule_only_where_the_rule_says_so():
    rule = Rule(
        id="x", side=Side.CLIENT, category=Category.PLAN, level=3, urgent=5, patterns=("x",), hits=("x",)
    )  # fmt: skip
    assert [rule.level_at(marker) for marker in (Marker.PRESENT, Marker.RECENT, Marker.COMING_DAY, Marker.REMOTE)] == [
        3,
        3,
        5,
        1,
    ]


@pytest.mark.parametrize("code", ["en", "EN", "en-GB", "en_US.UTF-8"])
def test_a_language_code_is_read_however_it_is_written(code: str):
    assert language_of(code) == "en"


def test_an_unknown_language_has_no_book():
    with pytest.raises(InputError, match="no rules for 'tlh'"):
        load_book("tlh")


@pytest.mark.parametrize("pattern", ["(unclosed", "<nosuchlist>"])
def test_a_bad_pattern_is_refused_with_the_name_of_the_file(pattern: str):
    raw = load_book("en").model_dump(mode="json")
    raw["rules"][0]["patterns"] = [pattern]
    with pytest.raises(InputError, match=r"^mine\.yaml"):
        read_book(raw, name="mine.yaml")
