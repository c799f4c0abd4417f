from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.safety.fold import fold, fold_pattern

EXAMPLES = yaml.safe_load((Path(__file__).parent / "other_languages.yaml").read_text(encoding="utf-8"))


def test_folding_plain_text_only_lowers_it():
    assert fold("I am Fine, thanks.").text == "i am fine, thanks."


def test_curly_quotes_wide_letters_and_zero_width_characters_fold_away():
    assert fold("I don\u2019t \uff57\uff41\uff4e\uff54 to l\u200bi\u00adve").text == "i don't want to live"


def test_letters_of_other_scripts_that_look_alike_fold_to_latin_ones():
    assert fold("\u0430nd \u03bfne \u0455uch").text == "and one such"


def test_a_disguised_word_is_quoted_as_it_was_written():
    folded = fold("Why not k-1-l-l him. I mean d i e!")
    at = folded.text.index("die")
    assert folded.quote(at, at + 3) == "d i e"


def test_spaces_become_one_and_sentences_one_line_each():
    assert fold("One  two.\tThree\n\nfour\nfive!").text == "one two.\nthree\nfour five!"


def test_a_capital_on_a_new_line_begins_a_sentence_and_a_wrapped_line_does_not():
    assert fold("No full stop\nIf so").text == "no full stop\nif so"
    assert fold("when it\ngoes on\nI go").text == "when it goes on\ni go"


def test_trailing_dots_hold_a_sentence_together():
    assert fold("I want to... go home").text == "i want to go home"


def test_a_quote_is_what_was_really_said():
    folded = fold("Well,  I DON\u2019T\u200b  know.")
    at = folded.text.index("don't know")
    assert folded.quote(at, at + len("don't know")) == "DON\u2019T\u200b  know"


@given(st.text())
def test_every_folded_character_knows_its_origin_in_order(text: str):
    folded = fold(text)
    assert len(folded.text) == len(folded.origin)
    assert list(folded.origin) == sorted(folded.origin)
    assert all(0 <= index < len(text) for index in folded.origin)


@given(st.text(min_size=1), st.data())
def test_every_quote_is_a_substring(text: str, data: st.DataObject):
    folded = fold(text)
    if folded.text:
        start = data.draw(st.integers(0, len(folded.text) - 1))
        end = data.draw(st.integers(start + 1, len(folded.text)))
        assert folded.quote(start, end) in text


def test_a_long_run_of_blanks_is_folded_quickly():
    started = perf_counter()
    assert fold(" " * 50_000 + "\n" + " " * 50_000).text == " "
    assert perf_counter() - started < 5


@pytest.mark.parametrize(("written", "folded"), EXAMPLES["folds"])
def test_the_letters_of_other_languages_fold_to_one_form(written: str, folded: str):
    assert fold(written).text == folded


@pytest.mark.parametrize(("written", "folded"), EXAMPLES["pattern_folds"])
def test_a_pattern_folds_as_the_texts_do_and_keeps_its_operators(written: str, folded: str):
    assert fold_pattern(written) == folded
