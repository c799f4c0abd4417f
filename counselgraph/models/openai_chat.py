"""LangChain chat models for OpenAI-compatible servers, on langchain-openai. Slow to import: import in a thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.exceptions import ModelAPIError
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient
from openai import BaseModel as Reply
from pydantic import BaseModel, Field, SecretStr

from counselgraph.errors import ModelError
from counselgraph.models.structured import first_object, response_format
from counselgraph.models.wire import ReplyError, checked_choice, flat, is_loopback, is_openai


class Sender(Protocol):
    """Takes the body of a chat completion to a server."""

    async def send(self, body: Mapping[str, Any]) -> Any:
        """The whole reply, parsed."""
        ...

    def stream(self, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The reply in chunks."""
        ...


class _CheckedChat(ChatOpenAI):
    """ChatOpenAI that takes only a reply for a reply."""

    def _create_chat_result(
        self, response: dict[str, Any] | Reply, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        try:
            checked_choice(response.model_dump(warnings=False) if isinstance(response, Reply) else response)
            return super()._create_chat_result(response, generation_info)
        except (KeyError, TypeError, ValueError, ReplyError) as error:
            raise ModelAPIError(f"the reply has an unknown shape: {error}") from error


class EndpointChat(_CheckedChat):
    """ChatOpenAI whose async calls run over our own HTTP side.

    Everything LangChain can do with a ChatOpenAI it can do with this: stream, bind, structured output, callbacks.
    `ainvoke`, `astream` and `abatch` go through `sender`. `invoke`, `stream` and `batch` go through the stock
    synchronous client, because aiohttp has no synchronous side.

    Attributes:
        sender: Takes the bodies to a server, and brings its replies.
    """

    sender: Any = Field(default=None, exclude=True)

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "max_completion_tokens" in payload and not is_openai(self.openai_api_base or ""):
            payload["max_tokens"] = payload.pop("max_completion_tokens")
        return payload

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - LangChain's signature
        **kwargs: Any,
    ) -> ChatResult:
        body, output = self._body(messages, stop, kwargs)
        result = self._create_chat_result(await self.sender.send(body))
        if output is not None:
            message = result.generations[0].message
            message.additional_kwargs |= _parsed(str(message.text))
        return result

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        stream_usage: bool | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        usage = self._should_stream_usage(stream_usage, **kwargs)
        options = {"stream_options": {"include_usage": True}} if usage else {}
        body, output = self._body(messages, stop, kwargs | options | {"stream": True})
        said: list[str] = []
        async for raw in self.sender.stream(body):
            chunk = self._convert_chunk_to_generation_chunk(raw, AIMessageChunk, {})
            if chunk is None:
                continue
            said.append(chunk.text)
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
        if output is not None:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", additional_kwargs=_parsed("".join(said))))

    def _body(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], type[BaseModel] | None]:
        """What goes over the wire, and the type it asks for, if it does."""
        body = self._get_request_payload(messages, stop=stop, **kwargs)
        asked = body.get("response_format")
        output = asked if isinstance(asked, type) and issubclass(asked, BaseModel) else None
        if output is not None:
            body["response_format"] = response_format(output, "json_schema")
        return flat(body, newer=is_openai(self.openai_api_base or "")), output


class StockConnection:
    """The stock ChatOpenAI and the OpenAI client under it; belongs to the event loop that first uses it.

    Reads certificates, so make it outside the event loop; it sends nothing by itself.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        # A proxy from the environment must not see what is meant for this machine.
        http = DefaultAsyncHttpxClient(trust_env=not is_loopback(base_url))
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=None, http_client=http)
        self.chat = _CheckedChat(
            **_settings(base_url, api_key),
            max_retries=0,
            root_async_client=self._client,
            async_client=self._client.chat.completions,
        )

    async def models(self) -> list[dict[str, Any]]:
        """What the server says it serves."""
        page = await self._client.models.list()
        return [entry.model_dump(mode="json") for entry in page.data]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def endpoint_chat(base_url: str, api_key: str, sender: Sender, *, retries: int) -> EndpointChat:
    """A chat model for a server, without a `model_name`; reads certificates, so call it outside the event loop.

    Args:
        base_url: Where synchronous calls go.
        api_key: Key of the server.
        sender: Where asynchronous calls go.
        retries: Further tries of a synchronous call.
    """
    http = DefaultHttpxClient(trust_env=not is_loopback(base_url))
    return EndpointChat(**_settings(base_url, api_key), sender=sender, http_client=http, max_retries=retries)


def _settings(base_url: str, api_key: str) -> dict[str, Any]:
    return {
        "model": "",
        "base_url": base_url,
        "api_key": SecretStr(api_key),
        "stream_usage": True,
        "use_responses_api": False,
        "openai_proxy": None,
    }


def _parsed(text: str) -> dict[str, Any]:
    """The field in which LangChain looks for typed output. Without it, or with one that does not fit, it complains."""
    try:
        return {"parsed": first_object(text)}
    except ModelError:
        return {}
