"""A model server for benchmarks: answers as fast as told, costs little, and fails as often as told.

    python benchmarks/fake_server.py --port 0 --latency 0.2 --places 256

It prints its port on a line of its own and serves until it is stopped. Replies have about 40 tokens, or are valid for
the JSON schema asked for, and depend on seed and messages alone. What goes wrong with a call depends on those and on
how often they were sent before, so the same calls meet the same faults in whatever order they come. `GET /v1/stats`
says what was served.

HTTP is spoken by hand: a web framework would cost more than the client under test.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import runpy
import signal
import zlib
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

FILLER = runpy.run_path(str(Path(__file__).parents[1] / "tests" / "fakes" / "schema.py"))["Filler"]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVENTS = ("the morning began slowly", "a letter came", "the house was loud", "the rain held off")
DEEDS = ("an hour outside", "a call to the family", "a look at the desk", "a walk to the river", "a meal for two")
DOUBTS = ("nobody had asked for it", "it took more strength than it should", "staying in bed was tempting")
STARTS = tuple(f"On {day} {event}," for day in DAYS for event in EVENTS)
MIDDLES = tuple(f"and then came {deed}, although {doubt}," for deed in DEEDS for doubt in DOUBTS)
ENDS = (
    "and it left things calmer than before.",
    "and what to make of it is still open.",
    "and then it passed.",
    "which came as a surprise.",
    "and that is where it got stuck.",
)  # words that either seat may say: a counselor that speaks of itself would be sent back by the screens
MODEL = "fake"
CALM = {
    "level": 0,
    "findings": [],
}  # a screen that finds nothing, so that sessions are as long as they were asked to be
CONTEXT_TOKENS = 32768
KEPT_PREFIXES = 1_000_000
FAULTS = ("error", "hang", "malformed", "drop", "empty")


@dataclass
class Desk:
    """What all connections share.

    Attributes:
        latency: Seconds a call takes once it has a place.
        places: Calls served at once; the others wait. 0 for no limit.
        rates: Fault to share of calls.
    """

    latency: float
    places: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    serving: int = 0
    most: int = 0
    waiting: deque[Callable[[], None]] = field(default_factory=deque)
    prefixes: set[int] = field(default_factory=set)
    sent_before: Counter[int] = field(default_factory=Counter)

    def take(self, begin: Callable[[], None]) -> None:
        """Begin a call as soon as there is a place."""
        if self.places and self.serving >= self.places:
            self.waiting.append(begin)
            return
        self.serving += 1
        self.most = max(self.most, self.serving)
        begin()

    def leave(self) -> None:
        """Give a place to who has waited longest."""
        self.serving -= 1
        if self.waiting:
            self.take(self.waiting.popleft())

    def fault(self, key: int) -> str | None:
        """What goes wrong with a call, if anything."""
        if not self.rates:
            return None
        self.sent_before[key] += 1
        drawn = random.Random(key * 31 + self.sent_before[key]).random()
        for name, rate in self.rates.items():
            drawn -= rate
            if drawn < 0:
                return name
        return None

    def stats(self) -> dict[str, Any]:
        return {**self.calls, "most_at_once": self.most}


class Connection(asyncio.Protocol):
    """One connection: a request at a time, as every HTTP client sends them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head_end = self.received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self.received[:head_end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.received) < head_end + 4 + length:
            return
        body = bytes(self.received[head_end + 4 : head_end + 4 + length])
        self.received.clear()
        if head.startswith(b"post"):
            self.chat(body)
        else:
            self.tell(head)

    def tell(self, head: bytes) -> None:
        if b"/stats" in head.split(b"\r\n", 1)[0]:
            self.reply(self.desk.stats())
            return
        entry = {"id": MODEL, "object": "model", "owned_by": "benchmarks", "max_model_len": CONTEXT_TOKENS}
        self.reply({"object": "list", "data": [entry]})

    def chat(self, body: bytes) -> None:
        asked = orjson.loads(body)
        loop, desk = asyncio.get_running_loop(), self.desk

        def begin() -> None:
            # What there is to say is worked out first, so that a call takes as long as it was told to and no longer.
            due = loop.time() + desk.latency
            loop.call_at(due, finish, *self.answer(asked))

        def finish(fault: str | None, sent: bytes, tokens: Mapping[str, int]) -> None:
            desk.leave()
            if self.transport.is_closing():  # whoever asked is gone
                return
            desk.calls.update({"calls": 1, fault or "fine": 1, **tokens})
            if fault == "drop":
                self.transport.abort()
            elif fault != "hang":
                self.transport.write(sent)

        desk.take(begin)

    def answer(self, asked: Mapping[str, Any]) -> tuple[str | None, bytes, Mapping[str, int]]:
        """What goes wrong with a call, what is sent (nothing if it hangs or is dropped), and the tokens it took."""
        desk = self.desk
        key, prompt, cached = read(asked, desk.prefixes)
        fault = desk.fault(key)
        if fault in {"hang", "drop"}:
            return fault, b"", {}
        if fault == "error":
            died = orjson.dumps({"error": {"message": "the engine died", "code": 500}})
            return fault, whole(died, b"500 Internal Server Error"), {}
        text = "" if fault == "empty" else write(asked, key)
        tokens = len(text) // 5
        payload = orjson.dumps(completion(text, prompt, cached, tokens))
        sent = whole(payload[: len(payload) // 2] if fault == "malformed" else payload)
        return fault, sent, {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": tokens}

    def reply(self, value: Any) -> None:
        self.transport.write(whole(orjson.dumps(value)))


def whole(payload: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer as HTTP sends it."""
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(payload))
    return head + payload


def read(asked: Mapping[str, Any], seen: set[int]) -> tuple[int, int, int]:
    """Fingerprint of seed and messages, prompt tokens, and how many of them a prefix cache would know."""
    if len(seen) > KEPT_PREFIXES:
        seen.clear()
    check = length = cached = 0
    for message in asked["messages"]:
        content = message["content"].encode()
        check = zlib.crc32(content, check)
        length += len(content)
        prefix = length << 32 | check
        if prefix in seen:
            cached = length
        else:
            seen.add(prefix)
    return zlib.crc32(str(asked.get("seed")).encode(), check), length // 5, cached // 5


def write(asked: Mapping[str, Any], key: int) -> str:
    """The words of a reply: a sentence or two of about 40 tokens, or JSON for the schema asked for."""
    wanted = asked.get("response_format")
    if wanted:
        schema = wanted.get("json_schema", wanted)["schema"]
        return orjson.dumps(FILLER(schema, random.Random(key), CALM).fill()).decode()
    words = " ".join(options[(key >> 8 * at) % len(options)] for at, options in enumerate((STARTS, MIDDLES, ENDS)))
    return f"{words} That was note {len(asked['messages'])} of {key % 10_000}, and there is more to say about it."


def completion(text: str, prompt: int, cached: int, tokens: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


async def serve(port: int, desk: Desk) -> None:
    """Serve until a signal comes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds a call takes")
    parser.add_argument("--places", type=int, default=0, help="calls served at once; 0 for no limit")
    for fault in FAULTS:
        parser.add_argument(f"--{fault}-rate", type=float, default=0.0, help="share of calls")
    given = parser.parse_args()
    rates = {fault: getattr(given, f"{fault}_rate") for fault in FAULTS if getattr(given, f"{fault}_rate")}
    asyncio.run(serve(given.port, Desk(given.latency, given.places, rates)))


if __name__ == "__main__":
    main()
