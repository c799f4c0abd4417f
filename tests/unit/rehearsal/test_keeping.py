"""The rehearsal keeper and what it perceives: answers made of what was said, a portrait kept up to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from counselgraph.agents.theramind import Perception, Resistance, Strategy
from counselgraph.memory.kept import PORTRAIT_CHARACTERS, Kept, Origin, checked
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.model import respond
from counselgraph.transcript import CLIENT, COUNSELOR, turn

SAID = (
    "Hello Mira. What brings you here today?",
    "I lie awake and count my mistakes, since I got the new job.",
    "What went through your mind right then?",
    'What went through my head was "They will find out that I know nothing." I hate that.',
    "If that thought were true, what would it say about you?",
    "Deep down I suppose that I'm not good enough for any of it.",
    "It makes sense that you feel so tired. Who is there for you in all this?",
    "My sister Ana rings every Sunday, and she asks how I really am.",
    "One small thing to do until next time: would you write down one such moment this week?",
    "Yes. I'll write it down on Thursday, after work.",
)
LATER = (
    "Welcome back, Mira. How has it been since last time?",
    "It's been a bit better, on the whole. I slept through twice.",
    "If that thought were true, what would it say about you?",
    "Deep down I suppose that I have to earn my place with people.",
)


def messages(said: Sequence[str]) -> list[Any]:
    return [
        turn(CLIENT if place % 2 else COUNSELOR, text, exchange=(place + 1) // 2) for place, text in enumerate(said)
    ]


def kept(said: Sequence[str] = SAID, owner: str = COUNSELOR, **view: Any) -> Kept:
    seen = {"messages": messages(said), "owner": owner, "session_number": 1, **view}
    language = view.pop("language", "en")
    request = Request(role="keeper", messages=(), view=seen, output=Kept, language=language, exchange=5, seed=1)
    return Kept.model_validate_json(respond(request).text)


def earlier(text: str, number: int = 1) -> MemoryRecord:
    return MemoryRecord(
        owner=COUNSELOR, client_id="mira", kind=Kind.PORTRAIT, text=text, session=f"s{number}", session_number=number
    )


@pytest.mark.parametrize("owner", [COUNSELOR, CLIENT])
@pytest.mark.parametrize("said", [SAID, LATER])
def test_everything_kept_was_said_in_the_turn_it_names(owner: str, said: Sequence[str]):
    found = kept(said, owner)
    result = checked(found, messages(said), Origin(owner=owner, client_id="mira", session="s1"))
    assert not result.dropped
    assert found.items or said is LATER


def test_the_counselor_keeps_the_thought_what_lies_beneath_it_who_is_there_and_what_was_promised():
    told = {(item.kind, item.quote) for item in kept().items}
    assert (Kind.INSIGHT, "They will find out that I know nothing") in told
    assert any(kind == Kind.INSIGHT and "not good enough" in quote for kind, quote in told)
    assert any(kind == Kind.FACT and "My sister Ana" in quote for kind, quote in told)
    assert (Kind.PROMISE, "I'll write it down on Thursday, after work.") in told


def test_the_client_keeps_what_the_counselor_said_to_it_and_its_own_promise():
    items = kept(owner=CLIENT).items
    assert any(item.role == COUNSELOR and "feel so tired" in item.quote for item in items)
    assert any(item.kind == Kind.PROMISE for item in items)
    assert kept(owner=CLIENT).portrait == ""


def test_a_sign_of_danger_is_always_kept():
    items = kept((*SAID[:2], "And how are the nights?", "Sometimes I think about killing myself.")).items
    assert (items[0].kind, items[0].importance) == (Kind.RISK, 5)
    assert items[0].quote == "Sometimes I think about killing myself."


def test_what_an_earlier_session_kept_is_not_kept_again():
    again = earlier('Who is there for them: "My sister Ana rings every Sunday, and she asks how I really am."')
    known = again.model_copy(update={"kind": Kind.FACT})
    assert not any("Ana" in item.quote for item in kept(counselor_memories=[known]).items)


def test_a_portrait_is_brought_up_to_date_and_not_added_to():
    first = kept().portrait
    assert "I lie awake and count my mistakes" in first
    assert "I'm not good enough for any of it" in first
    assert "After session 1: a beginning is made" in first
    second = kept(LATER, counselor_memories=[earlier(first)], session_number=2).portrait
    assert "I lie awake and count my mistakes" in second
    assert "My sister Ana" in second
    assert "I have to earn my place with people" in second
    assert "not good enough" not in second
    assert "After session 1" not in second
    assert "After session 2: the days had been better" in second


def test_a_portrait_stays_short_however_many_sessions_there_are():
    text = ""
    for number in range(1, 21):
        before = [earlier(text, number - 1)] if text else []
        text = kept(SAID if number % 2 else LATER, counselor_memories=before, session_number=number).portrait
        assert len(text) <= PORTRAIT_CHARACTERS
        assert text.count("Came with this") == 1


def test_a_portrait_by_somebody_else_is_taken_over_in_two_sentences_at_most():
    other = "A tired engineer. She is hard on herself. She has a sister. She likes trains."
    made = kept(LATER, counselor_memories=[earlier(other)], session_number=2).portrait
    assert made.startswith("A tired engineer. She is hard on herself.")
    assert "trains" not in made


def test_the_same_session_is_kept_the_same_way_again():
    assert kept() == kept()


def perceived(said: str, before: Sequence[dict[str, Any]] = (), question: str = "How are you?") -> Perception:
    view = {"messages": messages((question, said)), "perceptions": list(before)}
    request = Request(role=COUNSELOR, messages=(), view=view, output=Perception, exchange=1, seed=1)
    return Perception.model_validate_json(respond(request).text)


@pytest.mark.parametrize(
    ("said", "emotion", "resistance", "strategy"),
    [
        ("I was so ashamed that I couldn't look at her.", "shame", Resistance.NONE, Strategy.VALIDATE),
        ("I'm terrified, I'm so afraid that I can't breathe at night!", "fear", Resistance.NONE, Strategy.REFLECT),
        ("I don't know.", "calm", Resistance.AVOIDING, Strategy.ROLL_WITH_RESISTANCE),
        ("I don't see how this helps.", "calm", Resistance.OPPOSING, Strategy.ROLL_WITH_RESISTANCE),
        ("Easy for you to say, that won't change a thing.", "calm", Resistance.OPPOSING, Strategy.ROLL_WITH_RESISTANCE),
        ("Maybe it helps to ring her first.", "calm", Resistance.HESITANT, Strategy.OFFER_CHOICE),
        ("I could ask my brother on Sunday.", "calm", Resistance.NONE, Strategy.ENCOURAGE_ACTION),
        ("My brother has moved to the coast.", "calm", Resistance.NONE, Strategy.EXPLORE),
        ("I think about killing myself.", "despair", Resistance.NONE, Strategy.REFLECT),
        ("No. I'm not suicidal.", "calm", Resistance.NONE, Strategy.EXPLORE),
    ],
)
def test_a_perception_follows_what_was_said(said: str, emotion: str, resistance: Resistance, strategy: Strategy):
    seen = perceived(said)
    assert (seen.emotion, seen.resistance, seen.strategy) == (emotion, resistance, strategy)


def test_the_reason_names_the_clients_words_and_a_strong_feeling_is_a_strong_one():
    seen = perceived("I was so ashamed that I couldn't look at her.")
    assert "ashamed" in seen.reason
    assert seen.intensity > perceived("I was a bit ashamed.").intensity > perceived("It was Tuesday.").intensity


def test_no_strategy_is_chosen_four_times_in_a_row():
    seen: list[dict[str, Any]] = []
    for _ in range(8):
        seen.append(perceived("My brother has moved to the coast.", seen).model_dump(mode="json"))
    chosen = [one["strategy"] for one in seen]
    assert not any(len(set(chosen[at : at + 4])) == 1 for at in range(5))


def test_in_another_language_only_what_was_said_is_kept_and_no_english_is_put_around_it():
    said = ("Hello Carmen. What brings you here?", "No paro de darle vueltas a todo.", "Tell me more.", "No duermo.")
    request = Request(
        role="keeper", messages=(), view={"messages": messages(said)}, output=Kept, language="es", exchange=2, seed=1
    )
    found = Kept.model_validate_json(respond(request).text)
    assert found.portrait == "No paro de darle vueltas a todo."
    assert all(item.text in " ".join(said) for item in found.items)
