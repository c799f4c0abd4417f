from __future__ import annotations

import random
import re
from itertools import chain, combinations
from typing import Any

import pytest
from langchain_core.messages import AnyMessage

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor import speak
from counselgraph.models.rehearsal.frames import mark_of, slots_of, step_said
from counselgraph.models.rehearsal.lines import step_frames
from counselgraph.models.rehearsal.reading import read
from counselgraph.models.rehearsal.speech import normal
from counselgraph.personas.persona import Intake
from counselgraph.protocols.plan import Plan, Trigger
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.safety.levels import Category, Finding, Level, Risk
from counselgraph.safety.policy import assess
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.transcript import turn

INTAKE = Intake(name="Mira Lang", reason_for_counseling="I keep doubting myself at work.")
PROTOCOL = load_protocol()
TELLING = (
    "I've been lying awake because of work. I keep thinking that I will be found out.",
    "Yes, let's look at that.",
    "On Tuesday my boss asked me for the figures, and I couldn't answer.",
    'What went through my head was "They all see that I am faking it."',
    "I felt ashamed and I left the room.",
    "It would mean that I only got here by luck.",
    "Maybe 80 percent.",
    "I did mix up the figures that day.",
    "My colleague came to me for help twice this month.",
    "Some days go wrong, and I still do my job. It's more like 50 now.",
    "No, that covers it.",
    "On Thursday evening, if I'm not too tired.",
    "Thank you, I will.",
)


def plan_for(technique: Technique, *, steps: tuple[Step, ...] | None = None, made_at: int = 1) -> Plan:
    return Plan(
        technique=technique,
        focus="I will be found out",
        hypothesis='Underneath may be the belief "I am only worth something if I do well."',
        steps=steps or PROTOCOL.steps_from(Phase.AGENDA, technique, close=True),
        made_at=made_at,
        revision=1,
        trigger=Trigger.START,
        reason="for the test",
    )


def request(messages: list[AnyMessage], exchange: int, *, seed: int = 7, language: str = "en", **view: Any) -> Request:
    known = {"intake": INTAKE, "messages": messages, "exchange": exchange, **view}
    return Request(role="counselor", messages=(), view=known, exchange=exchange, seed=seed, language=language)


def play(technique: Technique, lines: tuple[str, ...] = TELLING, *, seed: int = 7, **view: Any) -> list[str]:
    """The counselor's turns in a session in which the client says `lines`."""
    messages = [turn("counselor", speak(request([], 0, seed=seed)).text, exchange=0)]
    view = {"plan": plan_for(technique)} | view
    for exchange, line in enumerate(lines, 1):
        messages.append(turn("client", line, exchange=exchange))
        said = speak(request(messages, exchange, seed=seed * 1000 + exchange, **view)).text
        messages.append(turn("counselor", said, exchange=exchange))
    return [str(message.text) for message in messages if message.name == "counselor"]


def reply(line: str, *, seed: int = 7, **view: Any) -> str:
    """What the counselor answers to one client line."""
    messages = [turn("counselor", "Hello Mira, what brings you in?", exchange=0), turn("client", line, exchange=1)]
    return speak(request(messages, 1, seed=seed, **view)).text


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


def remembered(kind: Kind, text: str) -> MemoryRecord:
    return MemoryRecord(owner="counselor", client_id="mira", kind=kind, text=text, session="one", session_number=1)


def test_the_opening_greets_by_first_name_and_asks():
    said = speak(request([], 0)).text
    assert "Mira" in said
    assert "Lang" not in said
    assert said.endswith(("?", "come?"))


TASK = PROTOCOL.techniques[Technique.CONTINUUM].homework
LAST_TIME = (
    remembered(Kind.SUMMARY, 'We worked on "I will be found out" with the technique Continuum Technique.'),
    remembered(Kind.HOMEWORK, f"{TASK} In the counselor's words: I see. One mark a day. Which day would you start?"),
    remembered(Kind.FACT, "The client came with this: I keep doubting myself."),
)


def test_a_later_session_opens_with_what_was_agreed_in_natural_words():
    for seed in range(12):
        said = speak(request([], 0, seed=seed, counselor_memories=LAST_TIME)).text
        assert bank("counselor/techniques")["continuum"]["task"] in said
        assert said.startswith(("Welcome back, Mira", "Good to see you again, Mira", "Hello Mira"))
        assert "In the counselor's words" not in said
        assert "with the technique" not in said
        assert said.count("?") == 1
        assert "homework_review" in read(said).asks


def test_a_note_in_words_of_its_own_is_kept_as_it_is():
    notes = (remembered(Kind.SUMMARY, "we looked at the fear of being found out"),)
    assert "We looked at the fear of being found out." in speak(request([], 0, counselor_memories=notes)).text


def test_after_a_session_in_danger_the_opening_does_not_ask_for_homework():
    notes = (*LAST_TIME, remembered(Kind.RISK, "A sign of risk (R3) came up: SI_ACTIVE."))
    said = speak(request([], 0, counselor_memories=notes)).text
    assert "since" in said
    assert bank("counselor/techniques")["continuum"]["task"] not in said


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        ("I did the marks every day. Most days were a fifty.", "task_done"),
        ("I did it twice and then I let it drop.", "task_half"),
        ("I didn't get round to it.", "task_undone"),
    ],
)
def test_a_report_on_the_task_is_met_as_what_it_is_before_the_agenda(report, kind):
    frames = [*bank("counselor/reactions")[kind], *bank("counselor/steps")["agenda"]["next"]]
    messages = [turn("counselor", "Welcome back. How did it go?", exchange=0), turn("client", report, exchange=1)]
    said = speak(request(messages, 1, plan=plan_for(Technique.CONTINUUM), counselor_memories=LAST_TIME)).text
    assert sum(mark_of(frame) in normal(said) for frame in frames if len(mark_of(frame).split()) > 2) == 2


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


def risk(level: Level, quote: str = "", *, denied: bool = False) -> Risk:
    found = (Finding(category=Category.SI_ACTIVE, level=level, quote=quote, source="test"),) if quote else ()
    return Risk(level=level, turn_level=level, findings=found, denied=denied)


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
