"""Asking: one repair, then a typed error; seeds; what is reported."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from counselgraph.agents.ask import Ask, Scene, seed_for
from counselgraph.errors import ModelError
from counselgraph.models.base import Answer, Request, Usage


class Lines:
    """A model that answers from a list."""

    name = "lines"

    def __init__(self, *answers: str | Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        said = self.answers.pop(0)
        return said if isinstance(said, Answer) else Answer(text=said, usage=Usage(calls=1, prompt_tokens=10))


class Mood(BaseModel):
    mood: int


def asking(model, **options):
    events: list[dict[str, Any]] = []
    return Ask(role="counselor", model=model, emit=events.append, **options), events


async def test_a_turn_is_a_draft_under_the_roles_name():
    ask, _ = asking(Lines("  Counselor: Tell me more. "))
    draft = await ask.turn("who")
    assert (draft.role, draft.text) == ("counselor", "Tell me more.")


async def test_a_turn_that_contains_a_colon_is_left_alone():
    ask, _ = asking(Lines("One thing: breathe."))
    assert (await ask.turn("who")).text == "One thing: breathe."


async def test_an_empty_answer_is_asked_for_once_more_and_logged():
    model = Lines("   ", "Here I am.")
    ask, events = asking(model)
    assert (await ask.turn("who")).text == "Here I am."
    assert [event["event"] for event in events] == ["model_call", "repair", "model_call"]
    assert model.requests[0].seed != model.requests[1].seed


async def test_two_empty_answers_are_an_error_that_names_model_and_role():
    ask, _ = asking(Lines("", ""))
    with pytest.raises(ModelError, match=r"lines.*counselor"):
        await ask.turn("who")


async def test_a_speaker_may_leave_without_a_word():
    ask, _ = asking(Lines(Answer(text="", end="had enough")))
    draft = await ask.turn("who")
    assert (draft.text, draft.end) == ("", "had enough")


async def test_a_typed_answer_is_parsed():
    ask, _ = asking(Lines('{"mood": 3}'))
    assert (await ask.typed(Mood, "who")).mood == 3


async def test_a_bad_typed_answer_is_repaired_once_with_the_error_text():
    model = Lines('{"mood": "low"}', '{"mood": 2}')
    ask, events = asking(model)
    assert (await ask.typed(Mood, "who")).mood == 2
    assert "mood" in model.requests[1].messages[-1]["content"]
    assert [event["event"] for event in events] == ["model_call", "repair", "model_call"]


async def test_a_typed_answer_that_is_bad_twice_is_an_error_and_never_a_default():
    ask, _ = asking(Lines("nonsense", "nonsense"))
    with pytest.raises(ModelError):
        await ask.typed(Mood, "who")


async def test_usage_adds_up_over_calls():
    ask, _ = asking(Lines("", "yes"))
    await ask.turn("who")
    assert ask.usage == Usage(calls=2, prompt_tokens=20)


async def test_seeds_differ_by_role_exchange_and_run_and_repeat_otherwise():
    seeds = {seed_for(key, exchange, role) for key in "ab" for exchange in (1, 2) for role in ("client", "counselor")}
    assert len(seeds) == 8
    assert seed_for("a", 1, "client") == seed_for("a", 1, "client")


async def test_the_report_names_what_a_prompt_was_made_of():
    ask, events = asking(Lines("Yes."), scene=Scene(exchange=4))
    await ask.turn("who you are", [], "the card")
    call = events[0]
    assert (call["system"], call["card"], call["turns"], call["exchange"]) == ("who you are", "the card", 0, 4)
