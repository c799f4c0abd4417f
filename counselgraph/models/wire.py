"""What goes to an OpenAI-compatible server and what comes back, whichever client carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from counselgraph.models.base import ChatMessage, Request, Usage
from counselgraph.models.structured import StructuredMode, response_format, schema_prompt

_SHOWN_CHARACTERS = 80
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class TransportError(Exception):
    """No whole answer came: refused, reset, or cut in the middle."""


class StatusError(Exception):
    """The server answered with an HTTP status that is no success.

    Attributes:
        status_code: The status.
        body: The server's description of the problem, parsed; {} if it gave none.
        headers: The answer's headers.
    """

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(str(body.get("message") or f"HTTP {status}"))
        self.status_code = status
        self.body = body
        self.headers = headers


class ReplyError(Exception):
    """HTTP 200, but nothing in it that could be a turn. Another try may help."""

    is_retryable = True


class Reply(NamedTuple):
    """One answer of a server.

    Attributes:
        text: What was written, as it came; "" for nothing.
        finish_reason: "stop", "length" or what else the server calls it; "" if it says nothing.
        usage: One call and its tokens.
    """

    text: str
    finish_reason: str
    usage: Usage


def body_for(model: str, request: Request, structured: StructuredMode, *, newer: bool = False) -> dict[str, Any]:
    """The JSON body of a request. Messages are taken as they are: nothing here walks through them.

    Args:
        model: What the server calls the model.
        request: The question; its params are passed on whatever they are called.
        structured: How typed output is asked for.
        newer: Whether the server knows `max_completion_tokens`.
    """
    body: dict[str, Any] = {"seed": request.seed, **request.params}
    messages: tuple[ChatMessage, ...] = request.messages
    if request.output is not None:
        if structured == "prompt":
            messages = (*messages, *schema_prompt(request.output))
        else:
            body["response_format"] = response_format(request.output, structured)
    body |= {"model": model, "messages": messages, "stream": False}
    return flat(body, newer=newer)


def flat(body: dict[str, Any], *, newer: bool) -> dict[str, Any]:
    """The body with `extra_body` spread into it and the limit of the answer under the name that the server knows.

    Local servers know `max_tokens` only; OpenAI's newer models know `max_completion_tokens` only.
    """
    body |= body.pop("extra_body", None) or {}
    known, other = ("max_completion_tokens", "max_tokens") if newer else ("max_tokens", "max_completion_tokens")
    if other in body:
        body[known] = body.pop(other)
    return body


def read_reply(payload: Any) -> Reply:
    """What a chat completion says.

    Reasoning in fields of its own (`reasoning_content`, `reasoning`) is not text. Content that is null although the
    reply holds something else (reasoning, a tool call, a refusal, a cut at the limit) is empty text.

    Raises:
        ReplyError: The payload has another shape, or holds nothing at all.
    """
    choice = checked_choice(payload)
    usage = payload.get("usage")
    reason = choice.get("finish_reason")
    return Reply(
        text=_text_of(choice["message"].get("content")),
        finish_reason=reason if isinstance(reason, str) else "",
        usage=_usage_of(usage) if isinstance(usage, dict) else Usage(calls=1),
    )


def checked_choice(payload: Any) -> dict[str, Any]:
    """The first choice of a chat completion.

    Raises:
        ReplyError: There is none, or none that says anything.
    """
    choices = payload.get("choices") if isinstance(payload, dict) else None
    if not isinstance(choices, list) or not choices:
        raise ReplyError(f"the reply holds no choices ({_shown(payload)})")
    choice: dict[str, Any] = choices[0] if isinstance(choices[0], dict) else {}
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ReplyError(f"the reply holds no message ({_shown(choices[0])})")
    if message.get("content") is None and not _says_otherwise(choice, message):
        raise ReplyError("the reply holds neither content nor anything else")
    return choice


def is_openai(base_url: str) -> bool:
    """Whether an address is OpenAI's own service."""
    host = urlsplit(base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def is_loopback(base_url: str) -> bool:
    """Whether an address is this machine; no proxy may see what is meant for it."""
    return urlsplit(base_url).hostname in _LOOPBACK


def public(base_url: str) -> str:
    """An address without credentials."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _says_otherwise(choice: dict[str, Any], message: dict[str, Any]) -> bool:
    fields = ("reasoning_content", "reasoning", "tool_calls", "refusal")
    return choice.get("finish_reason") == "length" or any(message.get(field) for field in fields)


def _text_of(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(_part(part) for part in content)
    raise ReplyError(f"the content is no text ({_shown(content)})")


def _part(part: Any) -> str:
    text = part.get("text", "") if isinstance(part, dict) else part
    if not isinstance(text, str):
        raise ReplyError(f"a part of the content is no text ({_shown(part)})")
    return text


def _usage_of(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details")
    return Usage(
        calls=1,
        prompt_tokens=_count(usage, "prompt_tokens"),
        cached_tokens=_count(details, "cached_tokens") if isinstance(details, dict) else 0,
        completion_tokens=_count(usage, "completion_tokens"),
    )


def _count(tokens: dict[str, Any], name: str) -> int:
    found = tokens.get(name)
    return found if isinstance(found, int) else 0


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
