from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.safety.disguise import undisguised
from counselgraph.safety.fold import fold


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("su1c1de", "suicide"),
        ("k1ll mys3lf", "kill myself"),
        ("d i e", "die"),
        ("k-i-l-l m-y-s-e-l-f", "kill myself"),
        ("d\ni\ne", "die"),
        ("k.m.s", "kms"),
        ("should i k i l l myself", "should i kill myself"),
        ("dieeee", "die"),
        ("killlll myselfff", "kill myself"),
        ("i feeel uselesss", "i feel useless"),
        ("reallly", "really"),
    ],
)
def test_a_disguised_word_is_read_as_it_is_meant(written: str, read: str):
    assert undisguised(written, range(len(written)))[0] == read


@pytest.mark.parametrize(
    "plain",
    [
        "i took 3 pills at 10am",
        "i'm 14 and she is 13f",
        "call 0800 555 111",
        "a b, c d",
        "e.g. mine",
        "see www.example.org",
        "well, i need good sleep",
        "too cool for school",
    ],
)
def test_plain_words_stay_as_they_are(plain: str):
    assert undisguised(plain, range(len(plain)))[0] == plain


@given(st.text(alphabet="abeilos 13-.\n", max_size=60))
def test_every_character_left_knows_where_it_came_from(text: str):
    plain, origin = undisguised(text, range(len(text)))
    assert len(plain) == len(origin)
    assert list(origin) == sorted(set(origin))
    assert all(0 <= at < len(text) for at in origin)


@pytest.mark.parametrize("piece", ["a", "a ", "a-", "1a", "l", "a a  ", "\n"])
def test_a_long_run_is_read_in_linear_time(piece: str):
    started = perf_counter()
    fold(piece * 50_000)
    assert perf_counter() - started < 5
