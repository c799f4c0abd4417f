from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import ConfigError
from counselgraph.safety.levels import Category, Finding, Level, Risk, Side, Verdict
from counselgraph.safety.policy import assess

FINDINGS = st.builds(
    Finding,
    category=st.sampled_from([Category.SI_ACTIVE, Category.PLAN]),
    level=st.sampled_from(Level),
    quote=st.sampled_from(["a", "b"]),
    source=st.sampled_from(["rules/en:x", "model"]),
)
VERDICTS = st.builds(
    Verdict,
    side=st.just(Side.CLIENT),
    level=st.sampled_from(Level),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    denial=st.booleans(),
    failed=st.booleans(),
)
TURNS = st.lists(st.lists(VERDICTS, min_size=1, max_size=3), min_size=1, max_size=12)


def said(level: int = 0, *, denial: bool = False, failed: bool = False) -> Verdict:
    return Verdict(side=Side.CLIENT, level=Level(level), denial=denial, failed=failed)


def after(*verdicts: Verdict) -> Risk:
    risk: Risk | None = None
    for verdict in verdicts:
        risk = assess(risk, verdict)
    return risk or Risk()


def test_the_level_rises_at_once():
    assert after(said(0), said(4)).level == 4


def test_it_falls_after_a_denial_and_two_calm_turns():
    assert after(said(3), said(0, denial=True)).level == 3
    assert after(said(3), said(0, denial=True), said(0)).level == 0
    assert after(said(3), said(0), said(0), said(0, denial=True)).level == 0


def test_it_falls_to_the_level_of_the_turn():
    assert after(said(4), said(2, denial=True), said(1)).level == 1


def test_calm_turns_alone_do_not_lower_it():
    assert after(said(3), *[said(0)] * 20).level == 3


def test_saying_it_again_forgets_the_denial():
    assert after(said(3), said(0, denial=True), said(3), said(0), said(0)).level == 3


def test_a_failed_screen_is_never_calm_and_its_denial_does_not_count():
    assert after(said(3), said(0, denial=True), said(0, failed=True)).level == 3
    assert after(said(3), said(0, denial=True, failed=True), said(0), said(0)).level == 3
    assert after(said(3), said(0, denial=True), said(0, failed=True), said(0)).level == 0


def test_a_failed_screen_may_raise():
    assert after(said(4, failed=True)).level == 4


def test_imminent_danger_is_locked():
    assert after(said(5), *[said(0, denial=True)] * 20).level == 5


def test_the_reason_names_what_decided():
    finding = Finding(category=Category.PLAN, level=Level.INTENT, quote="x", source="model")
    risen = assess(None, Verdict(side=Side.CLIENT, level=Level.INTENT, findings=(finding,)))
    assert risen.reason == "This turn rose to R4, above R0 before (PLAN)."
    assert assess(risen, said(0)).reason == (
        "This turn is calm, but R4 stands until there is an explicit denial and 1 more calm turn(s)."
    )


def test_without_a_verdict_nothing_changes():
    risk = after(said(3), said(0))
    assert assess(risk) == risk
    assert assess(None) == Risk()


def test_sides_are_not_mixed():
    with pytest.raises(ConfigError, match="one side"):
        assess(after(said(1)), Verdict(side=Side.COUNSELOR))


@given(TURNS)
def test_the_standing_level_is_never_below_what_the_rule_allows(turns: list[list[Verdict]]):
    risk: Risk | None = None
    calm, denied = 0, False
    for verdicts in turns:
        before = risk.level if risk else Level.NONE
        risk = assess(risk, *verdicts)
        turn = max(verdict.level for verdict in verdicts)
        failed = any(verdict.failed for verdict in verdicts)
        assert risk.level >= turn
        if turn >= before:
            calm, denied = 0, False
        elif not failed:
            calm, denied = calm + 1, denied or any(verdict.denial for verdict in verdicts)
        if risk.level < before:
            assert denied
            assert calm >= 2
            assert not failed
            assert before < Level.IMMINENT


@given(TURNS, st.randoms(use_true_random=False))
def test_the_order_of_verdicts_does_not_matter(turns: list[list[Verdict]], shuffle: random.Random):
    straight: Risk | None = None
    mixed: Risk | None = None
    for verdicts in turns:
        straight = assess(straight, *verdicts)
        mixed = assess(mixed, *shuffle.sample(verdicts, len(verdicts)))
    assert straight == mixed


@given(TURNS)
def test_a_verdict_given_twice_counts_once(turns: list[list[Verdict]]):
    once: Risk | None = None
    twice: Risk | None = None
    for verdicts in turns:
        once, twice = assess(once, *verdicts), assess(twice, *verdicts, *verdicts)
    assert once == twice
