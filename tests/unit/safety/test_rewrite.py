from __future__ import annotations

import pytest

from counselgraph.safety.levels import Category, Finding, Level, Risk, Side, Verdict
from counselgraph.safety.policy import assess
from counselgraph.safety.rewrite import check_in, guidance, rewrite_note
from counselgraph.safety.screen import screen, screen_reply

COUNSELOR_SIDE = list(Category)[list(Category).index(Category.MISSED_RISK) :]
ACTIVE = assess(None, screen("I keep thinking about killing myself."))


def verdict(*found: tuple[Category, int], quote: str = "") -> Verdict:
    findings = tuple(
        Finding(category=category, level=Level(level), quote=quote, source="reply:x") for category, level in found
    )
    return Verdict(side=Side.COUNSELOR, level=max(one.level for one in findings), findings=findings)


@pytest.mark.parametrize("category", COUNSELOR_SIDE)
def test_every_fault_has_a_note_with_nothing_left_to_fill_in(category: Category):
    note = rewrite_note(verdict((category, 3)), risk=ACTIVE, locale="US", language="es")
    assert guidance().notes[category].split("{")[0].strip() in note
    assert "Spanish" in note
    assert "{" not in note


def test_a_note_never_repeats_the_draft():
    draft = "Good luck, the lethal dose of that is easy to reach, and you are pathetic."
    checked = screen_reply(draft, risk=ACTIVE, locale="US")
    note = rewrite_note(checked, risk=ACTIVE, locale="US")
    assert checked.level >= Level.ACTIVE
    assert not [one.quote for one in checked.findings if one.quote and one.quote.lower() in note.lower()]


def test_a_note_names_the_gravest_faults_only():
    every = verdict(*[(category, 3) for category in COUNSELOR_SIDE])
    assert rewrite_note(every, risk=ACTIVE, locale="US").count("\n- ") == 4


def test_nothing_to_mend_needs_no_note():
    assert rewrite_note(verdict((Category.STIGMA, 2)), risk=ACTIVE, locale="US") == ""


def test_a_missing_service_comes_from_the_table_of_the_country():
    note = rewrite_note(verdict((Category.NO_RESOURCE, 3)), risk=ACTIVE, locale="GB")
    assert "Samaritans, call 116 123" in note


def test_a_check_in_is_for_r1_alone_and_remembers_an_earlier_one():
    concern = assess(None, screen("I'm just a burden to everybody."))
    assert concern.turn_level == Level.CONCERN
    first = check_in(concern, [])
    again = check_in(concern, ["Do you have thoughts of suicide?"])
    assert again.startswith(first)
    assert len(again) > len(first) > 0
    assert [check_in(risk, []) for risk in (Risk(), ACTIVE)] == ["", ""]
