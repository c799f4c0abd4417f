from __future__ import annotations

import re

import pytest

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor import speak
from counselgraph.models.rehearsal.frames import step_said
from counselgraph.models.rehearsal.story import SAFETY, Exchanged, exchanged, told_thought
from counselgraph.protocols.technique import Technique
from counselgraph.safety.levels import Level, Risk
from counselgraph.safety.policy import assess
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.transcript import turn
from tests.unit.rehearsal.counselor_driver import plan_for, play, reply, request, risk


def test_active_thoughts_suspend_the_plan_and_are_asked_about_directly():
    line = "I have been thinking that I should end it."
    said = reply(line, plan=plan_for(Technique.PIE_CHART), risk=risk(Level.ACTIVE, "I should end it"))
    assert "I should end it" in said
    assert re.search(r"thoughts of suicide|killing yourself|ending your life", said)
    assert said.count("?") == 1
    assert step_said(said) is None


def test_risk_questions_go_on_in_order_and_none_is_asked_twice():
    topics = bank("counselor/risk")["topics"]
    turns = play(Technique.CONTINUUM, ("It all hurts.",) * 14, risk=risk(Level.ACTIVE))[1:]
    asked = [[name for name, topic in topics.items() if re.search(topic["asked"], said)] for said in turns]
    order = [name for names in asked for name in names]
    assert order[: len(topics)] == list(topics)
    assert len(order) == len(topics)
    assert len(set(turns)) == len(turns)
    assert any("crisis line" in said for said in turns)


def test_what_the_client_has_answered_is_not_asked():
    lines = ("I've had thoughts of killing myself, but I haven't planned anything and I'm not going to do it.",)
    said = play(Technique.CONTINUUM, lines * 4, risk=risk(Level.ACTIVE))
    topics = bank("counselor/risk")["topics"]
    asked = [name for text in said[1:] for name, topic in topics.items() if re.search(topic["asked"], text)]
    assert asked == ["means", "person", "distance", "holding"]


def test_a_plan_for_the_weekend_is_no_answer_to_the_question_for_a_plan():
    lines = ("I have no plan for the weekend.", "I've had thoughts of killing myself.", "At night, mostly.")
    said = play(Technique.CONTINUUM, lines, risk=risk(Level.ACTIVE))
    assert any(re.search(bank("counselor/risk")["topics"]["plan"]["asked"], text) for text in said)


def test_a_wish_to_be_dead_is_asked_about_and_then_help_is_named():
    turns = play(Technique.CONTINUUM, ("I wish I were dead.", "Not like that.", "I see."), risk=risk(Level.PASSIVE))
    assert re.search(r"suicide|killing yourself|ending your life", turns[1])
    assert "crisis line" in turns[2]
    assert step_said(turns[3]) is not None


def test_concern_is_checked_once_and_the_plan_goes_on():
    turns = play(
        Technique.CONTINUUM, ("Nothing will ever change.", "No, not that.", "At work."), risk=risk(Level.CONCERN)
    )
    asked = bank("counselor/risk")["concern"]["asked"]
    assert [bool(re.search(asked, said)) for said in turns[1:]] == [True, False, False]


def test_words_about_dying_are_checked_even_if_no_screen_saw_them():
    assert re.search(
        bank("counselor/risk")["concern"]["asked"],
        reply("I wish I hadn't woken up.", plan=plan_for(Technique.CONTINUUM)),
    )


@pytest.mark.parametrize("locale", ["US", "DE", "nowhere"])
def test_the_own_reply_at_active_risk_need_not_be_replaced(locale):
    answer = "Yes, I've had thoughts of killing myself. They come at night."
    found = assess(None, screen(answer))
    assert found.level is Level.ACTIVE
    for seed in range(10):
        messages = [turn("counselor", "What went through your mind?", exchange=2), turn("client", answer, exchange=3)]
        asked = request(messages, 3, seed=seed, plan=plan_for(Technique.CONTINUUM), risk=found)
        said = speak(asked.model_copy(update={"locale": locale})).text
        assert screen_reply(said, risk=found, locale=locale).level < Level.ACTIVE


def test_a_service_is_offered_once():
    found = risk(Level.ACTIVE)
    turns = play(Technique.CONTINUUM, ("It all hurts.",) * 6, risk=found)[1:]
    assert sum("988" in said for said in turns) == 1


def test_words_of_danger_in_another_language_are_met_with_care():
    messages = [
        turn("counselor", "Hello.", exchange=0),
        turn("client", "\u6211\u4e0d\u60f3\u6d3b\u4e86\u3002", exchange=1),
    ]
    denied = Risk(level=Level.CONCERN, turn_level=Level.CONCERN)
    asked = "Are there times when you feel you don't want to go on living?"
    for seed in range(10):
        before = [turn("counselor", asked, exchange=0), *messages[1:]]
        said = speak(request(before, 1, seed=seed, language="zh", plan=plan_for(Technique.CONTINUUM), risk=denied)).text
        assert not any(said.startswith(line) for line in bank("counselor/reactions")["plain"])


ASKED = "Let me ask it plainly, because it matters: are you having thoughts of ending your life?"


def answered(line: str) -> str:
    """What the counselor says to this answer to a question about suicide, which the screen has assessed before."""
    messages = [turn("counselor", ASKED, exchange=4), turn("client", line, exchange=5)]
    found = assess(Risk(level=Level.PASSIVE, turn_level=Level.PASSIVE), screen(line, question=ASKED))
    return speak(request(messages, 5, plan=plan_for(Technique.CONTINUUM), risk=found)).text


@pytest.mark.parametrize(
    "line",
    [
        "No. I'm not going to hurt myself.",
        "There isn't anything. I'm not going to do it.",
        "I'm calmer now. I'm not going to hurt myself.",
    ],
)
def test_a_no_is_met_as_a_no_wherever_it_stands_in_the_turn(line: str):
    said = answered(line)
    assert said.startswith(tuple(bank("counselor/risk")["denied"]))
    assert "\"I'm not" not in said


@pytest.mark.parametrize("line", ["I don't want to live any more.", "No, not today. I want to be dead all the same."])
def test_a_sign_of_danger_that_begins_with_a_no_is_none(line: str):
    assert not answered(line).startswith(tuple(bank("counselor/risk")["denied"]))


def test_what_is_said_to_a_question_about_safety_is_not_the_thought_of_the_session():
    safe = Exchanged(SAFETY, "I'm not going to do it, I'd never do that to them.", "tells")
    told = Exchanged(None, "I'm never going to be good enough.", "tells")
    assert told_thought([safe]) is None
    assert told_thought([told, safe]) == "I'm never going to be good enough"
    messages = [turn("counselor", ASKED, exchange=4), turn("client", safe.said, exchange=5)]
    assert [found.asked for found in exchanged(messages, "en")[0]] == [SAFETY]
