"""The story of a session: its events as turns and side notes, the same for the terminal and for HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from counselgraph.errors import InputError
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName
from counselgraph.runner.log import SessionRecord
from counselgraph.safety.levels import Level, Side
from counselgraph.transcript import CLIENT, COUNSELOR

Fact = tuple[str, str]
"""A label, which may be empty, and what it stands for."""

STANDS_IN = {"crisis": "crisis protocol", "safe_reply": "replaced by the safety screen", "hand_over": "took over"}
"""Kind of a turn that no model wrote to what a reader is told about it."""

_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said.

    Attributes:
        exchange: Exchange it belongs to, 0 for the counselor's opening.
        kind: "turn", or what stands in for it.
        inherited: Whether it was said in the session that this one was forked from.
    """

    role: str
    text: str
    exchange: int
    kind: str
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Aside:
    """Something that happened beside the conversation.

    Attributes:
        kind: "plan", "risk", "memory", "note", "fork" or "trouble".
        title: What happened, in a few words.
        facts: The rest of it.
        level: Risk level, 0 for everything that is no risk.
    """

    kind: str
    title: str
    facts: tuple[Fact, ...] = ()
    level: int = 0


class Story:
    """Tells the events of one session as turns and side notes, one event after the other.

    Of a plan that follows another it tells what changed.
    """

    def __init__(self) -> None:
        self._exchange = 0
        self._level = 0
        self._said: list[str] = []
        self._plan: tuple[Fact, ...] = ()

    def take(self, event: Mapping[str, Any]) -> Iterator[Turn | Aside]:
        """What a reader is told of one event; nothing for events that only machines want."""
        match event["event"]:
            case "turn":
                yield self._turn(event)
            case "risk":
                yield from self._risk(event)
            case "memory":
                yield from self._memory(event)
            case "plan":
                yield self._revision(event)
            case kind if kind in _ASIDES:
                yield _ASIDES[kind](event)

    def _turn(self, event: Mapping[str, Any]) -> Turn:
        # Straight from a graph an event does not carry its exchange yet; a client's turn opens the next one.
        self._exchange = event.get("exchange", self._exchange + (event["role"] == CLIENT))
        self._said = [*self._said[-3:], event["text"]]
        return Turn(
            event["role"], event["text"], self._exchange, event.get("kind", "turn"), event.get("inherited", False)
        )

    def _risk(self, event: Mapping[str, Any]) -> Iterator[Aside]:
        level, of_client = event["level"], event["side"] == Side.CLIENT
        changed = of_client and level != self._level
        if of_client:
            self._level = level
        if changed or level > Level.NONE:
            title = f"Risk of the client: {level_name(level)}" if of_client else f"Counselor's draft: R{level}"
            yield Aside("risk", title, tuple(_risk_facts(event)), level)

    def _revision(self, event: Mapping[str, Any]) -> Aside:
        facts = _plan_facts(event)
        news = (
            ("made for", str(event["trigger"]).replace("_", " ")),
            *(fact for fact in facts if fact not in self._plan),
        )
        self._plan = facts
        return Aside("plan", f"Plan {event['revision']}: {technique_label(event['technique'])}", news)

    def _memory(self, event: Mapping[str, Any]) -> Iterator[Aside]:
        owner, verb = speaker(event["role"]), "recalls" if event["action"] == "recall" else "remembers"
        facts = tuple((record["kind"], self._without_echo(record["text"])) for record in event["records"])
        if facts:
            yield Aside("memory", f"{owner} {verb}", facts)

    def _without_echo(self, text: str) -> str:
        """The text of a memory; a memory that ends in a turn just told need not tell it again."""
        for said in reversed(self._said):
            if said and text.endswith(said):
                return f"{text.removesuffix(said)}(as said above)"
        return text


def clean(text: str) -> str:
    """Text that cannot steer a terminal or break a page: control characters but line ends and tabs become visible."""
    return text.translate(_CONTROLS)


def speaker(role: str) -> str:
    """Name of a role for a reader."""
    return role.replace("_", " ").capitalize()


def technique_label(technique: str | None) -> str:
    """A technique's name as the literature writes it; its id in words if the protocol does not have it."""
    for approach in ApproachName:
        for each, steps in load_protocol(approach).techniques.items():
            if each.value == technique:
                return steps.label
    return (technique or "none").replace("_", " ").capitalize()


def techniques(record: SessionRecord) -> list[str]:
    """Names of the techniques of all plans of a session, in the order in which they came into force."""
    return list(dict.fromkeys(technique_label(plan["technique"]) for plan in record.of("plan")))


def level_name(level: int) -> str:
    """A risk level with its name, such as "R2 passive"."""
    return f"R{level} {Level(level).name.lower()}" if level in set(Level) else f"R{level}"


def forked_from(link: Mapping[str, Any]) -> str:
    """Where a session came from, out of the `fork` of its header."""
    return f"Forked from {link['session']} at exchange {link['at']}"


def text_of_value(value: Any) -> str:
    """A value out of a log for a reader: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def stop_name(end: Mapping[str, Any] | None) -> str:
    """How a session ended, in words."""
    return "unfinished" if end is None else str(end["stop"]).replace("_", " ")


def cost(usage: Mapping[str, int], seconds: float) -> str:
    """What a session cost, in one line."""
    calls, said, asked, cached = (
        usage[key] for key in ("calls", "completion_tokens", "prompt_tokens", "cached_tokens")
    )
    return f"{calls:,} calls, {asked:,} prompt tokens ({cached:,} cached), {said:,} completion tokens, {seconds:.1f} s"


def models_line(models: Mapping[str, str]) -> str:
    """Who plays whom, such as "default rehearsal, client vllm/Qwen3-8B"."""
    return ", ".join(f"{role} {model}" for role, model in models.items())


def plan_steps(steps: Sequence[str]) -> str:
    """Steps named "phase/id" in words, phase by phase."""
    parts = [step.rpartition("/")[::2] for step in steps]
    phases = groupby(parts, key=lambda part: part[0])
    return "; ".join(
        f"{phase}: {', '.join(name.replace('_', ' ') for _, name in named)}".removeprefix(": ")
        for phase, named in phases
    )


def first_words(turns: Sequence[Mapping[str, Any]]) -> str:
    """The client's first turn, or the first turn at all if the client said nothing."""
    own = (turn["text"] for turn in turns if turn["role"] != COUNSELOR)
    return " ".join(next(own, turns[0]["text"] if turns else "").split())


def system_prompt(record: SessionRecord, call: Mapping[str, Any]) -> str:
    """The instruction and case card that a model was given.

    Raises:
        InputError: The run folder does not hold it.
    """
    file = record.file.parent.parent / "texts" / f"{call['system']}.txt"
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = "copy the folder `texts` of the run beside its folder `sessions`"
        raise InputError(f"cannot be read: {error}.", file=str(file), fix=fix) from error


def _risk_facts(event: Mapping[str, Any]) -> Iterator[Fact]:
    if event["turn_level"] != event["level"]:
        yield "this turn", f"R{event['turn_level']}"
    found = (" ".join([code, *(f"“{quote}”" for quote in own)]) for code, own in _quotes(event["findings"]).items())
    if words := "; ".join(found):
        yield "found", words
    if event.get("suspends_plan"):
        yield "effect", "the plan is suspended"
    if event.get("reason"):
        yield "why", event["reason"]


def _quotes(findings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Category to what it was found in; of two quotes of which one holds the other the longer is enough."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        found.setdefault(finding["category"], []).append(finding["quote"])
    return {
        category: [quote for quote in dict.fromkeys(quotes) if quote and not _inside(quote, quotes)]
        for category, quotes in found.items()
    }


def _inside(quote: str, others: Sequence[str]) -> bool:
    return any(quote in other and quote != other for other in others)


def _plan_facts(event: Mapping[str, Any]) -> tuple[Fact, ...]:
    facts = (
        ("focus", event["focus"]),
        ("hypothesis", event["hypothesis"]),
        ("steps", plan_steps(event["steps"])),
        ("why", event["reason"]),
    )
    return tuple((label, text) for label, text in facts if text)


def _note(event: Mapping[str, Any]) -> Aside:
    channel, value = str(event["channel"]).replace("_", " "), event["value"]
    told = (
        {"": value} if not isinstance(value, dict) else {key: each for key, each in value.items() if key != "exchange"}
    )
    facts = tuple(
        (name.replace("_", " "), text_of_value(each)) for name, each in told.items() if each not in ("", [], None)
    )
    return Aside("note", f"{speaker(event['role'])} notes: {channel}", facts)


def _fork(event: Mapping[str, Any]) -> Aside:
    link = event["fork"]
    changes = ((name, text_of_value(value)) for name, value in link["changes"].items())
    return Aside("fork", forked_from(link), (("run", link["run"]), *changes))


def _repair(event: Mapping[str, Any]) -> Aside:
    return Aside("trouble", f"{speaker(event['role'])} was asked again", (("", event["problem"]),))


def _retry(event: Mapping[str, Any]) -> Aside:
    return Aside(
        "trouble", f"Call of {event.get('role', 'a role')} was made again", (("", str(event.get("problem", ""))),)
    )


def _limit(event: Mapping[str, Any]) -> Aside:
    if event.get("limit") == "endpoint":
        return Aside("trouble", f"Server {event.get('address', '')} left out", (("", str(event.get("problem", ""))),))
    return Aside(
        "trouble", f"{speaker(event.get('role', 'model'))} was cut short", (("limit", str(event.get("limit"))),)
    )


def _error(event: Mapping[str, Any]) -> Aside:
    return Aside("trouble", f"Error: {event.get('type', event.get('role', 'unknown'))}", (("", event["message"]),))


def _discard(event: Mapping[str, Any]) -> Aside:
    return Aside("trouble", f"{speaker(event['role'])}'s answer was thrown away", (("why", event["reason"]),))


def _reject(event: Mapping[str, Any]) -> Aside:
    found = ", ".join(dict.fromkeys(finding["category"] for finding in event["findings"]))
    then = "written anew" if event["then"] == "rewrite" else "replaced"
    facts = (("draft", event["text"]), ("found", found))
    return Aside("trouble", f"{speaker(event['role'])}'s draft was not fit to be said: {then}", facts, event["level"])


_ASIDES: dict[str, Callable[[Mapping[str, Any]], Aside]] = {
    "note": _note,
    "fork": _fork,
    "repair": _repair,
    "retry": _retry,
    "limit": _limit,
    "error": _error,
    "discard": _discard,
    "reject": _reject,
}
