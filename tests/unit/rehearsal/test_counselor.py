from __future__ import annotations

import random
import re
from itertools import chain, combinations

import pytest

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor import speak
from counselgraph.models.rehearsal.frames import mark_of, slots_of, step_said
from counselgraph.models.rehearsal.lines import step_frames
from counselgraph.personas.persona import Intake
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.transcript import turn
from tests.unit.rehearsal.counselor_driver import INTAKE, PROTOCOL, plan_for, play, reply, request


@pytest.mark.parametrize("technique", Technique)
def test_a_session_walks_through_the_plan_in_order_and_says_goodbye(technique):
    turns = play(technique)
    steps = [step.id for step in plan_for(technique).steps]
    worked = [step for step in map(step_said, turns[1:]) if step in steps]
    assert worked == [step for step in steps if step in worked]
    assert {step.id for step in PROTOCOL.techniques[technique].steps} <= set(worked)
    assert len(set(turns)) == len(turns)
    assert re.search(r"\b(?:Goodbye|Until next time)\b", turns[12])
    assert "?" not in turns[12]


@pytest.mark.parametrize("technique", Technique)
def test_every_step_has_several_wordings_and_is_recognised_by_each(technique):
    for step in PROTOCOL.techniques[technique].steps:
        frames = step_frames(technique, step.id)
        assert len(frames["first"]) >= 4
        assert len(frames["again"]) >= 3
        for frame in (*frames["first"], *frames["again"]):
            filled = frame.format_map(dict.fromkeys(slots_of(frame), "42"))
            assert step_said(f"I see. {filled}") == step.id
        assert any(not slots_of(frame) for frame in frames["first"])
        assert all(not slots_of(frame) or {"person", "focus"} >= set(slots_of(frame)) for frame in frames["again"])


def test_no_two_steps_can_be_mistaken_for_each_other():
    marks: dict[str, str] = {}
    for technique in Technique:
        for step in PROTOCOL.techniques[technique].steps:
            for frame in chain.from_iterable(step_frames(technique, step.id).values()):
                mark = mark_of(frame)
                assert marks.setdefault(mark, step.id) == step.id, mark
    assert not [(a, b) for a, b in combinations(sorted(marks), 2) if a in b and marks[a] != marks[b]]


@pytest.mark.parametrize("technique", Technique)
def test_homework_summary_and_farewell_belong_to_the_technique(technique):
    turns = play(technique)
    own = bank("counselor/techniques")[technique]
    assert any(task in turns[11] for task in own["homework"])
    assert own["task"] in turns[12]
    assert "They all see that I am faking it" in turns[10]


def test_the_same_view_and_seed_say_the_same_and_another_seed_something_else():
    assert play(Technique.PIE_CHART) == play(Technique.PIE_CHART)
    assert play(Technique.PIE_CHART) != play(Technique.PIE_CHART, seed=8)


def test_a_number_is_taken_up_and_compared():
    turns = play(Technique.EVIDENCE_BASED_QUESTIONING)
    assert "80" in turns[7]
    assert re.search(r"80.*50", turns[10]) or "you said" in turns[10]


def test_a_long_session_never_says_the_same_turn_twice():
    chance = random.Random(3)
    openings = ("On Monday", "Last night", "At lunch", "This morning", "After work", "On the bus")
    events = (
        "I argued with my sister",
        "I couldn't concentrate",
        "my boss walked past me",
        "I felt lonely",
        "I don't know",
    )
    lines = tuple(f"{chance.choice(openings)} {chance.choice(events)} again." for _ in range(90))
    turns = play(Technique.CONTINUUM, lines)
    assert len(turns) == 91
    assert len(set(turns)) == 91


def test_even_a_client_who_says_nothing_hears_no_turn_twice():
    turns = play(Technique.PROBLEM_SOLVING, ("I don't know.",) * 80)
    assert len(set(turns)) == 81


def test_held_answers_are_met_with_a_smaller_question_and_then_let_go():
    turns = play(Technique.PIE_CHART, ("I have trouble with my work.", "I don't know.", "I don't know."))
    assert any(frame in turns[2] for frame in bank("counselor/steps")["agenda"]["again"])
    assert any(frame in turns[3] for frame in bank("counselor/reactions")["held_on"])
    assert step_said(turns[3]) == "situation"


@pytest.mark.parametrize("line", ["I don't see the point of this.", "With respect, you don't know my life."])
def test_resistance_is_not_argued_with(line):
    said = reply(line, plan=plan_for(Technique.CONTINUUM))
    assert not re.search(r"\b(?:but you should|you need to|actually|however)\b", said, re.IGNORECASE)
    assert "?" in said


def test_a_verdict_is_never_said_back_as_if_it_were_so():
    for seed in range(40):
        messages = [
            turn("counselor", "Hello.", exchange=0),
            turn("client", "I'm a fraud and a burden to everyone.", exchange=1),
        ]
        said = speak(request(messages, 1, seed=seed, plan=plan_for(Technique.CONTINUUM))).text
        assert not re.match(r"(?:So )?you're a fraud", said, re.IGNORECASE)


@pytest.mark.parametrize("technique", Technique)
def test_a_turn_is_short_and_asks_at_most_two_questions(technique):
    for seed in range(6):
        for said in play(technique, seed=seed):
            assert said.count("?") <= 3 if '"' in said else said.count("?") <= 2
            assert len(said.split()) <= 95
            assert not re.search(r"\b(?:diagnos|medication|disorder|pills)\w*", said, re.IGNORECASE)
            assert "{" not in said


def summary(lines: tuple[str, ...], intake: Intake = INTAKE) -> str:
    """The summary of a session in which the client says these lines before it."""
    steps = PROTOCOL.steps_from(Phase.AGENDA, Technique.CONTINUUM, close=True)
    plan = plan_for(Technique.CONTINUUM, steps=steps[: len(lines) - 1] + PROTOCOL.phases[Phase.CLOSING])
    plan = plan.model_copy(update={"focus": "Everything is hard"})
    return play(Technique.CONTINUUM, lines, intake=intake, plan=plan)[len(lines)]


def test_small_talk_is_neither_the_problem_nor_the_thought():
    lines = ("Hi, to be honest, I've been better.", "Yes, let's do that.", "It was on Monday.")
    said = summary((*lines, 'It was "They will see that I am faking it."', "I felt ashamed."))
    assert "been better" not in said
    assert "you keep doubting yourself at work" in said
    assert "They will see that I am faking it" in said


def test_the_reason_is_the_topic_while_the_client_has_told_nothing():
    for seed in range(8):
        messages = [
            turn("counselor", "Hello.", exchange=0),
            turn("client", "I'm doing okay, I guess.", exchange=1),
        ]
        said = speak(request(messages, 1, seed=seed, plan=plan_for(Technique.CONTINUUM))).text
        assert "you keep doubting yourself at work" in said


@pytest.mark.parametrize(
    "line",
    ["That's fine with me. It's what I came for.", "Yes. One thing done properly is better than ten done badly."],
)
def test_agreement_is_not_quoted(line):
    for seed in range(8):
        said = play(Technique.CONTINUUM, ("I lie awake because of work.", line), seed=seed)[2]
        assert "came for" not in said
        assert "done badly" not in said


def test_strict_words_are_said_of_verdicts_only():
    stern = re.compile("strict words|hard sentence|leaves little air|sounds inside|firmly|no doubt")
    neutral = ("My job performance hasn't been affected.", "On Monday I cleaned the kitchen and I called my sister.")
    for seed in range(25):
        for line in neutral:
            assert not stern.search(reply(line, plan=plan_for(Technique.CONTINUUM), seed=seed))
    heard = [reply("I'm a failure.", plan=plan_for(Technique.CONTINUUM), seed=seed) for seed in range(25)]
    assert any(map(stern.search, heard))


def test_a_hedge_survives_the_reflection():
    for seed in range(25):
        said = reply("Maybe it wasn't about me.", plan=plan_for(Technique.CONTINUUM), seed=seed)
        assert not re.search(r"(?<!maybe )it wasn't about (?:you|me)", said, re.IGNORECASE)


def test_a_third_voice_in_the_room_is_answered():
    messages = [
        turn("counselor", "Hello Mira.", exchange=0),
        turn("client", "I hide it at home.", exchange=1),
        turn("family", "I never knew how bad it was for her.", exchange=1),
    ]
    said = speak(request(messages, 1, plan=plan_for(Technique.CONTINUUM))).text
    assert "Mira" in said


def test_in_another_language_no_client_word_is_bent_into_english():
    messages = [
        turn("counselor", "Hello.", exchange=0),
        turn("client", "Ich schlafe schlecht und ich bin müde.", exchange=1),
    ]
    said = speak(request(messages, 1, language="de", plan=plan_for(Technique.CONTINUUM))).text
    assert "schlafe" not in said
    assert said.endswith("?")


def test_without_a_plan_the_counselor_follows():
    assert reply("I argued with my sister.", plan=None).endswith(("?", "."))


@pytest.mark.parametrize(
    "line",
    [
        "It wasn't in words, really. More a sort of sinking feeling, as if I already knew how it was going to end.",
        "It was more like a picture than a thought. Me standing there, and it all going wrong.",
    ],
)
def test_what_was_no_thought_is_not_said_back_as_one(line: str):
    asked = "In that very moment, what went through your mind? Your own words, just as they came."
    messages = [turn("counselor", asked, exchange=2), turn("client", line, exchange=3)]
    steps = PROTOCOL.steps_from(Phase.EXPLORATION, Technique.PIE_CHART, close=True)
    feeling = next(number for number, step in enumerate(steps) if step.id == "feeling")
    plan = plan_for(Technique.PIE_CHART, steps=steps[feeling:], made_at=3)
    for seed in range(12):
        said = speak(request(messages, 3, seed=seed, plan=plan)).text
        assert said.startswith(tuple(bank("counselor/reactions")["wordless"]))
        assert "thought" not in said
        assert '"' not in said
