from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from counselgraph.errors import InfrastructureError, ModelError
from counselgraph.models.base import Usage
from counselgraph.models.chat import ChatModel
from counselgraph.models.retry import RetryPolicy
from counselgraph.models.structured import parse
from counselgraph.protocols.plan import PlanDecision
from counselgraph.protocols.technique import Phase, Technique
from tests.unit.models.conftest import MakeRequest


class Recording(BaseChatModel):
    """A chat model that keeps what it was given and gives back what it was told to."""

    reply: AIMessage = AIMessage(content="I see.")
    fails: int = 0
    asked: list[tuple[list[BaseMessage], dict[str, Any]]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "recording"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("asked outside the event loop")

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **kwargs: Any) -> ChatResult:
        kwargs.pop("stop", None)  # LangChain's own
        self.asked.append((messages, kwargs))
        if len(self.asked) <= self.fails:
            raise ConnectionError("reset")
        return ChatResult(generations=[ChatGeneration(message=self.reply)])


class Seeded(Recording):
    seed: int | None = None


async def test_messages_and_params_reach_the_chat_model(make_request: MakeRequest) -> None:
    chat = Recording()
    messages = (
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "c"},
    )
    answer = await ChatModel(chat, "own").answer(make_request(messages=messages, params={"temperature": 0.2}))
    assert answer.text == "I see."
    [(asked, kwargs)] = chat.asked
    assert [(type(m), m.content) for m in asked] == [(SystemMessage, "a"), (HumanMessage, "b"), (AIMessage, "c")]
    assert kwargs == {"temperature": 0.2}


async def test_the_seed_goes_to_models_that_have_one(make_request: MakeRequest) -> None:
    chat = Seeded()
    await ChatModel(chat, "own").answer(make_request(seed=11))
    assert chat.asked[0][1] == {"seed": 11}


async def test_typed_output_is_asked_for_in_words(make_request: MakeRequest) -> None:
    value = {
        "technique": next(iter(Technique)),
        "focus": "a",
        "hypothesis": "b",
        "phase": next(iter(Phase)),
        "reason": "c",
    }
    chat = Recording(reply=AIMessage(content=f"Here it is:\n{json.dumps(value)}"))
    answer = await ChatModel(chat, "own").answer(make_request(output=PlanDecision))
    assert parse(answer.text, PlanDecision).focus == "a"
    assert "JSON schema" in str(chat.asked[0][0][-1].content)


async def test_usage_counts_cached_tokens(make_request: MakeRequest) -> None:
    tokens: UsageMetadata = {
        "input_tokens": 9,
        "output_tokens": 2,
        "total_tokens": 11,
        "input_token_details": {"cache_read": 4},
    }
    chat = Recording(reply=AIMessage(content="I see.", usage_metadata=tokens))
    answer = await ChatModel(chat, "own").answer(make_request())
    assert answer.usage == Usage(calls=1, prompt_tokens=9, cached_tokens=4, completion_tokens=2)


async def test_content_in_blocks_is_its_text(make_request: MakeRequest) -> None:
    blocks: list[str | dict[str, Any]] = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "I see."}]
    chat = Recording(reply=AIMessage(content=blocks))
    assert (await ChatModel(chat, "own").answer(make_request())).text == "I see."


async def test_own_chat_models_are_retried_as_well(make_request: MakeRequest) -> None:
    chat = Recording(fails=2)
    model = ChatModel(chat, "own", retry=RetryPolicy(base_s=0.001))
    assert (await model.answer(make_request())).text == "I see."
    dead = ChatModel(Recording(fails=9), "own", retry=RetryPolicy(base_s=0.001))
    with pytest.raises(InfrastructureError, match="`own`: gave up after 3 tries: reset"):
        await dead.answer(make_request())


async def test_typed_output_cut_off_is_a_model_error(make_request: MakeRequest) -> None:
    cut = AIMessage(content='{"focus', response_metadata={"finish_reason": "length"})
    with pytest.raises(ModelError, match="cut off"):
        await ChatModel(Recording(reply=cut), "own").answer(make_request(output=PlanDecision))
