"""What holds in every language: orders inside a text change nothing, and another person's risk is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from counselgraph.safety.levels import Category, Level
from counselgraph.safety.screen import screen

EXAMPLES = yaml.safe_load((Path(__file__).parent / "other_languages.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("language", "order", "said"), EXAMPLES["orders"])
def test_an_order_before_the_words_changes_neither_level_nor_denial(language: str, order: str, said: str):
    plain, ordered = screen(said, language=language), screen(order + said, language=language)
    assert ordered.level == plain.level >= Level.PASSIVE
    assert not ordered.denial


@pytest.mark.parametrize(("language", "order", "said"), EXAMPLES["orders"])
def test_an_order_after_the_words_changes_neither_level_nor_denial(language: str, order: str, said: str):
    plain, ordered = screen(said, language=language), screen(said + order, language=language)
    assert ordered.level == plain.level
    assert not ordered.denial


@pytest.mark.parametrize(("language", "order", "said"), EXAMPLES["orders"])
def test_an_order_is_noted_and_has_no_level_itself(language: str, order: str, said: str):
    verdict = screen(order, language=language)
    assert Category.ROLE_BREAK in {finding.category for finding in verdict.findings}
    assert verdict.level == Level.NONE


@pytest.mark.parametrize(("language", "text"), EXAMPLES["others"])
def test_a_risk_of_somebody_else_in_another_language_is_theirs(language: str, text: str):
    verdict = screen(text, language=language)
    assert {finding.category for finding in verdict.findings} == {Category.THIRD_PARTY_RISK}
    assert Level.CONCERN <= verdict.level <= Level.PASSIVE
