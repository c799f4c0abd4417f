"""How much of every prompt a server has already computed: the reuse of a prefix cache, exchange by exchange.

    python benchmarks/prefix.py [PERSONAS] [--exchanges 20 40] [--monitor] [--tokenizer tokenizer.json]
    python benchmarks/prefix.py [PERSONAS] --base-url http://127.0.0.1:8000/v1 --model NAME

Sessions of an exact length are played with stand-in words, about forty tokens a turn, so that the prompts have the
length of real ones and are the same on every machine. Without a server the cache is computed: blocks of 16 tokens, full
blocks only, found again by their whole prefix, as in vLLM. `alone` starts every session with an empty cache; `together`
lets the sessions of a run share one, as a server does. With a server its own counters are read, before and after.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from counselgraph import Answer, Models, Request, RunSpec, run_sync
from counselgraph.models.base import ChatMessage, Model
from counselgraph.protocols.plan import PlanDecision

BLOCK = 16
STAND_IN = "stand-in"
SPEAKERS = ("client", "counselor")
DECISION = {
    "technique": "decatastrophizing",
    "focus": "They will shout at me.",
    "hypothesis": "I can't do anything right.",
    "phase": "intervention",
    "reason": "The client foresees anger before every call.",
}
Encode = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class Call:
    """One request: whose, when, its tokens, and how many of them a real server had cached."""

    session: str
    role: str
    exchange: int
    tokens: Sequence[Any]
    cached: int = 0

    @property
    def count(self) -> int:
        return len(self.tokens)


@dataclass
class StandIn:
    """Answers every turn with words of a fixed length; asks a real server the same first, if there is one.

    The server's own words are thrown away: with them the sessions would differ from machine to machine.
    """

    exchanges: int
    encode: Encode
    server: Model | None = None
    calls: list[Call] = field(default_factory=list)

    name = STAND_IN

    async def answer(self, request: Request) -> Answer:
        tokens: Sequence[Any] = self.encode(rendered(request.messages))
        cached = 0
        if self.server is not None:
            plain = request.model_copy(update={"output": None, "params": {"max_tokens": 8, "temperature": 0}})
            usage = (await self.server.answer(plain)).usage
            tokens, cached = range(usage.prompt_tokens), usage.cached_tokens
        self.calls.append(Call(request.session, request.role, request.exchange, tokens, cached))
        return Answer(text=words_of(request, self.exchanges))


def words_of(request: Request, exchanges: int) -> str:
    """A plan or a verdict where one is asked for, else a turn of about forty tokens, never the same twice.

    Sessions of different lengths have different words, or a server would know the second run from the first.
    """
    if request.output is PlanDecision:
        return json.dumps(DECISION)
    if request.output is not None:
        return json.dumps({"side": "client"})
    start = f"In exchange {request.exchange} of {exchanges} the {request.role} says something of ordinary length, "
    return start + "about forty tokens long, with a little about work, sleep and the week as a whole, and then stops."


def rendered(messages: Iterable[ChatMessage]) -> str:
    """A prompt as the ChatML template writes it."""
    said = [f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages]
    return "".join([*said, "<|im_start|>assistant\n"])


def quarters(text: str) -> Sequence[bytes]:
    """Four bytes a token; close to what English costs, for machines without a tokenizer."""
    raw = text.encode()
    return [raw[at : at + 4] for at in range(0, len(raw), 4)]


def tokenizer(file: str | None) -> Encode:
    """The tokens of a `tokenizer.json`; four bytes each without one."""
    if file is None:
        return quarters
    from tokenizers import Tokenizer  # noqa: PLC0415 - only this option needs it

    loaded = Tokenizer.from_file(file)

    def encode(text: str) -> Sequence[int]:
        ids: list[int] = loaded.encode(text, add_special_tokens=False).ids
        return ids

    return encode


class PrefixCache:
    """Full blocks of tokens, each known by everything before it. Never evicts."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def take(self, tokens: Sequence[Any]) -> int:
        """Tokens of a prompt that were there already; the prompt's blocks are there from now on."""
        found, hit = 0, True
        for at, key in enumerate(self._keys(tokens)):
            # A server computes at least the last token, so a last block that is full is computed again.
            hit = hit and key in self._known and (at + 1) * BLOCK < len(tokens)
            found += BLOCK * hit
            self._known.add(key)
        return found

    def _keys(self, tokens: Sequence[Any]) -> Iterator[bytes]:
        before = b""
        for at in range(0, len(tokens) - BLOCK + 1, BLOCK):
            before = hashlib.blake2b(before + repr(tokens[at : at + BLOCK]).encode(), digest_size=16).digest()
            yield before


def play(options: argparse.Namespace, exchanges: int) -> list[Call]:
    """Play one session of exactly `exchanges` exchanges for every persona."""
    stand_in = StandIn(exchanges, tokenizer(options.tokenizer))
    models = Models(options.base_url, overrides={STAND_IN: stand_in})
    if options.base_url:
        stand_in.server = models.get(f"vllm/{options.model}")
    with tempfile.TemporaryDirectory() as folder:
        spec = RunSpec(
            personas=options.personas,
            limit=options.limit,
            model=STAND_IN,
            roles=("monitor",) if options.monitor else (),
            min_exchanges=exchanges,
            max_exchanges=exchanges,
            memory="none",
            out=Path(folder) / "run",
        )
        result = run_sync(spec, models=models)
    assert not result.failed, result.failed
    assert result.summary.exchanges == exchanges * len({call.session for call in stand_in.calls})
    return stand_in.calls


def computed_by(calls: Iterable[Call]) -> list[Call]:
    """The calls with what a cache shared by all of them would have had."""
    cache = PrefixCache()
    return [replace(call, cached=cache.take(call.tokens)) for call in calls]


def alone(calls: Sequence[Call]) -> list[Call]:
    """The calls with what a cache of each session's own would have had."""
    sessions: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        sessions[call.session].append(call)
    return [call for session in sessions.values() for call in computed_by(session)]


def reuse(calls: Collection[Call]) -> float:
    """Share of all prompt tokens that were in the cache."""
    return sum(call.cached for call in calls) / sum(call.count for call in calls)


def new_at(calls: Iterable[Call], exchanges: Collection[int], roles: Collection[str] = ()) -> float:
    """Prompt tokens computed anew per session and exchange, over some exchanges and roles (all by default)."""
    calls = [call for call in calls if call.exchange in exchanges and (not roles or call.role in roles)]
    sessions = len({call.session for call in calls})
    return sum(call.count - call.cached for call in calls) / (sessions * len(exchanges)) if sessions else 0.0


def row(name: str, exchanges: int, calls: Sequence[Call]) -> str:
    """One line of the table. Halves leave out two exchanges, by whose end every role has read its instruction."""
    sessions, half = len({call.session for call in calls}), exchanges // 2
    cells = [
        f"{len(calls) / (sessions * exchanges):.2f}",
        f"{sum(call.count for call in calls) / (sessions * exchanges):.0f}",
        f"{reuse(calls):.1%}",
        f"{new_at(calls, {5}, SPEAKERS):.0f}",
        f"{new_at(calls, {exchanges}, SPEAKERS):.0f}",
        f"{new_at(calls, range(3, half + 1)):.0f}",
        f"{new_at(calls, range(half + 1, exchanges + 1)):.0f}",
    ]
    return f"| {name} | {exchanges} | {' | '.join(cells)} |"


def counters(base_url: str) -> tuple[float, float]:
    """Prompt tokens that a vLLM server looked up in its prefix cache so far, and those it found."""
    place = urlsplit(base_url)
    with urlopen(f"{place.scheme}://{place.netloc}/metrics", timeout=10) as page:
        text = page.read().decode()
    names = ("queries", "hits")
    found = [re.findall(rf"^vllm:prefix_cache_{name}_total{{.*}} (\S+)$", text, re.MULTILINE) for name in names]
    queries, hits = (sum(map(float, values)) for values in found)
    return queries, hits


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("personas", nargs="?", default="builtin")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--exchanges", type=int, nargs="+", default=[20, 40])
    parser.add_argument("--monitor", action="store_true", help="a model watches the client as well")
    parser.add_argument("--tokenizer", help="tokenizer.json of the model; four bytes a token without it")
    parser.add_argument("--base-url", help="a vLLM server started with --enable-prompt-tokens-details")
    parser.add_argument("--model", help="what that server serves")
    options = parser.parse_args()
    print("| cache | exchanges | calls/ex | prompt tokens/ex | reused | ", end="")
    print(
        "speakers new at 5 | at the last | all new, first half | second half |\n|---|---|---|---|---|---|---|---|---|"
    )
    for exchanges in options.exchanges:
        before = counters(options.base_url) if options.base_url else (0, 0)
        calls = play(options, exchanges)
        if not options.base_url:
            print(row("alone", exchanges, alone(calls)))
            print(row("together", exchanges, computed_by(calls)))
            continue
        print(row(options.model, exchanges, calls))
        queries, hits = (after - then for after, then in zip(counters(options.base_url), before, strict=True))
        print(f"| its counters | {exchanges} | | {queries:.0f} in all | {hits / queries:.1%} | | | | |")


if __name__ == "__main__":
    main()
