"""Answers: acts that are refused, means that are given up, and a plain no to the question for thoughts of suicide."""

from __future__ import annotations

import pytest

from counselgraph.safety.levels import Level
from counselgraph.safety.screen import screen


@pytest.mark.parametrize(
    "said",
    [
        "There isn't anything. I'm not going to do it.",
        "I won't go through with it.",
        "I'd never go through with it.",
        "I've decided not to go through with it.",
        "I'm not ready to die.",
        "I gave the gun to my brother.",
        "My wife took all the pills away.",
        "My wife has the gun now.",
        "I got rid of the rope.",
        "The pharmacist took the pills back.",
        "\u4e0d\uff0c\u6211\u4e0d\u4f1a\u52a8\u624b\u7684",
    ],
)
def test_a_refused_act_and_a_means_that_is_given_up_are_no_sign_even_where_the_risk_stands(said: str):
    language = "en" if said.isascii() else "zh"
    assert screen(said, language=language, standing=Level.ACTIVE).level is Level.NONE


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("I'm going to do it.", Level.ACTIVE),
        ("I couldn't go through with it.", Level.ACTIVE),
        ("I'm ready to go now.", Level.ACTIVE),
        ("I have the gun now.", Level.INTENT),
        ("I gave the pills to my sister but I still have the rope.", Level.INTENT),
        ("The gun is locked away but I have the key.", Level.INTENT),
        ("I took all the pills.", Level.IMMINENT),
    ],
)
def test_the_same_words_without_the_refusal_are(said: str, level: Level):
    assert screen(said, standing=Level.ACTIVE).level is level


def test_a_wish_beside_a_refused_act_stays_a_wish():
    assert screen("I want to be dead, but I am not going to do it.").level is Level.PASSIVE
    assert screen("I want to be dead, so I gave the gun to my brother.").level is Level.PASSIVE


ASKED = "Thank you for telling me. Are you thinking about killing yourself?"


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        ("en", ASKED, "No."),
        ("en", ASKED, "no, I'm not"),
        ("en", ASKED, "No, nothing like that. I'm just so tired."),
        ("en", "Do you want to die?", "NO!!"),
        ("en", "Are you having any thoughts of suicide or of hurting yourself right now?", "No."),
        ("zh", "\u4f60\u6709\u6ca1\u6709\u60f3\u8fc7\u81ea\u6740\uff1f", "\u6ca1\u6709\u3002"),
        ("es", "\u00bfEst\u00e1s pensando en suicidarte?", "No, para nada."),
        ("ja", "\u81ea\u6bba\u3092\u8003\u3048\u3066\u3044\u307e\u3059\u304b\uff1f", "\u3044\u3044\u3048\u3002"),
    ],
)
def test_a_plain_no_to_the_question_for_thoughts_of_suicide_is_a_denial(language: str, question: str, answer: str):
    assert screen(answer, language=language, question=question).denial
    assert not screen(answer, language=language).denial
    assert not screen(answer, language=language, question="How was your week?").denial


@pytest.mark.parametrize(
    "answer",
    [
        "No, not today.",
        "Not any more.",
        "No. Yes.",
        "No, but I don't see the point of going on.",
        "No. I wish I was dead.",
        "No idea.",
        "Nobody would notice.",
        "I'd rather not say.",
        "",
    ],
)
def test_a_no_that_is_hedged_or_is_none_denies_nothing(answer: str):
    assert not screen(answer, question=ASKED).denial


@pytest.mark.parametrize(
    "question",
    [
        "Do you have a plan to kill yourself?",
        "Have you told anyone that you think about killing yourself?",
        f"{ASKED} Have you told anyone?",
        "Are you thinking about how you would kill yourself?",
        "Do you feel safe from killing yourself?",
        "Can you promise not to kill yourself?",
        "Do you not want to be dead?",
        "I am glad that you are not thinking about killing yourself.",
    ],
)
def test_a_no_to_another_question_denies_nothing(question: str):
    assert not screen("No.", question=question).denial
