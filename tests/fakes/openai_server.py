"""A real HTTP server on 127.0.0.1 that speaks the OpenAI protocol, and fails on demand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import Any, Self

from aiohttp import web

from tests.fakes.schema import Filler

STARTS = (
    "I have been turning this over since we last spoke.",
    "It is hard to find the right words for it.",
    "Part of it became clearer while you were talking.",
    "When I picture an ordinary morning, it looks different.",
    "There was one evening this week that stayed with me.",
    "Let us look at that more slowly.",
    "Something about that sentence makes me pause.",
    "I notice how quickly the old thought comes back.",
    "Before we go on, I would like to stay here for a moment.",
    "The strange thing is how small it was.",
    "You put it in a way I had not heard before.",
    "My first impulse was to wave it away.",
)
MIDDLES = (
    "At work everyone seemed to manage, and I compared myself with all of them.",
    "My sister called, and for an hour nothing was heavy.",
    "What went through my mind was that it would never be enough.",
    "Writing it down took some of the weight out of it.",
    "The bus was late and I already expected the worst of the day.",
    "Over dinner I told only half of what I meant.",
    "There is a gap between what happened and what I made of it.",
    "A friend would have seen the same hour with kinder eyes.",
    "I went for a walk by the river, although I did not feel like it.",
    "On paper the evidence looks thinner than it feels.",
    "The meeting took ten minutes and filled the whole weekend.",
    "Sleep came late, but it came.",
)
ENDS = (
    "What would count as a fair view of it?",
    "Perhaps that is worth trying once more.",
    "I would like to see where it leads.",
    "How does that sound from where you sit?",
    "That is as far as I got.",
    "Maybe a small step is enough for now.",
    "I am curious what comes next.",
    "Which part of it matters most today?",
    "It is not solved, but it is lighter.",
    "Could we take one example and look closely?",
    "I had not expected that.",
    "Let me know if I lost the thread.",
)


class Fault(StrEnum):
    """What can go wrong with one call."""

    SERVER_ERROR = "HTTP 500"
    RATE_LIMITED = "HTTP 429 with Retry-After"
    TOO_LONG = "HTTP 400, prompt longer than the context"
    BAD_REQUEST = "HTTP 400, a parameter is wrong"
    UNAUTHORIZED = "HTTP 401"
    HANG = "no answer"
    DISCONNECT = "connection closed without an answer"
    NOT_JSON = "a body that is not JSON"
    CUT_JSON = "a JSON body cut in the middle"
    CUT_BODY = "fewer bytes than announced, then closed"
    HANG_IN_BODY = "headers, half a body, then nothing"
    REDIRECT = "HTTP 307 to another address"
    NO_CHOICES = "a body without choices"
    WRONG_TYPES = "content is a number"
    REASONED = "content is null, the reasoning stands in a field of its own"
    EMPTY = "content is empty"
    NULL = "content is null"
    THINK = "a reasoning block before the content"
    UNCLOSED_THINK = "a reasoning block that never ends"
    FENCED = "content in a code fence"
    BROKEN_TYPED = "typed content cut in the middle, finish_reason stop"
    TRUNCATED = "content cut, finish_reason length"


REFUSALS = {
    Fault.SERVER_ERROR: (500, "the engine died", "InternalServerError"),
    Fault.RATE_LIMITED: (429, "slow down", "RateLimitError"),
    Fault.TOO_LONG: (400, "This model's maximum context length is 4096 tokens. You sent 5000.", "BadRequestError"),
    Fault.BAD_REQUEST: (400, "temperature must be non-negative", "BadRequestError"),
    Fault.UNAUTHORIZED: (401, "Incorrect API key provided.", "AuthenticationError"),
}

SPOILED: dict[Fault, Callable[[str], tuple[str | None, str]]] = {
    Fault.EMPTY: lambda _: ("", "stop"),
    Fault.NULL: lambda _: (None, "stop"),
    Fault.THINK: lambda text: (f"<think>\nThe other side wants an answer.\n</think>\n\n{text}", "stop"),
    Fault.UNCLOSED_THINK: lambda _: ("<think>\nThe other side wants", "length"),
    Fault.FENCED: lambda text: (f"```json\n{text}\n```", "stop"),
    Fault.BROKEN_TYPED: lambda text: (text[: len(text) // 2], "stop"),
    Fault.TRUNCATED: lambda text: (text[: len(text) // 2], "length"),
}
"""What becomes of a good reply: its content and finish_reason."""


@dataclass
class Recorded:
    """One request as it arrived.

    Attributes:
        fault: What the server did wrong with it, None if nothing.
        reply: The content sent back; None where there was none.
    """

    body: dict[str, Any]
    headers: dict[str, str]
    fault: Fault | None = None
    reply: str | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body["messages"])


@dataclass
class FakeOpenAI:
    """Use as `async with FakeOpenAI(...) as server`, then call `server.base_url`.

    Replies depend on seed and messages alone. Plain replies never repeat a line of their conversation; typed replies
    are valid against the schema of `response_format`.

    Attributes:
        models: Ids the server serves; another id is HTTP 404.
        latency_s: Seconds every call takes.
        faults: Fault of the nth chat call, counted from 1; None for none.
        always: Fault of every chat call that `faults` does not name.
        error_rate: Share of calls, drawn deterministically, that end in HTTP 500.
        rates: Fault to share of calls. What is drawn for a call depends on its seed and how often that came before, not
            on the order in which calls arrive.
        retry_after_s: Value of the header on HTTP 429.
        values: Values for typed properties of these names.
        requests: Every chat call that arrived, oldest first.
        most_in_flight: The most calls that were open at once.
        port: Port to listen on; 0 takes a free one and puts it here.
        root: What the server says it loaded, None to say nothing.
        max_model_len: Tokens of context that it says it has.
    """

    models: tuple[str, ...] = ("fake",)
    latency_s: float = 0.0
    faults: Mapping[int, Fault | None] = field(default_factory=dict)
    always: Fault | None = None
    error_rate: float = 0.0
    rates: Mapping[Fault, float] = field(default_factory=dict)
    retry_after_s: float = 0.01
    values: Mapping[str, Any] = field(default_factory=dict)
    requests: list[Recorded] = field(default_factory=list)
    most_in_flight: int = 0
    port: int = 0
    root: str | None = None
    max_model_len: int = 4096
    _in_flight: int = 0
    _sent_before: Counter[str] = field(default_factory=Counter)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def calls(self) -> int:
        return len(self.requests)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._count)
        self._seen: set[str] = set()
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self._runner.cleanup()

    async def _list_models(self, _: web.Request) -> web.Response:
        told = {"object": "model", "owned_by": "fake", "max_model_len": self.max_model_len}
        data = [{"id": model, **told, **({"root": self.root} if self.root else {})} for model in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _count(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        recorded = Recorded(body, dict(request.headers))
        self.requests.append(recorded)
        fault = self.faults.get(self.calls, self._drawn(self.calls) or self._drawn_for(body) or self.always)
        recorded.fault = fault
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self.latency_s)
            return await self._serve(request, recorded)
        finally:
            self._in_flight -= 1

    def _drawn(self, call: int) -> Fault | None:
        return Fault.SERVER_ERROR if random.Random(call).random() < self.error_rate else None

    def _drawn_for(self, body: Mapping[str, Any]) -> Fault | None:
        if not self.rates:
            return None
        seed = str(body.get("seed"))
        self._sent_before[seed] += 1
        choices = random.Random(_digest(f"fault {self._sent_before[seed]} ", seed))
        weights = [*self.rates.values(), 1 - sum(self.rates.values())]
        return choices.choices([*self.rates, None], weights)[0]

    async def _serve(self, request: web.Request, recorded: Recorded) -> web.StreamResponse:
        body, fault = recorded.body, recorded.fault
        if fault is Fault.HANG:
            await self._stopping.wait()
        if fault is Fault.DISCONNECT and request.transport is not None:
            request.transport.abort()
        if fault is Fault.NOT_JSON:
            return web.Response(text="<html>gateway</html>", content_type="application/json")
        if fault is Fault.REDIRECT:
            return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/v1/chat/completions"})
        if fault in {Fault.CUT_BODY, Fault.HANG_IN_BODY}:
            return await self._half(request, close=fault is Fault.CUT_BODY)
        if fault is Fault.NO_CHOICES:
            return web.json_response({"id": "x", "object": "chat.completion", "model": "fake", "choices": []})
        problem = self._refusal(body, fault)
        if problem is not None:
            return problem
        text = reply_to(body, self.values)
        content, finish = SPOILED[fault](text) if fault in SPOILED else (text, "stop")
        recorded.reply = content
        if body.get("stream"):
            return await _stream(request, _chunks(body, content or "", finish, self._usage(body, content or "")))
        message: dict[str, Any] = {"role": "assistant", "content": 7 if fault is Fault.WRONG_TYPES else content}
        if fault is Fault.REASONED:
            message |= {"content": None, "reasoning_content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        whole = json.dumps(
            _envelope(body, "chat.completion") | {"choices": [choice], "usage": self._usage(body, content or "")}
        )
        told = whole[: len(whole) // 2] if fault is Fault.CUT_JSON else whole
        return web.Response(text=told, content_type="application/json")

    async def _half(self, request: web.Request, *, close: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        if close and request.transport is not None:
            request.transport.close()
        else:
            await self._stopping.wait()
        return response

    def _refusal(self, body: dict[str, Any], fault: Fault | None) -> web.Response | None:
        if body["model"] not in self.models:
            return _error(404, f"The model `{body['model']}` does not exist.", "NotFoundError")
        for message in body["messages"]:
            if not isinstance(message.get("content"), str) or not message["content"]:
                return _error(400, "message content must be a non-empty string", "BadRequestError")
        if fault not in REFUSALS:
            return None
        headers = {"Retry-After": str(self.retry_after_s)} if fault is Fault.RATE_LIMITED else None
        return _error(*REFUSALS[fault], headers)

    def _usage(self, body: dict[str, Any], content: str) -> dict[str, Any]:
        """Words for tokens, and a prefix cache that knows whole messages."""
        words = [len(message["content"].split()) for message in body["messages"]]
        prefixes = list(accumulate((json.dumps(message) for message in body["messages"]), _digest, initial=""))[1:]
        cached = sum(count for count, prefix in zip(words, prefixes, strict=True) if prefix in self._seen)
        self._seen.update(prefixes)
        completion = len(content.split())
        return {
            "prompt_tokens": sum(words),
            "completion_tokens": completion,
            "total_tokens": sum(words) + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        }


def reply_to(body: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> str:
    """What the server answers to a request; the same for the same seed and messages."""
    told = json.dumps([body.get("seed"), body["messages"]], sort_keys=True)
    choices = random.Random(_digest("reply", told))
    schema = _schema_of(body.get("response_format"))
    if schema is not None:
        return json.dumps(Filler(schema, choices, values).fill())
    said = "\n".join(message["content"] for message in body["messages"])
    return " ".join(_unsaid(options, said, choices) for options in (STARTS, MIDDLES, ENDS))


def _unsaid(options: tuple[str, ...], said: str, choices: random.Random) -> str:
    fresh = [option for option in options if option not in said]
    if fresh:
        return choices.choice(fresh)
    # Every line has been used: a number makes it a new one.
    option = choices.choice(options)
    number = next(number for number in range(2, 10_000) if f"{option[:-1]}, time {number}" not in said)
    return f"{option[:-1]}, time {number}{option[-1]}"


def _schema_of(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not response_format:
        return None
    schema: Mapping[str, Any] | None = response_format.get("json_schema", response_format).get("schema")
    return schema


def _digest(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}{text}".encode()).hexdigest()


def _envelope(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 0, "model": body["model"]}


def _error(status: int, message: str, kind: str, headers: Mapping[str, str] | None = None) -> web.Response:
    problem = {"message": message, "type": kind, "param": None, "code": status}
    return web.json_response({"error": problem}, status=status, headers=headers)


def _chunks(body: Mapping[str, Any], content: str, finish: str, usage: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    envelope = _envelope(body, "chat.completion.chunk")
    for word in content.split(" "):
        delta = {"role": "assistant", "content": f"{word} "}
        yield envelope | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield envelope | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        yield envelope | {"choices": [], "usage": usage}


async def _stream(request: web.Request, chunks: Iterable[dict[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for chunk in chunks:
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response
