"""Any LangChain chat model as a model of ours."""

from __future__ import annotations

import json
from collections.abc import Iterable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from counselgraph.errors import ModelError
from counselgraph.models.base import Answer, ChatMessage, Request, Usage
from counselgraph.models.events import emit
from counselgraph.models.retry import RetryPolicy, with_retries
from counselgraph.models.structured import clean_text, wire_schema

_KINDS: dict[str, type[SystemMessage | HumanMessage | AIMessage]] = {
    "system": SystemMessage,
    "user": HumanMessage,
    "assistant": AIMessage,
}


class ChatModel:
    """Asks a LangChain chat model of the user's own.

    Typed output is asked for in the prompt, which every chat model understands. The request's seed is passed on if the
    chat model has a field `seed`; its params always are.

    Args:
        chat: The chat model; set its own retries to 0, because this class retries.
        name: Name of the model.
        retry: Retry policy.
        timeout_s: Deadline of one try in seconds.
    """

    def __init__(
        self, chat: BaseChatModel, name: str, *, retry: RetryPolicy | None = None, timeout_s: float = 120
    ) -> None:
        self.name = name
        self._chat = chat
        self._retry = retry or RetryPolicy()
        self._timeout_s = timeout_s

    async def answer(self, request: Request) -> Answer:
        """Ask, retrying what may pass; text comes back without reasoning blocks and code fences, "" if empty.

        Raises:
            ModelError: The answer to a request for typed output was cut off.
            ConfigError: The request was refused for good.
            InfrastructureError: No answer after every try.
        """
        messages = to_langchain([*request.messages, *schema_prompt(request)])
        settings = dict(request.params)
        if "seed" in type(self._chat).model_fields:
            settings["seed"] = request.seed
        reply = await with_retries(
            lambda: self._chat.ainvoke(messages, **settings),
            name=self.name,
            policy=self._retry,
            deadline_s=self._timeout_s,
            seed=request.seed,
        )
        return answer_from(reply, request, self.name)


def to_langchain(messages: Iterable[ChatMessage]) -> list[BaseMessage]:
    """Prompt messages as LangChain messages."""
    return [_KINDS[message["role"]](content=message["content"]) for message in messages]


def schema_prompt(request: Request) -> list[ChatMessage]:
    """The message that asks for typed output in words; none for plain text."""
    if request.output is None:
        return []
    schema = json.dumps(wire_schema(request.output))
    return [{"role": "user", "content": f"Answer with one JSON object and nothing else. Its JSON schema:\n{schema}"}]


def answer_from(reply: AIMessage, request: Request, name: str) -> Answer:
    """The answer in a reply. Plain text that was cut off is kept and emits a "limit" event.

    Raises:
        ModelError: Typed output was cut off.
    """
    if reply.response_metadata.get("finish_reason") == "length":
        if request.output is not None:
            raise ModelError("The answer was cut off before its JSON was complete; be shorter.")
        emit("limit", limit="max_tokens", model=name)
    return Answer(text=clean_text(reply.text), usage=usage_of(reply))


def usage_of(reply: AIMessage) -> Usage:
    """One call and its tokens, 0 where the server reported none."""
    tokens = reply.usage_metadata
    if tokens is None:
        return Usage(calls=1)
    return Usage(
        calls=1,
        prompt_tokens=tokens["input_tokens"],
        cached_tokens=tokens.get("input_token_details", {}).get("cache_read", 0),
        completion_tokens=tokens["output_tokens"],
    )
