"""What llama.cpp is asked, with a chat model in its place that answers by the same signature."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel

from counselgraph.errors import ConfigError, ContextTooLong, InfrastructureError, ModelError
from counselgraph.models.llamacpp import LlamaCpp, load_llamacpp
from tests.unit.models.conftest import MakeRequest


class Mood(BaseModel):
    mood: str


class Client:
    """The signature by which parameters are known."""

    def create_chat_completion(
        self,
        messages: Sequence[Mapping[str, str]],
        temperature: float = 0.2,
        stream: bool = False,
        seed: int | None = None,
        response_format: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
    ) -> None: ...


class Chat(BaseChatModel):
    """Keeps what it is asked, and says the next of its lines."""

    client: Any = Client()
    lines: list[str | Exception]
    finish: str = "stop"
    asked: list[dict[str, Any]]
    busy: int = 0
    most: int = 0

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def _generate(self, messages: list[BaseMessage], *_: Any, **settings: Any) -> ChatResult:
        self.asked.append({"messages": [(each.type, each.content) for each in messages], **settings})
        self.busy += 1
        self.most = max(self.most, self.busy)
        threading.Event().wait(0.01)
        self.busy -= 1
        line = self.lines[min(len(self.asked), len(self.lines)) - 1]
        if isinstance(line, Exception):
            raise line
        said = ChatGeneration(message=AIMessage(line), generation_info={"finish_reason": self.finish})
        tokens = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        return ChatResult(generations=[said], llm_output={"token_usage": tokens})


@pytest.fixture
def chat() -> Chat:
    return Chat(asked=[], lines=["Well."])


async def test_the_prompt_goes_over_as_it_is_and_tokens_come_back(chat: Chat, make_request: MakeRequest) -> None:
    answer = await LlamaCpp(chat, "llamacpp/x").answer(make_request(params={"max_tokens": 9}))
    (asked,) = chat.asked
    assert asked["messages"] == [("system", "You are the client."), ("human", "What brings you here?")]
    assert (asked["seed"], asked["max_tokens"]) == (7, 9)
    assert answer.text == "Well."
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 2)


@pytest.mark.parametrize("seed", [0, 2**32 - 2, 2**32 - 1, 2**62 + 5])
async def test_seeds_fit_what_llama_cpp_takes(chat: Chat, make_request: MakeRequest, seed: int) -> None:
    await LlamaCpp(chat, "x").answer(make_request(seed=seed))
    assert 0 <= chat.asked[0]["seed"] < 2**32 - 1


async def test_typed_output_is_held_to_its_schema(chat: Chat, make_request: MakeRequest) -> None:
    await LlamaCpp(chat, "x").answer(make_request(output=Mood))
    wanted = chat.asked[0]["response_format"]
    assert wanted["type"] == "json_object"
    assert wanted["schema"]["required"] == ["mood"]


async def test_typed_output_that_was_cut_off_is_no_answer(chat: Chat, make_request: MakeRequest) -> None:
    chat.finish = "length"
    with pytest.raises(ModelError, match="cut off"):
        await LlamaCpp(chat, "x").answer(make_request(output=Mood))


async def test_a_parameter_that_llama_cpp_lacks_is_named_before_the_call(chat: Chat, make_request: MakeRequest) -> None:
    with pytest.raises(ConfigError, match=r"takes no parameter min_tokens. Parameters: max_tokens, temperature\."):
        await LlamaCpp(chat, "llamacpp/x").answer(make_request(params={"min_tokens": 2}))
    assert not chat.asked


async def test_calls_run_one_at_a_time_beside_the_event_loop(chat: Chat, make_request: MakeRequest) -> None:
    model = LlamaCpp(chat, "x")
    turns = asyncio.create_task(asyncio.sleep(0.005, "the loop went on"))
    await asyncio.gather(*(model.answer(make_request(seed=seed)) for seed in range(6)))
    assert [asked["seed"] for asked in chat.asked] == list(range(6))
    assert chat.most == 1
    assert turns.done()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("Requested tokens (9018) exceed context window of 8192"), ContextTooLong),
        (RuntimeError("llama_decode returned -1"), InfrastructureError),
    ],
)
async def test_a_failure_of_llama_cpp_is_no_result(
    chat: Chat, make_request: MakeRequest, error: Exception, kind: type[InfrastructureError]
) -> None:
    chat.lines = [error]
    with pytest.raises(kind, match="`llamacpp/x`: role `client` of session `s1`: ") as caught:
        await LlamaCpp(chat, "llamacpp/x").answer(make_request())
    assert type(caught.value) is kind
    assert str(error) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no file {tmp_path}/none.gguf"):
        load_llamacpp(tmp_path / "none.gguf", "llamacpp/none.gguf")


@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is not None, reason="llama.cpp is installed here")
def test_without_llama_cpp_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    with pytest.raises(ConfigError, match=r"pip install 'counselgraph\[llamacpp\]'"):
        load_llamacpp(tmp_path / "some.gguf", "llamacpp/some.gguf")
