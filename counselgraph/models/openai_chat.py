"""The HTTP side of an endpoint, on langchain-openai. Slow to import, so imported in a thread on the first call."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from langchain_core.exceptions import ModelAPIError
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from openai import BaseModel as Reply
from pydantic import SecretStr

_WIRE_ROLES = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}
_TO_THE_CLIENT = {"model", "stream", "stream_options"}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


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


class Connection(NamedTuple):
    """Connections to one server; they belong to the event loop that first uses them.

    Attributes:
        client: The OpenAI client.
        chat: Chat model over the same client, for every model of the server: name it in the call.
    """

    client: AsyncOpenAI
    chat: EndpointChat


def connect(base_url: str, api_key: str, timeout_s: float) -> Connection:
    """Make the clients. Reads certificates, so call it outside the event loop; sends nothing."""
    # A proxy from the environment must not see what is meant for this machine.
    http = DefaultAsyncHttpxClient(trust_env=urlsplit(base_url).hostname not in _LOOPBACK)
    client = AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=timeout_s, http_client=http)
    chat = EndpointChat(
        model="",
        base_url=base_url,
        api_key=SecretStr(api_key),
        max_retries=0,
        timeout=timeout_s,
        stream_usage=True,
        use_responses_api=False,
        openai_proxy=None,
        root_async_client=client,
        async_client=client.chat.completions,
    )
    return Connection(client, chat)


def _is_openai(base_url: str | None) -> bool:
    host = urlsplit(base_url or "").hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")
