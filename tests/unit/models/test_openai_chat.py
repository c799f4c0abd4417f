from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.models.endpoint import Endpoint
from counselgraph.models.events import collecting
from counselgraph.models.load import Models
from counselgraph.models.retry import RetryPolicy
from tests.fakes.openai_server import FakeOpenAI, Fault

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PROMPT = [SystemMessage("You are the client."), HumanMessage("What brings you here?")]


class Mood(BaseModel):
    """How a client feels."""

    word: str
    strength: int


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as server:
        yield server


@pytest.fixture
async def chat(server: FakeOpenAI) -> AsyncIterator[BaseChatModel]:
    endpoint = Endpoint(server.base_url, "EMPTY", retry=RetryPolicy(base_s=0.001), timeout_s=5)
    yield await asyncio.to_thread(endpoint.chat, "fake")
    await endpoint.aclose()


async def test_ainvoke_answers_with_usage_and_finish_reason(chat: BaseChatModel) -> None:
    reply = await chat.ainvoke(PROMPT)
    assert reply.text
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == 8
    assert reply.response_metadata["finish_reason"] == "stop"


async def test_tokens_are_streamed_and_counted(chat: BaseChatModel, server: FakeOpenAI) -> None:
    chunks = [chunk async for chunk in chat.astream(PROMPT)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len(chunks) > 10
    assert whole.text.strip() == server.requests[0].reply
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 10


@pytest.mark.parametrize("include_raw", [False, True])
async def test_structured_output_is_a_value_of_its_type(chat: BaseChatModel, include_raw: bool) -> None:
    found: Any = await chat.with_structured_output(Mood, include_raw=include_raw).ainvoke(PROMPT)
    assert isinstance(found["parsed"] if include_raw else found, Mood)


async def test_structured_output_can_be_streamed(chat: BaseChatModel) -> None:
    found = [value async for value in chat.with_structured_output(Mood).astream(PROMPT)]
    assert isinstance(found[-1], Mood)


async def test_structured_output_that_does_not_fit_is_an_error_that_include_raw_catches() -> None:
    async with FakeOpenAI(always=Fault.BROKEN_TYPED) as server, Models(server.base_url) as models:
        chat = await asyncio.to_thread(models.chat, "vllm/fake")
        with pytest.raises(ValueError, match="does not have a 'parsed' field"):
            await chat.with_structured_output(Mood).ainvoke(PROMPT)
        raw: Any = await chat.with_structured_output(Mood, include_raw=True).ainvoke(PROMPT)
    assert raw["parsed"] is None
    assert isinstance(raw["parsing_error"], ValueError)


async def test_tools_and_their_answers_go_out(chat: BaseChatModel, server: FakeOpenAI) -> None:
    @tool
    def look_up(word: str) -> str:
        """Look a word up."""
        return word

    call = {"name": "look_up", "args": {"word": "CBT"}, "id": "1", "type": "tool_call"}
    told = [*PROMPT, AIMessage("Let me see.", tool_calls=[call]), ToolMessage("a therapy", tool_call_id="1")]
    await chat.bind_tools([look_up]).ainvoke(told)
    body = server.requests[0].body
    assert body["tools"][0]["function"]["name"] == "look_up"
    assert body["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"word": "CBT"}'
    assert body["messages"][3] == {"role": "tool", "content": "a therapy", "tool_call_id": "1"}


async def test_bound_parameters_go_out_under_the_names_the_server_knows(
    chat: BaseChatModel, server: FakeOpenAI
) -> None:
    await chat.bind(max_tokens=9, seed=3, extra_body={"top_k": 5}).ainvoke(PROMPT, stop=["x"])
    sent = {key: value for key, value in server.requests[0].body.items() if key not in {"messages", "model"}}
    assert sent == {"max_tokens": 9, "seed": 3, "top_k": 5, "stop": ["x"], "stream": False}


class Listener(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.heard.append("start")

    async def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        self.heard.append("token")

    async def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.heard.append("end")


async def test_callbacks_hear_everything(chat: BaseChatModel) -> None:
    listener = Listener()
    await chat.ainvoke(PROMPT, {"callbacks": [listener]})
    assert listener.heard == ["start", "end"]
    async for _ in chat.astream(PROMPT, {"callbacks": [listener]}):
        pass
    assert listener.heard.count("token") > 10


async def test_many_at_once(chat: BaseChatModel) -> None:
    replies = await chat.abatch([PROMPT] * 5)
    assert len({reply.text for reply in replies}) == 1


async def test_synchronous_calls_work_as_well(chat: BaseChatModel, server: FakeOpenAI) -> None:
    def together() -> list[str]:
        streamed = "".join(chunk.text for chunk in chat.stream(PROMPT))
        return [chat.invoke(PROMPT).text, *(reply.text for reply in chat.batch([PROMPT] * 2)), streamed.strip()]

    found = await asyncio.to_thread(together)
    assert len(set(found)) == 1
    assert server.calls == 4


async def test_a_call_is_tried_again_and_tells_so() -> None:
    events: list[dict[str, Any]] = []
    async with FakeOpenAI(faults={1: Fault.NO_CHOICES, 2: Fault.DISCONNECT}) as server:
        endpoint = Endpoint(server.base_url, "EMPTY", retry=RetryPolicy(base_s=0.001))
        chat = await asyncio.to_thread(endpoint.chat, "fake")
        with collecting(events.append):
            assert (await chat.ainvoke(PROMPT)).text
        await endpoint.aclose()
    assert [event["event"] for event in events] == ["retry", "retry"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.SERVER_ERROR, InfrastructureError), (Fault.UNAUTHORIZED, ConfigError), (Fault.HANG, InfrastructureError)],
)
async def test_a_stream_that_fails_is_a_typed_error(fault: Fault, kind: type[Exception]) -> None:
    async with FakeOpenAI(always=fault) as server:
        endpoint = Endpoint(server.base_url, "EMPTY", timeout_s=0.2)
        chat = await asyncio.to_thread(endpoint.chat, "fake")
        with pytest.raises(kind):
            async for _ in chat.astream(PROMPT):
                pass
        await endpoint.aclose()
    assert server.calls == 1


async def test_a_stream_that_nobody_finishes_gives_its_place_back(server: FakeOpenAI) -> None:
    async with Models(server.base_url, max_calls=1) as models:
        chat = await asyncio.to_thread(models.chat, "vllm/fake")
        stream = chat.astream(PROMPT)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator, declared as its iterator
        async with asyncio.timeout(2):
            assert (await chat.ainvoke(PROMPT)).text


async def test_only_names_with_a_server_have_a_chat_model() -> None:
    with pytest.raises(ConfigError, match="`rehearsal` has no server"):
        Models().chat("rehearsal")
