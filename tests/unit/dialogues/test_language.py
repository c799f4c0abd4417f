from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.dialogues.language import UNKNOWN, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can't sleep any more.", "en"),
        ("He ate a jalapeño and two piñatas fell on us.", "en"),
        ("no", "en"),
        ("", "en"),
        ("12:30 \U0001f629", "en"),
        ("No puedo más con esto.", "es"),
        ("Me siento sola y no duermo", "es"),
        ("¿Qué hago?", "es"),
        ("我睡不着", "zh"),
        ("我最近在学 Python, 可是一直 debug 不出来", "zh"),
        ("我很喜欢吃一兰の拉面", "zh"),
        ("眠れない日が続いています", "ja"),
        ("もうつかれた", "ja"),
        ("دیگر خوابم نمی‌برد", "fa"),
        ("Я больше не сплю", UNKNOWN),
        ("잠이 오지 않아요", UNKNOWN),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_sentence_in_another_script_counts_in_a_long_english_text() -> None:
    assert language_of("I told her so many times. " * 40 + "我真的一点也不想上班了") == "zh"


def test_a_name_in_another_script_does_not() -> None:
    assert language_of("My friend 小明 says that I should talk to somebody about it.") == "en"


@given(st.text(max_size=300))
def test_every_text_has_a_language(text: str) -> None:
    assert language_of(text) in {"en", "es", "zh", "ja", "fa", UNKNOWN}
