"""How a client takes a counselor's turn, and the words two texts share."""

from __future__ import annotations

import pytest

from counselgraph.personas.signs import Sign, as_taken, signs_of
from counselgraph.personas.words import nearest, shared, told_in, topic_words

TOLD = "My brother borrowed the money in spring and I lie awake over the loan."


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        ("It sounds as if you carry this by yourself.", Sign.REFLECTED),
        ("The money your brother borrowed keeps you awake.", Sign.REFLECTED),
        ("No wonder, after a night like that.", Sign.VALIDATED),
        ("What went through your mind then?", Sign.ASKED_OPENLY),
        ("What is behind that?", Sign.INVITED),
        ("What would be different if you tried?", Sign.EVOKED),
        ("That is up to you, of course.", Sign.LEFT_CHOICE),
        ("You should write to him tonight.", Sign.ADVISED),
        ("You\u2019re just avoiding him.", Sign.PUSHED),
        ("Let us look at the calendar.", Sign.IGNORED),
        ("听起来你很累。", Sign.REFLECTED),
        ("你应该早点睡。", Sign.ADVISED),
    ],
)
def test_a_turn_is_taken_by_its_wording(words: str, sign: Sign) -> None:
    assert sign in signs_of(words, TOLD)


def test_nothing_said_does_nothing() -> None:
    assert signs_of("", TOLD) == frozenset()


def test_a_question_that_repeats_words_gives_nothing_back() -> None:
    assert Sign.REFLECTED not in signs_of("Did your brother pay the loan?", TOLD)


def test_who_is_pushed_does_not_feel_understood() -> None:
    signs = signs_of("It sounds as if your brother borrowed it. But be honest: that is an excuse.", TOLD)
    assert Sign.PUSHED in signs
    assert not signs & {Sign.REFLECTED, Sign.VALIDATED}


def test_time_to_speak_is_no_advice() -> None:
    assert Sign.ADVISED not in signs_of("Take the time you need to settle in.", TOLD)


def test_a_client_that_has_said_little_cannot_be_passed_over() -> None:
    assert Sign.IGNORED not in signs_of("Let us look at the calendar.", "Hm.")


def test_advice_does_no_harm_once_there_is_trust() -> None:
    advised = frozenset({Sign.ADVISED})
    assert as_taken(advised, 0.2) == advised
    assert as_taken(advised, 0.9) == frozenset()


def test_words_are_compared_by_their_topic() -> None:
    assert shared("The nights were sleepless.", "Another sleepless night") == 2
    assert topic_words("and then we were just there") == frozenset()
    assert shared("我每天晚上都睡不着", "晚上睡不着") >= 3
    assert told_in("My father drank.", "I said that my father drank every evening.") == 1
    assert told_in("and then", "and then") == 0
    assert nearest(("the garden", "the money"), "What about money?") == "the money"
    assert nearest((), "What about money?") == ""
