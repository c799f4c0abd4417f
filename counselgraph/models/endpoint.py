"""A server that speaks the OpenAI protocol: vLLM, llama.cpp, a gateway."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakKeyDictionary

from langchain_core.exceptions import ModelAPIError
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from openai import BaseModel as Reply
from pydantic import SecretStr

from counselgraph.models.base import Answer, Request
from counselgraph.models.chat import answer_from, schema_prompt, to_langchain
from counselgraph.models.retry import RetryPolicy, with_retries
from counselgraph.models.structured import StructuredMode, wire_schema

_WIRE_ROLES = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}
_TO_THE_CLIENT = {"model", "stream", "stream_options"}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_DESCRIBE_S = 10.0


class EndpointChat(ChatOpenAI):
    """ChatOpenAI whose cost per call does not grow with the conversation.

    The OpenAI client walks and checks every message of every request. Ours are two plain strings each, so they travel
    as the extra body, which it sends as it is.
    """

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload([], stop=stop, **kwargs)
        body = {key: payload.pop(key) for key in payload.keys() - _TO_THE_CLIENT}
        # Local servers know the older name only; OpenAI's newer models know the newer one only.
        if "max_completion_tokens" in body and not _is_openai(self.openai_api_base):
            body["max_tokens"] = body.pop("max_completion_tokens")
        body |= body.pop("extra_body", None) or {}
        messages = self._convert_input(input_).to_messages()
        body["messages"] = [{"role": _WIRE_ROLES[type(message)], "content": message.content} for message in messages]
        return {**payload, "messages": [], "extra_body": body}

    def _create_chat_result(
        self, response: dict[str, Any] | Reply, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        try:
            result = super()._create_chat_result(response, generation_info)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelAPIError(f"the reply has an unknown shape: {error}") from error
        if not result.generations:
            raise ModelAPIError("the reply holds no choices")
        return result


@dataclass
class _Line:
    """What belongs to one event loop: connections cannot be shared between loops."""

    client: AsyncOpenAI
    gate: asyncio.Semaphore
    chats: dict[str, EndpointChat] = field(default_factory=dict)


class Endpoint:
    """One server: its connections, its limit of calls in flight, its models.

    Args:
        base_url: Address, up to and including the version, such as "http://127.0.0.1:8000/v1".
        api_key: Key; servers without authentication ignore it.
        max_calls: Calls in flight, over all models of the server.
        timeout_s: Deadline of one try in seconds.
        structured: How typed output is asked for, see `StructuredMode`.
        retry: Retry policy.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        max_calls: int = 64,
        timeout_s: float = 120,
        structured: StructuredMode = "json_schema",
        retry: RetryPolicy | None = None,
    ) -> None:
        self.base_url = base_url
        self.timeout_s = timeout_s
        self.retry = retry or RetryPolicy()
        self._api_key = api_key
        self._max_calls = max_calls
        self._structured: StructuredMode = structured
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    def model(self, model: str, name: str) -> EndpointModel:
        """A model of the server.

        Args:
            model: What the server calls it.
            name: What a RunSpec calls it.
        """
        return EndpointModel(self, model, name)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        if line is not None:
            await line.client.close()

    async def describe(self, model: str) -> dict[str, Any]:
        """Ask the server what it serves.

        Returns:
            `base_url` (without credentials), `served` (ids), `model` (the server's entry for `model`, None if it serves
            no such model).

        Raises:
            ConfigError: The key or the address is wrong.
            InfrastructureError: No server answers there.
        """
        page = await with_retries(
            self._line().client.models.list,
            name=f"{_public(self.base_url)}",
            policy=RetryPolicy(tries=1),
            deadline_s=min(self.timeout_s, _DESCRIBE_S),
        )
        entries = {entry.id: entry.model_dump(mode="json") for entry in page.data}
        return {"base_url": _public(self.base_url), "served": sorted(entries), "model": entries.get(model)}

    def settings(self, request: Request) -> dict[str, Any]:
        """What goes on the wire beside model and messages."""
        settings: dict[str, Any] = {"seed": request.seed, **request.params}
        if request.output is None or self._structured == "prompt":
            return settings
        schema = wire_schema(request.output)
        if self._structured == "json_object":
            return settings | {"response_format": {"type": "json_object", "schema": schema}}
        named = {"name": request.output.__name__, "schema": schema, "strict": True}
        return settings | {"response_format": {"type": "json_schema", "json_schema": named}}

    def prompt(self, request: Request) -> list[Any]:
        """The messages as LangChain messages, with the schema in words where the server takes no schema."""
        extra = schema_prompt(request) if self._structured == "prompt" else []
        return list(to_langchain([*request.messages, *extra]))

    def chat(self, model: str) -> EndpointChat:
        """The chat model for the running event loop."""
        line = self._line()
        if model not in line.chats:
            line.chats[model] = EndpointChat(
                model=model,
                base_url=self.base_url,
                api_key=SecretStr(self._api_key),
                max_retries=0,
                timeout=self.timeout_s,
                stream_usage=True,
                use_responses_api=False,
                openai_proxy=None,
                root_async_client=line.client,
                async_client=line.client.chat.completions,
            )
        return line.chats[model]

    def gate(self) -> asyncio.Semaphore:
        """The limit of calls in flight for the running event loop."""
        return self._line().gate

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            # A proxy from the environment must not see what is meant for this machine.
            http = DefaultAsyncHttpxClient(trust_env=urlsplit(self.base_url).hostname not in _LOOPBACK)
            client = AsyncOpenAI(
                base_url=self.base_url,
                api_key=self._api_key,
                max_retries=0,
                timeout=self.timeout_s,
                http_client=http,
            )
            self._lines[loop] = _Line(client, asyncio.Semaphore(self._max_calls))
        return self._lines[loop]


class EndpointModel:
    """One model of a server."""

    def __init__(self, endpoint: Endpoint, model: str, name: str) -> None:
        self.name = name
        self._endpoint = endpoint
        self._model = model

    async def answer(self, request: Request) -> Answer:
        """Ask, retrying what may pass; text comes back without reasoning blocks and code fences, "" if empty.

        Raises:
            ModelError: The answer to a request for typed output was cut off.
            ConfigError: Wrong key or model name.
            InfrastructureError: The prompt was refused, or no answer after every try.
        """
        endpoint = self._endpoint
        chat = endpoint.chat(self._model)
        messages = endpoint.prompt(request)
        settings = endpoint.settings(request)
        reply = await with_retries(
            lambda: chat.ainvoke(messages, **settings),
            name=self.name,
            policy=endpoint.retry,
            deadline_s=endpoint.timeout_s,
            seed=request.seed,
            gate=endpoint.gate(),
        )
        return answer_from(reply, request, self.name)


def _is_openai(base_url: str | None) -> bool:
    host = urlsplit(base_url or "").hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _public(base_url: str) -> str:
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
