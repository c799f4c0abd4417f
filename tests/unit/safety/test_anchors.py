"""Anchors never make a pattern miss what it would have matched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.safety.anchors import AnchorIndex, Reader
from counselgraph.safety.fold import fold, fold_pattern
from counselgraph.safety.levels import Side
from counselgraph.safety.rules import languages, load_book

BOOKS = {language: load_book(language) for language in languages()}
PATTERNS = [
    (book, pattern, book.any_of((pattern,)))
    for book in BOOKS.values()
    for rule in book.rules
    for pattern in rule.patterns
]
READERS = {
    language: Reader({name: fold_pattern(words) for name, words in book.words.items()})
    for language, book in BOOKS.items()
}
EXAMPLES = sorted({text for book in BOOKS.values() for rule in book.rules for text in (*rule.hits, *rule.misses)})


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("kill myself", [{"kill myself"}]),
        ("(?:end|take) my life", [{"end my life", "take my life"}]),
        ("k[i1]ll", [{"kill", "k1ll"}]),
        ("colou?r", [{"colour", "color"}]),
        ("pills|rope", [{"pills", "rope"}]),
        (r"\bgun\b", [{"gun"}]),
        ("(?:so )?tired", [{"tired"}]),
        ("[a-b]c?", []),
        ("a(?!b)lone", [{"alone"}]),
        ("(?:very ){2}sad", [{"very "}, {"sad"}]),
        (r"want \S{1,9} die|hope \S{1,9} end", [{"want ", "hope "}, {" die", " end"}]),
        ("x|", []),
    ],
)
def test_every_match_holds_a_word_of_each_set_a_pattern_needs(pattern: str, words: list[set[str]]) -> None:
    assert list(Reader({}).needs(pattern)) == words


@pytest.mark.parametrize("language", BOOKS)
def test_every_match_of_every_rule_holds_what_it_needs(language: str) -> None:
    checked = 0
    for text in map(fold, EXAMPLES):
        for book, pattern, compiled in PATTERNS:
            if compiled.search(text.text):
                for words in READERS[book.language].needs(fold_pattern(pattern)):
                    assert any(word in text.text for word in words), (pattern, text.text)
                checked += 1
    assert checked > len(BOOKS[language].rules)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("language", BOOKS)
def test_the_index_leaves_out_no_rule_that_matches(language: str, side: Side) -> None:
    book = BOOKS[language]
    for text in (fold(example).text for example in EXAMPLES):
        left = {rule.id for rule, _ in book.that_may_match(side, text)}
        assert {rule.id for rule in book.of(side) if book.any_of(rule.patterns).search(text)} <= left


WORDS = st.text("abc ", min_size=1, max_size=4)
PARTS = st.recursive(
    WORDS.map(re.escape),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.lists(inner, min_size=1, max_size=3).map("".join),
        inner.map(lambda part: f"(?:{part})?"),
        inner.map(lambda part: f"(?:{part}){{1,2}}"),
        inner.map(lambda part: f"(?={part})"),
    ),
    max_leaves=6,
)


@given(st.lists(PARTS, min_size=1, max_size=5), st.text("abc ", max_size=20))
def test_what_the_index_leaves_out_does_not_match(patterns: list[str], text: str) -> None:
    left = AnchorIndex(patterns).candidates(text)
    assert {number for number, pattern in enumerate(patterns) if re.search(pattern, text)} <= set(left)
