"""The client: how it leaves, and what it is told at its turn."""

from __future__ import annotations

import pytest

from counselgraph.agents.ask import Ask, Scene
from counselgraph.agents.client import client
from counselgraph.models.base import Answer
from counselgraph.testing import sample_persona
from tests.unit.agents.prompt_examples import SAID, prompt_of, view_of


class Saying:
    name = "saying"

    def __init__(self, text: str) -> None:
        self.text = text

    async def answer(self, _request):
        return Answer(text=self.text)


async def drafted(text):
    update = await client.act(view_of(SAID[:3], exchange=2), Ask(role="client", model=Saying(text)))
    return update["draft"]


@pytest.mark.parametrize("text", ["I'm off. Bye.\n/end", "I'm off. Bye. /END.", "I'm off. Bye. /end Counselor: Bye."])
async def test_a_client_leaves_with_a_sign_that_is_not_part_of_its_words(text):
    draft = await drafted(text)
    assert draft.text == "I'm off. Bye."
    assert draft.end


@pytest.mark.parametrize("text", ["I do front/end work.", "This /ending is not mine.", "The end."])
async def test_other_words_end_nothing(text):
    draft = await drafted(text)
    assert (draft.text, draft.end) == (text, None)


async def test_a_client_may_leave_without_a_word():
    draft = await drafted("/end")
    assert draft.text == ""
    assert draft.end


async def test_the_first_turn_has_a_card_of_its_own_and_later_ones_name_the_client():
    first = await prompt_of(client, view_of(SAID[:1], exchange=1))
    later = await prompt_of(client, view_of(SAID[:3], exchange=2))
    assert "first turn" in first[-1]["content"]
    assert "Answer as Claire Moreau" in later[-1]["content"]


async def test_the_language_is_spelled_out():
    messages = await prompt_of(client, view_of(SAID[:3], exchange=2), language="es")
    assert "Speak Spanish" in messages[0]["content"]
    assert "in Spanish.]" in messages[-1]["content"]


async def test_a_recorded_opening_is_said_as_it_is():
    persona = sample_persona().model_copy(update={"opening": "Here I am."})
    ask = Ask(role="client", model=Saying("never asked"), scene=Scene(exchange=1))
    draft = (await client.act(view_of(SAID[:1], exchange=1, persona=persona), ask))["draft"]
    assert (draft.text, draft.kind) == ("Here I am.", "opening")
