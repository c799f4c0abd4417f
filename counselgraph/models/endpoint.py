"""A server that speaks the OpenAI protocol: vLLM, llama.cpp, a gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from langchain_core.language_models import BaseChatModel

from counselgraph.models.base import Answer, Request
from counselgraph.models.chat import answer_from, schema_prompt, to_langchain
from counselgraph.models.retry import RetryPolicy, with_retries
from counselgraph.models.structured import StructuredMode, wire_schema

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_DESCRIBE_S = 10.0


class Line(NamedTuple):
    """What belongs to one event loop: connections cannot be shared between loops.

    Attributes:
        gate: Limits calls in flight.
    """

    client: AsyncOpenAI
    chat: BaseChatModel
    gate: asyncio.Semaphore


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
        self._lines: dict[asyncio.AbstractEventLoop, asyncio.Task[Line]] = {}

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
            await (await line).client.close()

    async def describe(self, model: str) -> dict[str, Any]:
        """Ask the server what it serves.

        Returns:
            `base_url` (without credentials), `served` (ids), `model` (the server's entry for `model`, None if it serves
            no such model).

        Raises:
            ConfigError: The key or the address is wrong.
            InfrastructureError: No server answers there.
        """
        client = (await self.line()).client
        page = await with_retries(
            client.models.list,
            name=_public(self.base_url),
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

    async def line(self) -> Line:
        """Connections and limit of the running event loop, opened on the first call."""
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            self._lines = {other: line for other, line in self._lines.items() if not other.is_closed()}
            self._lines[loop] = loop.create_task(asyncio.to_thread(self._open))
        return await asyncio.shield(self._lines[loop])

    def _open(self) -> Line:
        from counselgraph.models.openai_chat import connect  # noqa: PLC0415 (see there)

        connection = connect(self.base_url, self._api_key, self.timeout_s)
        return Line(connection.client, connection.chat, asyncio.Semaphore(self._max_calls))


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
        line = await endpoint.line()
        messages = endpoint.prompt(request)
        settings = endpoint.settings(request) | {"model": self._model}
        reply = await with_retries(
            lambda: line.chat.ainvoke(messages, **settings),
            name=self.name,
            policy=endpoint.retry,
            deadline_s=endpoint.timeout_s,
            seed=request.seed,
            gate=line.gate,
        )
        return answer_from(reply, request, self.name)


def _public(base_url: str) -> str:
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
