"""Descriptions of a client in the client's own voice."""

from __future__ import annotations

import pytest

from counselgraph.personas.importers.voice import from_second_person, from_third_person


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("You paint at night.", "I paint at night."),
        ("Your boss wants you to rest, and you are tired.", "My boss wants me to rest, and I am tired."),
        ("It helps you when you sing to yourself.", "It helps me when I sing to myself."),
        ("The two of you argue.", "The two of us argue."),
    ],
)
def test_the_second_person_becomes_the_first(told: str, said: str) -> None:
    assert from_second_person(told) == said


@pytest.mark.parametrize(
    ("told", "gender", "said"),
    [
        ("Ben works late and avoids his desk.", "male", "I work late and avoid my desk."),
        ("Ben has never told anyone. He hasn't dared.", "Male", "I have never told anyone. I haven't dared."),
        ("The client carries her own bags and tells her mirror.", "female", "I carry my own bags and tells my mirror."),
        ("The noise reminds Ben of home.", "male", "The noise reminds me of home."),
    ],
)
def test_the_third_person_becomes_the_first(told: str, gender: str, said: str) -> None:
    assert from_third_person(told, name="Ben", gender=gender) == said


@pytest.mark.parametrize(
    ("told", "gender"),
    [
        ("Ben's father left when he was two.", "male"),
        ("Ben thinks that he is late.", ""),
        ("Avoids asking for help.", "male"),
        ("The boss told Ben that he was late.", "male"),
        ("本周他很累。", ""),
    ],
)
def test_what_cannot_be_turned_safely_stays_as_it_is(told: str, gender: str) -> None:
    assert from_third_person(told, name="Ben", gender=gender) == told
