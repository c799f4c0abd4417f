from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.models.rehearsal.hearing import feeling_in, person_in, rating_in, stance, thought_in
from counselgraph.models.rehearsal.story import problem_in, reason_in
from counselgraph.models.rehearsal.talk import beside_the_point, small_talk
from counselgraph.models.rehearsal.words import (
    FIRST_PERSON,
    flip,
    harsh,
    mirror,
    quotable,
    sentences,
    telling,
    trimmed,
    verdict,
)


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
    assert sentences('I thought, "I fail. I always fail." Then I left.') == (
        'I thought, "I fail. I always fail."',
        "Then I left.",
    )


@pytest.mark.parametrize("said", ["Mr. Brown called.", "I avoid crowds, e.g. shops.", "Dr. Lee, i.e. my doctor, left."])
def test_an_abbreviation_ends_no_sentence(said):
    assert sentences(said) == (said,)


@pytest.mark.parametrize("said", ["Maybe it wasn't about me.", "I think it was my fault.", "It went wrong, maybe."])
def test_how_sure_somebody_is_stays_part_of_what_is_said(said):
    assert trimmed(said) == said.rstrip(".")


@pytest.mark.parametrize(
    ("piece", "judges", "foretells"),
    [
        ("I'm a failure", True, False),
        ("Nobody wants me", True, False),
        ("I'll never be promoted", False, True),
        ("If I ask, they will laugh", False, True),
        ("I'm a nurse", False, False),
        ("My job performance hasn't been affected", False, False),
        ("I never liked mornings", False, False),
        ("I feel like I'll never be promoted", False, False),
    ],
)
def test_only_verdicts_on_oneself_are_harsh_and_only_rigid_forecasts_are_verdicts(piece, judges, foretells):
    assert harsh(piece) is judges
    assert verdict(piece) is (foretells or (judges and "Nobody" in piece))


def test_being_afraid_as_a_way_of_saying_sorry_is_no_fear():
    assert feeling_in("Same answer as before, I'm afraid.") is None
    assert feeling_in("I'm afraid not.") is None
    assert feeling_in("I'm afraid they'd be hurt.") == "afraid"


@pytest.mark.parametrize(
    "said",
    [
        "That's fine with me.",
        "Everything else sort of hangs on it.",
        "It does me good to say that.",
        "I'll be chewing on it on the way home.",
        "Then I'd say Tuesday.",
        "I wouldn't throw a party, but all right.",
        "75, if I'm honest.",
    ],
)
def test_talk_about_the_talk_is_told_from_content(said):
    assert beside_the_point(said)
    assert not beside_the_point("I lie awake and count my mistakes.")


@pytest.mark.parametrize(
    "said",
    [
        "Hi, to be honest, I've been better.",
        "Honestly, I'm not feeling great. It's been a rough week.",
        "Hi, thanks for having me. I'm alright, just a bit anxious.",
        "I'm feeling a bit anxious about talking about all this, but I'm hoping it will help.",
    ],
)
def test_a_greeting_and_a_mood_are_no_problem_yet(said):
    assert small_talk(said)
    assert problem_in(said) is None
    assert not small_talk("I've been sad since my cat died.")


def test_a_reason_for_coming_is_put_as_the_client_would_say_it():
    reason = "I decided to seek counseling because these fears are affecting my sleep."
    assert reason_in(reason) == "These fears are affecting my sleep"
    assert reason_in("") is None


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
