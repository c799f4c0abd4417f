"""The client in a later session of a course."""

from __future__ import annotations

import re
from typing import Any

import pytest
from langchain_core.messages import AnyMessage

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.fit import fit_remark
from counselgraph.models.rehearsal.client.ratings import loosened
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.events import events_for
from counselgraph.models.rehearsal.fitness import suits
from counselgraph.models.rehearsal.hearing import fares, outcome
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.protocols.approach import read_markers
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName
from counselgraph.transcript import CLIENT, COUNSELOR, turn
from tests.unit.rehearsal.client_driver import ask, person

ASKED = "Welcome back, Lena. You were going to put one event a day on the line. How did that go?"
RATED = "How much do you believe that thought, from 0 to 100?"
NOTE = "I did the marks, yes. Tuesday felt like a zero, and when I thought about it, it was a forty."


def days(**changes: Any) -> Interlude:
    fields = {"event": "My sister rang, and we talked about an old film.", "homework": "done", "homework_note": NOTE}
    return Interlude.model_validate(fields | changes)


def told(session: int, text: str, persona: Persona, kind: Kind = Kind.SUMMARY) -> MemoryRecord:
    return MemoryRecord(
        owner=CLIENT, client_id=persona.id, kind=kind, text=text, session=f"s{session}", session_number=session
    )


def says(since: Interlude | None, *lines: str, persona: Persona | None = None, seed: int = 1, **view: Any) -> list[str]:
    """What the client says in a later session to a counselor who speaks these lines."""
    who, messages, said = persona or person(), list[AnyMessage](), list[str]()
    for exchange, line in enumerate(lines, 1):
        messages.append(turn(COUNSELOR, line, exchange=exchange - 1))
        extra = {"since": since, **view}
        said.append(ask(who, messages, exchange=exchange, seed=seed * 100 + exchange, extra=extra).text)
        messages.append(turn(CLIENT, said[-1], exchange=exchange))
    return said


@pytest.mark.parametrize(("mood", "fared"), [(2, "better"), (1, "better"), (0, "same"), (-1, "worse"), (-2, "worse")])
@pytest.mark.parametrize("register", ["plain", "formal", "wry", "clipped"])
@pytest.mark.parametrize("attitude", Attitude)
def test_the_first_turn_says_how_it_has_been_in_every_register(mood: int, fared: str, register: str, attitude: str):
    who = person(attitude=attitude, style={"register": register})
    for seed in range(4):
        said = says(days(mood=mood), ASKED, persona=who, seed=seed)[0]
        assert fares(said) == fared
        assert days().event in said
        assert NOTE in said


def test_a_relapse_is_told_with_the_old_thought():
    said = [says(days(mood=-2, relapse=True), ASKED, seed=seed)[0] for seed in range(12)]
    assert {fares(text) for text in said} == {"relapse"}
    assert any("They will see that I have no idea" in text for text in said)


@pytest.mark.parametrize(
    ("homework", "note"),
    [
        ("done", NOTE),
        ("half", "I did it for a few days. I noticed I only want to do it on the bad ones."),
        ("undone", "No, I didn't get round to it."),
        ("undone", ""),
        ("half", "There was a lot on."),
    ],
)
def test_the_task_is_reported_as_the_days_had_it_whoever_wrote_them(homework: str, note: str):
    said = says(days(homework=homework, homework_note=note), ASKED)[0]
    assert outcome(said) == homework
    assert note in said


def test_a_task_is_reported_once_and_then_only_added_to():
    said = says(days(homework="undone", homework_note="I didn't get round to it."), ASKED, "Did you do it at all?")
    assert "get round" in said[0]
    assert any(line in said[1] for line in bank("client_answers")["homework_review"]["undone_again"])


def test_what_nobody_asks_about_is_not_reported():
    said = says(days(), "Welcome back, Lena. What is on your mind?")[0]
    assert NOTE not in said
    assert days().event in said


def test_where_no_task_was_agreed_on_none_is_reported():
    said = says(days(homework="none", homework_note=""), "Welcome back. How did it go?")[0]
    assert days().event in said


def test_without_an_interlude_nothing_changes():
    who = person()
    lines = [ASKED, "What went through your mind?", RATED, "Did I miss anything?"]
    memory = (told(1, "We talked.", who),)
    plain = says(None, *lines, persona=who, client_memories=memory)
    absent = [
        ask(who, messages, exchange=n, seed=100 + n, memories=memory).text
        for n, messages in enumerate(_before(lines, plain), 1)
    ]
    assert plain == absent


def _before(lines: list[str], said: list[str]) -> list[list[AnyMessage]]:
    turns: list[AnyMessage] = []
    found = []
    for n, (line, answer) in enumerate(zip(lines, said, strict=True), 1):
        turns.append(turn(COUNSELOR, line, exchange=n - 1))
        found.append(list(turns))
        turns.append(turn(CLIENT, answer, exchange=n))
    return found


def rated(since: Interlude, session: int, seed: int) -> int:
    who = person(attitude="positive")
    memories = tuple(told(n, "We talked.", who) for n in range(1, session))
    said = says(since, ASKED, RATED, persona=who, seed=seed, client_memories=memories)[1]
    return int(re.findall(r"\b\d{1,3}\b", said)[0])


def test_the_thought_is_believed_less_from_session_to_session_and_firmly_after_a_relapse():
    mean = {session: sum(rated(days(), session, seed) for seed in range(10)) / 10 for session in (2, 4, 6)}
    assert mean[2] > mean[4] > mean[6]
    back = sum(rated(days(mood=-2, relapse=True), 6, seed) for seed in range(10)) / 10
    assert back > mean[2]


def test_a_doubter_lets_go_of_a_thought_more_slowly():
    memories = {session: tuple(told(n, "We talked.", person()) for n in range(1, session)) for session in (2, 6)}

    def gain(attitude: str, session: int) -> int:
        view = {"persona": person(attitude=attitude), "messages": [], "since": days()}
        view["client_memories"] = memories[session]
        return Scene.of(Request(role=CLIENT, messages=(), view=view)).gain

    moved = {attitude: gain(attitude, 6) - gain(attitude, 2) for attitude in Attitude}
    assert moved[Attitude.NEGATIVE] < moved[Attitude.NEUTRAL] < moved[Attitude.POSITIVE]


@pytest.mark.parametrize("rating", range(5, 101, 5))
def test_no_first_rating_of_a_later_session_leaves_the_scale(rating: int):
    for gain in range(0, 30, 3):
        assert min(rating, 25) <= loosened(rating, "rate_belief", gain) <= rating
        assert rating <= loosened(rating, "rate_place", gain) <= max(rating, 85)


def test_the_old_story_is_told_as_known():
    who = person(attitude="positive")
    questions = ["How did it begin?", "What have you tried so far to cope with it?", "What is your sleep like?"]
    for seed in range(6):
        for said in says(days(), ASKED, *questions, persona=who, seed=seed)[1:]:
            story = [text for text in (who.presenting_problem.coping, who.functioning.daily_life) if text in said]
            assert not story or any(line in said for line in bank("client/since")["known"])


def test_something_told_before_is_named_again_when_it_comes_near():
    statement = "I freeze whenever I have to speak in a meeting."
    who = person(attitude="positive", presenting_problem={"statement": statement})
    memory = told(1, f'The counselor and I talked about this: "{statement}"', who)
    near = "You said something about meetings. What happens when you speak in a meeting?"
    back = []
    for session in range(2, 6):
        memories = (memory, told(session - 1, "We talked.", who))
        for seed in range(10):
            said = says(days(), ASKED, near, near, persona=who, seed=seed, client_memories=memories)
            back += [text for text in said if statement[:-1] in text]
    assert back
    assert all("told you" in text or "what I said" in text for text in back)


def test_hard_days_are_what_is_told_when_a_moment_is_asked_for():
    who = person(attitude="positive", style={"verbosity": 2})
    event = next(event for event in events_for(who) if not event.rising and event.area == "work")
    since = days(mood=-1, event=event.tell)
    asked = "Could you take me to one recent moment when it was like that? Where were you, and what happened?"
    said = [" ".join(says(since, ASKED, asked, persona=who, seed=seed)) for seed in range(5)]
    assert all(any(line in text for line in event.more) for text in said)


def scene(persona: Persona, line: str, since: Interlude, seed: int) -> Scene:
    messages = [
        turn(COUNSELOR, ASKED, exchange=0),
        turn(CLIENT, "It's been about the same.", exchange=1),
        turn(COUNSELOR, line, exchange=1),
    ]
    view = {"persona": persona, "messages": messages, "exchange": 2, "since": since}
    return Scene.of(Request(role=CLIENT, messages=(), view=view, exchange=2, seed=seed))


def remarks(persona: Persona, line: str, since: Interlude) -> set[str]:
    return {fit_remark(scene(persona, line, since, seed)) for seed in range(40)} - {""}


def test_a_way_of_working_that_does_not_suit_is_objected_to_in_words_that_a_review_hears():
    who = person(attitude="negative")
    assert ApproachName.CBT not in suits(who)
    said = remarks(who, "Which facts, not feelings, speak for it?", days(homework="done"))
    approach = load_protocol("cbt").approach
    assert said
    assert all(read_markers(approach, [text]).misfit for text in said)
    undone = remarks(who, "Which facts, not feelings, speak for it?", days(homework=Homework.UNDONE))
    assert {mark.sign.id for text in undone for mark in read_markers(approach, [text]).misfit} == {"task_undone"}


def test_one_that_suits_is_heard_to_help():
    said = remarks(person(attitude="positive"), "Which facts, not feelings, speak for it?", days(mood=1))
    assert said
    assert all(read_markers(load_protocol("cbt").approach, [text]).helping for text in said)


def test_every_remark_on_the_method_is_a_marker_of_its_approach():
    for name, words in bank("client/fit").items():
        approach = load_protocol(name).approach
        assert {sign.id for sign in approach.misfit} == set(words["misfit"])
        for line in words["helping"]:
            assert read_markers(approach, [line]).helping, line
            assert not read_markers(approach, [line]).misfit, line
        for sign, lines in words["misfit"].items():
            for line in lines:
                heard = read_markers(approach, [line])
                assert sign in {mark.sign.id for mark in heard.misfit}, line
                assert not heard.helping, line


def test_somebody_at_risk_says_the_gravest_again_only_after_hard_days_and_as_known():
    statement = "Some nights I wouldn't mind not waking up."
    who = person(
        attitude="positive", risk={"level": 2, "statements": ["It's all pointless.", statement], "settles": True}
    )
    lines = (ASKED, "I see.", "What was that like?", "What did you feel then?", "What else?")
    easy = " ".join(says(days(mood=1), *lines, persona=who))
    hard = " ".join(says(days(mood=-1), *lines, persona=who))
    assert "pointless" not in easy + hard
    assert statement not in easy
    assert hard.count(statement) == 1
    assert any(lead in hard for lead in bank("client/since")["risk_lead"])


def test_in_another_language_only_the_event_is_told():
    who = person(language="de")
    assert says(days(event="Ich habe viel geschlafen."), ASKED, persona=who) == ["Ich habe viel geschlafen."]


def test_days_that_leave_a_slot_open_are_not_said():
    assert filled(["{Partner} rang."], {}) == []
