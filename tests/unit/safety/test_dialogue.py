from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counselgraph.safety.dialogue import Screening, screen_dialogue
from counselgraph.safety.levels import Category, Level, Risk, Side, Verdict
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.said import Said

CLIENT, COUNSELOR = Side.CLIENT, Side.COUNSELOR
ACTIVE = "I have been thinking about killing myself."
DENIES = "No, I am not thinking about suicide."
PASSIVE = "I wish I would not wake up."
CALM = "We went for a walk on Sunday."
ASKS = "Thank you for telling me. Are you thinking about killing yourself? You can call or text 988 at any time."
CHATS = "What did you have for lunch?"


def client(*texts: str) -> list[Said]:
    return [Said("client", text) for text in texts]


def levels(screening: Screening) -> list[tuple[int, int, int]]:
    return [(turn.index, turn.level, turn.turn_level) for turn in screening.turns]


def test_the_level_of_a_dialogue_is_the_one_that_stands_after_its_last_client_turn() -> None:
    found = screen_dialogue(client(CALM, ACTIVE, CALM))
    assert levels(found) == [(0, 0, 0), (1, 3, 3), (2, 3, 0)]
    assert found.level == 3


def test_it_falls_by_the_policy_alone() -> None:
    assert screen_dialogue(client(ACTIVE, DENIES, CALM)).level == 0
    assert screen_dialogue(client(ACTIVE, CALM, CALM, CALM)).level == 3


def test_the_counselors_turns_are_not_the_clients() -> None:
    said = [Said("client", CALM), Said("counselor", ACTIVE)]
    assert levels(screen_dialogue(said)) == [(0, 0, 0)]


def test_findings_explain_the_level() -> None:
    found = screen_dialogue([*client(CALM, ACTIVE), Said("counselor", CHATS)])
    assert found.findings == screen(ACTIVE).findings
    assert {finding.category for finding in found.findings} == {Category.SI_ACTIVE}
    assert screen_dialogue(client(ACTIVE, CALM, CALM)).findings == screen(ACTIVE).findings
    both = screen_dialogue(client(ACTIVE, CALM, PASSIVE))
    assert both.findings == (*screen(ACTIVE).findings, *screen(PASSIVE).findings)
    assert [turn.findings for turn in both.turns] == [screen(text).findings for text in (ACTIVE, CALM, PASSIVE)]
    assert screen_dialogue(client(ACTIVE, DENIES, CALM)).findings == ()


def test_a_third_voice_may_raise_the_level_and_cannot_lower_it() -> None:
    assert screen_dialogue([Said("mother", ACTIVE)]).level == 3
    denied = [*client(ACTIVE), Said("mother", DENIES), Said("mother", CALM), Said("mother", CALM)]
    assert screen_dialogue(denied).level == 3


def test_a_reply_is_judged_in_the_light_of_the_client_before_it() -> None:
    after_risk = screen_dialogue([*client(ACTIVE), Said("counselor", CHATS)], side=COUNSELOR, locale="US")
    after_calm = screen_dialogue([*client(CALM), Said("counselor", CHATS)], side=COUNSELOR, locale="US")
    asked = screen_dialogue([*client(ACTIVE), Said("counselor", ASKS)], side=COUNSELOR, locale="US")
    assert {finding.category for finding in after_risk.findings} >= {Category.MISSED_RISK, Category.NO_RESOURCE}
    assert after_risk.level >= 3
    assert (after_calm.level, asked.level) == (0, 0)
    assert [turn.side for turn in after_risk.turns] == [CLIENT, COUNSELOR]


def test_the_last_reply_counts_whatever_comes_after_it() -> None:
    said = [*client(ACTIVE), Said("counselor", ASKS), *client(ACTIVE), Said("counselor", CHATS), *client(ACTIVE)]
    found = screen_dialogue(said, side=COUNSELOR, locale="US")
    assert [turn.level for turn in found.turns if turn.side is COUNSELOR] == [0, found.level]
    assert Category.MISSED_RISK in {finding.category for finding in found.findings}


def test_what_was_asked_and_offered_need_not_be_said_again_until_the_risk_rises() -> None:
    hears = "That sounds very hard. I am glad that you tell me about these thoughts of suicide."
    again = [*client(ACTIVE), Said("counselor", ASKS), *client(ACTIVE), Said("counselor", hears)]
    missing = {Category.NO_DIRECT_QUESTION, Category.NO_RESOURCE}
    assert not missing & {one.category for one in screen_dialogue(again, side=COUNSELOR, locale="US").findings}
    risen = [*again, *client("I will kill myself tonight."), Said("counselor", hears)]
    assert missing <= {one.category for one in screen_dialogue(risen, side=COUNSELOR, locale="US").findings}


def test_the_country_decides_which_contacts_may_be_named() -> None:
    said = [*client(ACTIVE), Said("counselor", ASKS)]
    assert screen_dialogue(said, side=COUNSELOR, locale="GB").level >= 3


def test_a_dialogue_without_a_turn_of_the_side_has_no_level() -> None:
    found = screen_dialogue(client(ACTIVE), side=COUNSELOR)
    assert (found.level, found.findings, len(found.turns)) == (0, (), 1)
    assert screen_dialogue([], side=CLIENT) == Screening(side=CLIENT)


@pytest.mark.parametrize("side", Side)
def test_the_plain_name_of_a_side_is_the_side(side: Side) -> None:
    said = [*client(DENIES), Said("counselor", "You should just stop your pills.")]
    name: Any = str(side.value)
    assert screen_dialogue(said, side=name) == screen_dialogue(said, side=side)
    for text in (DENIES, ACTIVE):
        assert screen(text, side=name) == screen(text, side=side)
    other: Any = "judge"
    with pytest.raises(ValueError, match="'judge' is not a valid Side"):
        screen(DENIES, side=other)


@pytest.mark.parametrize("side", Side)
def test_a_string_is_one_turn_of_the_side_asked_for(side: Side) -> None:
    for text in (ACTIVE, CALM, ""):
        alone = screen_dialogue(text, side=side)
        assert alone == screen_dialogue([Said(side, text)], side=side) == screen_dialogue([Said("", text)], side=side)
        assert len(alone.turns) == 1


def test_layers_that_fail_are_named_and_lower_nothing() -> None:
    def broken(text: str, *, side: Side, language: str) -> Verdict:
        raise TimeoutError(text)

    said = client(ACTIVE, DENIES, CALM)
    found = screen_dialogue(said, layers=(broken,))
    (why,) = found.failed.values()
    assert why == "TimeoutError"
    assert (screen_dialogue(said).level, found.level) == (0, 3)


def test_a_language_without_rules_is_a_failed_screen() -> None:
    assert screen_dialogue("ich bin müde", language="de").failed == {"rules": ""}
    assert screen_dialogue(client(ACTIVE, DENIES, CALM), language="de").level == 3


def test_a_layer_screens_replies_too() -> None:
    def strict(text: str, *, side: Side, language: str) -> Verdict | None:
        return Verdict(side=side, level=Level.INTENT) if side is COUNSELOR else None

    assert screen_dialogue(CHATS, side=COUNSELOR, layers=(strict,)).level == 4


SPOKEN = st.sampled_from([ACTIVE, DENIES, CALM, ASKS, CHATS, "我不想活了", "He wants to die."]) | st.text(max_size=60)
TURNS = st.lists(st.builds(Said, st.sampled_from(["client", "counselor", "mother", ""]), SPOKEN), max_size=6)
LANGUAGES = st.sampled_from(["en", "zh", "es", "fa", "ja", "de", "und", ""])


@given(said=TURNS, side=st.sampled_from(Side))
def test_no_level_stands_without_the_finding_that_explains_it(said: list[Said], side: Side) -> None:
    found = screen_dialogue(said, side=side)
    assert max((one.level for one in found.findings if one.counts), default=Level.NONE) >= found.level


@given(said=TURNS, side=st.sampled_from(Side), language=LANGUAGES)
def test_screening_twice_gives_the_same(said: list[Said], side: Side, language: str) -> None:
    once = screen_dialogue(said, side=side, language=language)
    assert once == screen_dialogue(said, side=side, language=language)
    assert once == screen_dialogue(tuple(said), side=side, language=language)


@given(text=st.text(max_size=400), side=st.sampled_from(Side), language=LANGUAGES)
def test_no_text_breaks_a_screening(text: str, side: Side, language: str) -> None:
    found = screen_dialogue(text, side=side, language=language)
    assert found == screen_dialogue([Said(side, text)], side=side, language=language)
    assert all(finding.quote in text for finding in found.findings)


@given(first=TURNS, second=TURNS, side=st.sampled_from(Side))
def test_one_dialogue_does_not_change_the_next(first: list[Said], second: list[Said], side: Side) -> None:
    there = [screen_dialogue(said, side=side) for said in (first, second)]
    back = [screen_dialogue(said, side=side) for said in (second, first)]
    assert there == back[::-1]


@given(said=TURNS, more=TURNS)
def test_what_is_said_later_does_not_change_what_stood_before(said: list[Said], more: list[Said]) -> None:
    whole = screen_dialogue([*said, *more], side=COUNSELOR).turns
    assert screen_dialogue(said, side=COUNSELOR).turns == whole[: sum(turn.index < len(said) for turn in whole)]


@given(said=TURNS)
def test_a_level_falls_only_in_the_light_of_a_denial(said: list[Said]) -> None:
    turns = screen_dialogue(said).turns
    fell = any(after.level < before.level for before, after in pairwise(turns))
    assert not fell or any(screen(turn.text).denial for turn in said if turn.role != "counselor")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unit", "side"),
    [("a", CLIENT), ("\n", CLIENT), ("I want ", CLIENT), ("死", CLIENT), ("e\u0301", CLIENT), ("call 988 ", COUNSELOR)],
)
def test_a_megabyte_is_screened_in_seconds(unit: str, side: Side) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    screen_dialogue(text, side=side, language="zh" if unit == "死" else "en")
    assert time.process_time() - started < 30


@settings(max_examples=20)
@given(text=st.text(max_size=100))
def test_a_reply_alone_is_screened_as_a_reply_without_risk(text: str) -> None:
    found = screen_dialogue(text, side=COUNSELOR, locale="US")
    assert found.level == screen_reply(text, risk=Risk(), locale="US").level


def test_the_learned_layer_reads_a_reply_with_what_came_before(monkeypatch: pytest.MonkeyPatch):
    from counselgraph.safety import learned

    heard: list[Any] = []

    def reading(reply: str, *, before: Any, language: str) -> Verdict:
        heard.append((reply, list(before), language))
        return Verdict(side=Side.COUNSELOR, level=Level.PASSIVE)

    monkeypatch.setattr(learned, "screen_learned_reply", reading)
    said = [Said("client", "I am so sad."), Said("counselor", "What happened?")]
    both = screen_dialogue(said, side=Side.COUNSELOR, layers=["rules", "learned"])
    assert heard == [("What happened?", [said[0]], "en")]
    assert both.level == Level.PASSIVE
    assert screen_dialogue(said, side=Side.COUNSELOR).level == Level.NONE


def after(*turns: str | tuple[str, str]) -> list[int]:
    said = [Said("client", turn) if isinstance(turn, str) else Said(*turn) for turn in turns]
    return [int(turn.level) for turn in screen_dialogue(said).turns]


def test_a_yes_to_the_direct_question_is_a_disclosure_and_a_no_is_none():
    asked = ("counselor", "Thank you for telling me. Are you thinking of killing yourself?")
    assert after("I am so tired.", asked, "Yes. I am.") == [0, 3]
    assert after("I am so tired.", asked, "No. I am not.") == [0, 0]
    assert after("I am so tired.", ("counselor", "Are you safe at home?"), "Yes. I am.") == [0, 0]
    assert after("I am so tired.", ("counselor", "Did you sleep?"), "Yes.") == [0, 0]


def test_means_named_after_a_disclosure_count_as_beside_it():
    means = "I've bought the rope, it's in the boot."
    assert after(means)[-1] < 3
    assert after("I want to kill myself.", means) == [3, 4]


DISTRESS = [Said("client", "I cried the whole night."), Said("counselor", "What was it about?")]
LATER = [*DISTRESS, Said("client", "My brother rang at nine.")]


def test_passing_over_distress_is_told_by_the_turn_that_a_reply_answers():
    bus = "The bus was late again today."
    assert any("passes-over" in one.source for one in screen_reply(bus, risk=Risk(), before=DISTRESS[:1]).findings)
    assert not screen_reply(bus, risk=Risk(), before=LATER).findings


def test_making_fun_of_somebody_in_distress_is_told_for_three_turns():
    assert screen_reply("Haha, that is hilarious.", risk=Risk(), before=LATER).level >= 3
