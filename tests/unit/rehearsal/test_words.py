from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.models.rehearsal.hearing import feeling_in, person_in, rating_in, stance, thought_in
from counselgraph.models.rehearsal.words import FIRST_PERSON, flip, mirror, quotable, sentences, telling, trimmed


@pytest.mark.parametrize(
    ("said", "flipped"),
    [
        ("I am tired", "you are tired"),
        ("I was tired and I wasn't well", "you were tired and you weren't well"),
        ("I'm tired", "you're tired"),
        ("I've lost my keys", "you've lost your keys"),
        ("I'd rather stay and I'll stay", "you'd rather stay and you'll stay"),
        ("he told me that the fault was mine", "he told you that the fault was yours"),
        ("I blame myself", "you blame yourself"),
        ("I really am trying", "you really are trying"),
        ("I always was the quiet one", "you always were the quiet one"),
        ("that is who I am", "that is who you are"),
        ("why was I there, and why am I still", "why were you there, and why are you still"),
        ("my sister and I argued", "you and your sister argued"),
        ("we were late and our train left", "you were late and your train left"),
        ('I thought, "I am done for"', 'you thought, "I am done for"'),
        ("they ignore me", "they ignore you"),
    ],
)
def test_the_first_person_becomes_the_second(said, flipped):
    assert flip(said) == flipped


@pytest.mark.parametrize(
    "said",
    [
        "You don't understand.",
        "My boss called and was angry with me.",
        "And was I right?",
        "Why would I do that?",
        "I don't like this session.",
        "Rain.",
    ],
)
def test_what_cannot_be_said_back_safely_is_not_reflected(said):
    assert mirror(said) is None


def test_the_clause_that_says_most_is_reflected():
    said = "It rained on Monday. I couldn't get out of bed, and my sister came over. The bus was late."
    assert mirror(said) == "You couldn't get out of bed, and your sister came over"


def test_a_clause_that_was_said_back_before_is_passed_over():
    said = "I lie awake at night. I count my mistakes."
    first = telling(said)
    assert first is not None
    second = telling(said, spent=[f"so {flip(first).lower()}."])
    assert second is not None
    assert second != first


_PIECES = st.sampled_from(
    [
        "I",
        "I'm",
        "I've",
        "my",
        "me",
        "myself",
        "was",
        "am",
        "and",
        "but",
        "you",
        "because",
        "a",
        "boss",
        "angry",
        "work",
        "never",
        "can't",
        '"I fail"',
        "we",
        "our",
        "think",
        "night",
        "80",
    ]
)


@given(st.lists(_PIECES, min_size=1, max_size=14))
def test_a_reflection_leaves_no_first_person_outside_quotation_marks(words):
    reflected = mirror(" ".join(words) + ".")
    if reflected is not None:
        assert not any(FIRST_PERSON.search(part) for part in reflected.split('"')[::2])


@given(st.text(max_size=200))
def test_any_text_can_be_heard(text):
    for hear in (mirror, quotable, thought_in, feeling_in, person_in, sentences, trimmed):
        hear(text)
    assert stance(text, held=False) in {"asks_why", "resists", "asks_view", "checks", "agrees", "warm", "tells"}


def test_a_full_stop_within_quotation_marks_ends_no_sentence():
    assert sentences('I thought, "I fail. I always fail." Then I left.') == [
        'I thought, "I fail. I always fail."',
        "Then I left.",
    ]


@pytest.mark.parametrize(
    ("said", "thought"),
    [
        ('Then it was "They can see that I don\'t belong." Always.', "They can see that I don't belong"),
        ("I keep thinking that I'm going to be found out.", "I'm going to be found out"),
        ("Nobody wants me around, and I know it.", "Nobody wants me around"),
        ("I must never make a mistake.", "I must never make a mistake"),
        ("We had lunch at noon.", None),
        ("I'm hoping to feel better.", None),
    ],
)
def test_thoughts_are_told_from_events(said, thought):
    assert thought_in(said) == thought


@pytest.mark.parametrize(
    ("said", "feeling"),
    [
        ("I felt so ashamed.", "ashamed"),
        ("There was a lot of guilt.", "guilty"),
        ("I wasn't angry, I was sad.", "sad"),
        ("The house is empty.", None),
        ("I felt empty.", "empty"),
        ("She looked disappointed.", None),
    ],
)
def test_feelings_are_the_clients_own(said, feeling):
    assert feeling_in(said) == feeling


@pytest.mark.parametrize(
    ("said", "asked", "rating"),
    [
        ("Maybe 80 percent.", False, 80),
        ("It was 80, now it's more like 55.", True, 55),
        ("A bit further up. 100, maybe, not 75.", True, 100),
        ("Less sure than before. Maybe 20, where I said 45.", True, 20),
        ("Eighty-five, I'd say.", True, 85),
        ("About 70.", False, None),
        ("I waited 20 minutes.", True, None),
        ("250 percent.", True, None),
    ],
)
def test_ratings_are_read(said, asked, rating):
    assert rating_in(said, asked=asked) == rating
