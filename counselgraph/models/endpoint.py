"""Servers that speak the OpenAI protocol: vLLM, llama.cpp, a gateway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from counselgraph.models.base import Answer, Request
from counselgraph.models.chat import answer_from, listened, reply_of, to_langchain
from counselgraph.models.pool import Connection, Pool, Server, Turn
from counselgraph.models.retry import RetryPolicy, caller_of, failure_of, final, with_retries
from counselgraph.models.served import Served, record_of
from counselgraph.models.structured import StructuredMode
from counselgraph.models.wire import Reply, body_for, checked_choice, is_openai, public, read_reply

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

    from counselgraph.models.openai_chat import EndpointChat

ClientKind = Literal["fast", "stock"]
"""What carries the calls: our own HTTP side over aiohttp, or the stock ChatOpenAI. Both send the same bodies."""

_DESCRIBE_S = 10.0
_ASIDE = {"model", "messages", "stream"}


class Endpoint:
    """One server or several that serve the same models: connections, limits of calls in flight, models.

    Args:
        base_urls: Addresses, up to and including the version, such as "http://127.0.0.1:8000/v1"; `Pool` says which
            of several takes a call.
        api_key: Key; servers without authentication ignore it.
        client: What carries the calls, see `ClientKind`.
        max_calls: Calls in flight per server, over all of its models.
        timeout_s: Deadline of one try in seconds, from the request to the last byte of the reply.
        structured: How typed output is asked for, see `StructuredMode`.
        retry: Retry policy.
        probe_s: Seconds before a server that failed is asked again.
    """

    def __init__(
        self,
        base_urls: str | Sequence[str],
        api_key: str,
        *,
        client: ClientKind = "fast",
        max_calls: int = 64,
        timeout_s: float = 120,
        structured: StructuredMode = "json_schema",
        retry: RetryPolicy | None = None,
        probe_s: float = 1.0,
    ) -> None:
        self.base_urls = (base_urls,) if isinstance(base_urls, str) else tuple(base_urls)
        self.client: ClientKind = client
        self.timeout_s = timeout_s
        self.structured: StructuredMode = structured
        self.retry = retry or RetryPolicy()
        self.newer = is_openai(self.base_urls[0])
        self.context_tokens: dict[str, int | None] = {}
        self._api_key = api_key
        self._max_calls = max_calls
        self._probe_s = probe_s
        self._pools: dict[asyncio.AbstractEventLoop, asyncio.Task[Pool]] = {}
        self._chat: EndpointChat | None = None
        self._chat_lock = threading.Lock()

    def model(self, model: str, name: str) -> EndpointModel:
        """A model of the servers.

        Args:
            model: What they call it.
            name: What a RunSpec calls it.
        """
        return EndpointModel(self, model, name)

    def chat(self, model: str) -> EndpointChat:
        """A model of the servers as a LangChain chat model; see `EndpointChat`. Call it outside the event loop.

        Its asynchronous calls have the deadline, the limit of calls, the retries and the choice of server that every
        call has; a stream is not tried again, because what was told cannot be taken back.
        """
        from counselgraph.models.openai_chat import endpoint_chat  # noqa: PLC0415 (see there)

        with self._chat_lock:
            if self._chat is None:
                self._chat = endpoint_chat(self.base_urls[0], self._api_key, self, retries=self.retry.tries - 1)
            return self._chat.model_copy(update={"model_name": model})

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        opening = self._pools.pop(asyncio.get_running_loop(), None)
        if opening is not None:
            await asyncio.wait([opening])
            if opening.exception() is None:
                await opening.result().aclose()
        with self._chat_lock:
            if self._chat is not None and self._chat.http_client is not None:
                self._chat.http_client.close()
            self._chat = None

    async def describe(self, model: str, name: str) -> dict[str, Any]:
        """Ask every server what it serves; see `Models.describe`.

        Raises:
            ConfigError: The key or an address is wrong, or a server serves other models.
            InfrastructureError: No server answers at one of the addresses.
        """
        pool = await self.pool()
        found = await asyncio.gather(*map(self._served, pool.servers), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        record = record_of(name, model, cast("list[Served]", found))
        self.context_tokens[model] = record["context_tokens"]
        return record

    async def send(self, body: Mapping[str, Any]) -> Any:
        """Send a body to a server and return its reply, retrying what may pass; errors as for `with_retries`."""
        turn = await self._turn(body)
        return await with_retries(
            partial(_send, turn, body),
            name=turn.model,
            policy=self.retry,
            deadline_s=self.timeout_s,
            seed=body.get("seed") or 0,
            gate=turn,
        )

    async def stream(self, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Send a body to a server and yield the chunks of its reply; errors as for `with_retries`, after one try."""
        turn = await self._turn(body)
        try:
            async with turn as server:
                async for chunk in _until(server.connection.stream(body), self.timeout_s):
                    yield chunk
        except Exception as error:
            failure = failure_of(error, self.timeout_s)
            if failure is None:
                raise
            raise final(turn.model, failure) from error

    def ready(self) -> Pool | None:
        """The servers as the running event loop knows them, if they are open."""
        opening = self._pools.get(asyncio.get_running_loop())
        return opening.result() if opening is not None and opening.done() else None

    async def pool(self) -> Pool:
        """The servers as the running event loop knows them, opened on the first call."""
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools = {other: pool for other, pool in self._pools.items() if not other.is_closed()}
            self._pools[loop] = loop.create_task(self._open())
        return await asyncio.shield(self._pools[loop])

    async def _open(self) -> Pool:
        connect = await asyncio.to_thread(_connector, self.client)
        async with AsyncExitStack() as on_error:
            servers = []
            for base_url in self.base_urls:
                connection = await connect(base_url, self._api_key)
                on_error.push_async_callback(connection.aclose)
                servers.append(Server(public(base_url), connection, asyncio.Semaphore(self._max_calls)))
            on_error.pop_all()
        return Pool(servers, max_calls=self._max_calls, probe_s=self._probe_s)

    async def _turn(self, body: Mapping[str, Any]) -> Turn:
        return Turn(await self.pool(), "", str(body.get("model")), self.timeout_s)

    async def _served(self, server: Server) -> Served:
        entries = await with_retries(
            server.connection.models,
            name=server.address,
            policy=RetryPolicy(tries=1),
            deadline_s=min(self.timeout_s, _DESCRIBE_S),
        )
        return Served(server.address, {entry["id"]: entry for entry in entries})


class EndpointModel:
    """One model of an endpoint."""

    def __init__(self, endpoint: Endpoint, model: str, name: str) -> None:
        self.name = name
        self._endpoint = endpoint
        self._model = model

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and answer may have together, the least of all servers; None until `describe` told."""
        return self._endpoint.context_tokens.get(self._model)

    async def answer(self, request: Request) -> Answer:
        """Ask, retrying what may pass; text comes back without reasoning blocks and code fences, "" if empty.

        Where LangChain callbacks listen, to stream tokens or to trace, the call is made through the chat model;
        otherwise straight through the connection. Both send the same body.

        Raises:
            ModelError: The answer to a request for typed output was cut off.
            ConfigError: Wrong key, address or model name.
            ContextTooLong: The prompt does not fit into the model's context.
            InfrastructureError: The prompt was refused, or no answer after every try.
        """
        endpoint = self._endpoint
        turn = Turn(endpoint.ready() or await endpoint.pool(), request.session, self.name, endpoint.timeout_s)
        reply = await with_retries(
            await self._asker(request, turn),
            name=self.name,
            policy=endpoint.retry,
            deadline_s=endpoint.timeout_s,
            seed=request.seed,
            gate=turn,
            caller=caller_of(request),
        )
        return answer_from(reply, request, self.name)

    async def _asker(self, request: Request, turn: Turn) -> Callable[[], Awaitable[Reply]]:
        """What makes one try."""
        body = body_for(self._model, request, self._endpoint.structured, newer=self._endpoint.newer)
        if self._endpoint.client == "stock":
            return partial(_ask_chat, lambda: turn.server.connection.chat, body)
        if listened():
            chat = await asyncio.to_thread(self._endpoint.chat, self._model)
            return partial(_ask_chat, lambda: chat.model_copy(update={"sender": turn.server.connection}), body)
        return partial(_ask, turn, body)


async def _send(turn: Turn, body: Mapping[str, Any]) -> Any:
    payload = await turn.server.connection.send(body)
    checked_choice(payload)
    return payload


async def _ask(turn: Turn, body: Mapping[str, Any]) -> Reply:
    return read_reply(await turn.server.connection.send(body))


async def _ask_chat(chat: Callable[[], ChatOpenAI], body: Mapping[str, Any]) -> Reply:
    # As the extra body, which goes out as it is: the stock client renames and checks what it knows.
    extra = {key: value for key, value in body.items() if key not in _ASIDE}
    return reply_of(await chat().ainvoke(to_langchain(body["messages"]), model=body["model"], extra_body=extra))


async def _until(chunks: AsyncIterator[dict[str, Any]], deadline_s: float) -> AsyncIterator[dict[str, Any]]:
    """The chunks that come before a deadline; the time in which nobody waits for one counts as well."""
    end = asyncio.get_running_loop().time() + deadline_s
    while True:
        try:
            async with asyncio.timeout_at(end):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        yield chunk


def _connector(client: ClientKind) -> Callable[[str, str], Awaitable[Connection]]:
    """What opens the connections to a server; imports their libraries, so it runs in a thread."""
    if client == "stock":
        from counselgraph.models.openai_chat import StockConnection  # noqa: PLC0415 (see there)

        async def stock(base_url: str, api_key: str) -> Connection:
            return await asyncio.to_thread(StockConnection, base_url, api_key)

        return stock
    from counselgraph.models.transport import Transport  # noqa: PLC0415 (see there)

    async def fast(base_url: str, api_key: str) -> Connection:
        return Transport(base_url, api_key)

    return fast
