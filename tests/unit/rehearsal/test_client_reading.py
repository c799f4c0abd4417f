from __future__ import annotations

import pytest

from counselgraph.models.rehearsal.client.derive import (
    avoided_in,
    belief_from,
    helper_in,
    moment_from,
    moment_in,
    thought_in,
    when_in,
)
from counselgraph.models.rehearsal.reading import read
from counselgraph.models.rehearsal.spoken import spoken, units


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("What brings you here today?", "opening"),
        ("How are you feeling today?", "how_are_you"),
        ("Which one thing shall we work on today?", "agenda"),
        ("Shall we look at that one thing today?", "agenda_agree"),
        ("I suggest that we work on the fear today. Shall we take that?", "agenda_agree"),
        ("Can you tell me about a recent moment when that happened?", "situation"),
        ("What was going through your mind at that point?", "thought"),
        ("How did you feel then, and what did you do?", "feeling_action"),
        ("If that were true, what would it say about you?", "belief"),
        ("When did you first notice this?", "onset"),
        ("Have you ever felt like this before?", "previous"),
        ("Have you been able to talk to anyone about it?", "support"),
        ("What have you tried so far to cope with it?", "coping"),
        ("What's the worst that could happen?", "worst_case"),
        ("How likely is that, from 0 to 100?", "rate_likely"),
        ("And if it did happen, how would you cope?", "could_cope"),
        ("What evidence supports that thought?", "evidence_for"),
        ("Is there any evidence against it?", "evidence_against"),
        ("How strongly do you believe it, on a scale from 0 to 100?", "rate_belief"),
        ("What would you tell a friend in the same situation?", "friend_view"),
        ("Could there be another explanation for what happened?", "other_readings"),
        ("Where would you put yourself on that line?", "rate_place"),
        ("What does it cost you to hold on to that?", "what_it_costs"),
        ("What could get in the way?", "obstacles"),
        ("What would be a small first step?", "first_step"),
        ("Did I miss anything?", "summary"),
        ("Would you be willing to write that down this week?", "homework"),
        ("Take care, and see you next week!", "farewell"),
        ("Are you thinking about killing yourself?", "risk_question"),
        ("Do you have a plan for how you would kill yourself?", "risk_means"),
        ("If it gets worse, please call the crisis line.", "safety_step"),
    ],
)
def test_questions_are_understood_in_other_words(line: str, asked: str):
    assert asked in read(line).asks


def test_the_clients_own_quoted_words_are_no_cues():
    assert "work" not in read('You said, "I will lose my job at work." What do you make of it?').asks


def test_a_question_and_a_rating_in_one_turn_are_both_heard():
    assert read("What fair sentence holds both lists? And how much do you believe the old one now?").asks == (
        "balanced_thought",
        "rate_belief",
    )


@pytest.mark.parametrize(
    ("line", "mood"),
    [
        ("It sounds like you feel alone with this.", "reflection"),
        ("That makes sense. Thank you for telling me.", "validation"),
        ("You should try to relax.", "advice"),
        ("That's not true, you're exaggerating.", "push"),
        ("Research shows that thoughts influence feelings.", "lecture"),
    ],
)
def test_how_the_client_is_treated_is_noticed(line: str, mood: str):
    assert mood in read(line).moods
    assert read(line).asks == ()


def test_a_goodbye_with_a_real_question_is_not_a_goodbye():
    assert "farewell" not in read("Before we say goodbye, what went through your mind there?").asks


def test_forms_give_up_their_thought():
    assert thought_in("I feel like I will never be promoted because I failed, leading to self-doubt.") == (
        "I'll never be promoted"
    )
    assert thought_in("I believe that if I make one mistake, everyone will leave, causing anxiety.") == (
        "If I make one mistake, everyone will leave"
    )
    assert thought_in("My cat died in spring.") is None


def test_fragments_are_taken_only_when_they_fit():
    assert when_in("I experience this whenever I meet new people, leading to panic.") == "whenever I meet new people"
    assert when_in("It is always there.") is None
    assert avoided_in("I avoid family gatherings or any situations like that.") == "family gatherings"
    assert avoided_in("I tend to avoid such situations.") is None
    assert helper_in("I have a supportive spouse who I can talk to") == "my spouse"
    assert belief_from("I feel worthless") == "I'm not worth much to anybody"


def test_written_english_becomes_spoken():
    assert spoken("I have not received treatment or counseling for psychological problems.") == (
        "I've never been to anyone like you before."
    )
    assert spoken("I am tired and I do not sleep") == "I'm tired and I don't sleep."
    assert spoken("I have a dog and I cannot walk it.") == "I have a dog and I can't walk it."


def test_short_fields_stay_whole_and_unknown_ones_are_empty():
    assert units("He said so. I believed him.") == ("He said so. I believed him.",)
    assert units("Not specified") == ()


@pytest.mark.parametrize(
    ("always", "once"),
    [
        ("whenever I lace up my shoes and head out", "when I laced up my shoes and headed out"),
        ("when my wife faces a hard day because of work", "when my wife faced a hard day"),
        ("whenever I meet new people or visit friends", "when I met new people"),
        ("whenever I zigzag through town", None),
        ("when I think that I am late", None),
    ],
)
def test_what_always_happens_becomes_one_time_only_when_that_is_safe(always: str, once: str | None):
    assert moment_from(always) == once


def test_a_moment_is_found_in_a_trigger():
    assert moment_in("It comes mostly when working on my thesis.") == "when I was working on my thesis"
    assert moment_in("It is always there.") is None


@pytest.mark.parametrize(
    "line",
    [
        "You were at 70 for the first reading. Where is it now, and which of the readings would you like to try on?",
        "Put both lists into one fair sentence. And what number would you give the old thought now?",
    ],
)
def test_a_second_rating_asked_for_in_few_words_is_heard(line: str):
    assert {"rate_sure", "rate_belief"} & set(read(line).asks)
