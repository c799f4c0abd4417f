"""Any LangChain chat model as a model of ours."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables.config import var_child_runnable_config

from counselgraph.errors import ModelError
from counselgraph.models.base import Answer, ChatMessage, Request, Usage
from counselgraph.models.events import emit
from counselgraph.models.retry import RetryPolicy, caller_of, with_retries
from counselgraph.models.structured import clean_text, schema_prompt
from counselgraph.models.wire import Reply

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
        asked = schema_prompt(request.output) if request.output is not None else ()
        messages = to_langchain([*request.messages, *asked])
        settings = dict(request.params)
        if "seed" in type(self._chat).model_fields:
            settings["seed"] = request.seed
        reply = await with_retries(
            lambda: self._chat.ainvoke(messages, **settings),
            name=self.name,
            policy=self._retry,
            deadline_s=self._timeout_s,
            seed=request.seed,
            caller=caller_of(request),
        )
        return answer_from(reply_of(reply), request, self.name)


def to_langchain(messages: Iterable[ChatMessage]) -> list[BaseMessage]:
    """Prompt messages as LangChain messages."""
    return [_KINDS[message["role"]](content=message["content"]) for message in messages]


def listened() -> bool:
    """Whether LangChain callbacks listen to what is called here: LangGraph's token stream, a tracer."""
    config = var_child_runnable_config.get()
    callbacks = config.get("callbacks") if config else None
    return bool(callbacks.handlers if isinstance(callbacks, BaseCallbackManager) else callbacks)


def reply_of(message: AIMessage) -> Reply:
    """What a chat model said, with its tokens: 0 where the server reported none."""
    reason = message.response_metadata.get("finish_reason")
    tokens = message.usage_metadata
    if tokens is None:
        return Reply(message.text, str(reason or ""), Usage(calls=1))
    usage = Usage(
        calls=1,
        prompt_tokens=tokens["input_tokens"],
        cached_tokens=tokens.get("input_token_details", {}).get("cache_read", 0),
        completion_tokens=tokens["output_tokens"],
    )
    return Reply(message.text, str(reason or ""), usage)


def answer_from(reply: Reply, request: Request, name: str) -> Answer:
    """The answer in a reply. Plain text that was cut off is kept and emits a "limit" event.

    Raises:
        ModelError: Typed output was cut off.
    """
    if reply.finish_reason == "length":
        if request.output is not None:
            raise ModelError("The answer was cut off before its JSON was complete; be shorter.")
        emit("limit", limit="max_tokens", model=name)
    return Answer(text=clean_text(reply.text), usage=reply.usage)
