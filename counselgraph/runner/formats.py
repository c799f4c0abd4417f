"""Export formats: one session as one row, in the shape that the tools of a format read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from counselgraph.agents.prompts import dialogue_for
from counselgraph.models.base import ChatMessage
from counselgraph.runner.log import Event, SessionRecord
from counselgraph.runner.parquet import Parquet
from counselgraph.runner.public import public_model, without_paths
from counselgraph.runner.story import plan_steps, system_prompt, technique_label
from counselgraph.runner.writers import JsonList, Lines, RowWriter
from counselgraph.transcript import CLIENT, COUNSELOR, turn

Row = dict[str, Any]

SEATS = {
    COUNSELOR: "You are the counselor in a simulated counseling session.",
    CLIENT: "You are the client in a simulated counseling session.",
}
"""Whose turns may be the assistant's, and the system line that an export without private fields has for it."""

_ENVELOPE = frozenset({"event", "seq", "at", "session", "node"})
_PUBLIC_PLAN = ("technique", "steps", "trigger", "revision", "exchange")
_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


@dataclass(frozen=True, slots=True)
class Options:
    """What an export was asked for; see `export`."""

    private: bool
    seat: str


@dataclass(frozen=True, slots=True)
class Format:
    """One export format.

    Attributes:
        row: Makes a session's row.
        writer: What rows are written through, over an open binary file.
    """

    row: Callable[[SessionRecord, Options], Row]
    writer: Callable[[IO[bytes]], RowWriter] = Lines


def provenance(record: SessionRecord, manifest: Mapping[str, Any]) -> Row:
    """Where a row comes from; every row of every format has these columns.

    Models are named without folders and addresses. `prompt_hashes` has the system prompts of each role, by their names
    in `texts/`.
    """
    header, source = record.header, record.header["source"] or {}
    models = header["models"]
    return {
        "run": header["run"],
        "session": record.id,
        "source": {key: source.get(key) for key in ("format", "file", "record")},
        "persona": header["persona"]["id"],
        "models": {role: public_model(name) for role, name in models.items()},
        "prompt_hashes": prompt_hashes(record),
        "seed": header["seed"],
        "replicate": header["replicate"],
        "parent": None if "fork" not in header else {key: header["fork"][key] for key in ("run", "session", "at")},
        "counselgraph": manifest.get("versions", {}).get("counselgraph"),
        "schema_version": header["schema_version"],
        "stop": record.events[-1].get("stop"),
        "notice": header["notice"],
        "rehearsal": header.get("rehearsal", False) or "rehearsal" in models.values(),
    }


def prompt_hashes(record: SessionRecord) -> dict[str, list[str]]:
    """Role to the hashes of its system prompts, in the order in which they were used."""
    found: dict[str, dict[str, None]] = {}
    for call in record.of("model_call"):
        found.setdefault(call["role"], {})[call["system"]] = None
    return {role: list(hashes) for role, hashes in found.items()}


def cactus(record: SessionRecord, _options: Options) -> Row:
    """A session object as Cactus and its successors write it, with what a log knows of the two sides."""
    persona = record.header["persona"]
    return {
        "AI_client": {"name": persona["name"], "attitude": persona["attitude"]},
        "AI_counselor": {"CBT": {}, "Response": {}},
        "cbt_technique": technique_label(record.events[-1].get("technique")),
        "cbt_plan": "\n\n".join(_plan_text(plan) for plan in record.of("plan")),
        "dialogue": [{"role": said["role"], "message": said["text"]} for said in record.turns],
    }


def chatml(record: SessionRecord, options: Options) -> Row:
    """System, user and assistant messages; the assistant is the seat that is to be trained."""
    return {"messages": list(_messages(record, options))}


def sharegpt(record: SessionRecord, options: Options) -> Row:
    """The same messages under the names of ShareGPT."""
    messages = _messages(record, options)
    return {"conversations": [{"from": _SHAREGPT[each["role"]], "value": each["content"]} for each in messages]}


def jsonl(record: SessionRecord, options: Options) -> Row:
    """Everything a log says of a session, the private part only if asked for."""
    header, end = record.header, record.events[-1]
    public = {
        "id": record.id,
        "attitude": header["persona"]["attitude"],
        "language": header["language"],
        "technique": end["technique"],
        "exchanges": end["exchanges"],
        "risk": end["highest_risk"],
        "usage": end["usage"],
        "plans": [{key: plan[key] for key in _PUBLIC_PLAN} for plan in record.of("plan")],
        "turns": [{key: said[key] for key in ("role", "text", "exchange", "kind")} for said in record.turns],
    }
    return {**public, **_private(record)} if options.private else public


def training(record: SessionRecord, options: Options) -> Row:
    """The messages of `chatml`, and beside them what rows are picked by."""
    header, end = record.header, record.events[-1]
    return {
        "messages": list(_messages(record, options)),
        "seat": options.seat,
        "attitude": header["persona"]["attitude"],
        "language": header["language"],
        "technique": end["technique"],
        "risk": end["highest_risk"],
        "exchanges": end["exchanges"],
        "turns": end["turns"],
        "usage": end["usage"],
    }


def _messages(record: SessionRecord, options: Options) -> Iterator[ChatMessage]:
    yield {"role": "system", "content": _system(record, options)}
    said = [turn(each["role"], each["text"], exchange=each["exchange"]) for each in record.turns]
    last: ChatMessage | None = None
    for message in dialogue_for(options.seat, said):
        if last and last["role"] == message["role"]:  # a seat that spoke twice in a row
            last = {"role": last["role"], "content": f"{last['content']}\n\n{message['content']}"}
            continue
        if last:
            yield last
        last = message
    if last:
        yield last


def _system(record: SessionRecord, options: Options) -> str:
    own = (call for call in record.of("model_call") if call["role"] == options.seat)
    first = next(own, None) if options.private else None
    return SEATS[options.seat] if first is None else system_prompt(record, first)


def _private(record: SessionRecord) -> Row:
    prompts: dict[str, str] = {}
    for call in record.of("model_call"):
        if call["role"] not in prompts:
            prompts[call["role"]] = system_prompt(record, call)
    return {
        "reason": without_paths(record.events[-1]["reason"]),
        "notes": [_bare(event) for event in record.of("note")],
        "memories": [_bare(event) for event in record.of("memory")],
        "risks": [_risk(event) for event in record.of("risk")],
        "plans": [_bare(event) for event in record.of("plan")],
        "prompts": prompts,
    }


def _bare(event: Event) -> Row:
    return {key: value for key, value in event.items() if key not in _ENVELOPE}


def _risk(event: Event) -> Row:
    findings = [{**finding, "source": without_paths(finding["source"])} for finding in event["findings"]]
    return {**_bare(event), "findings": findings}


def _plan_text(plan: Event) -> str:
    return "\n".join(
        (
            f"Plan {plan['revision']}, from exchange {plan['made_at']} on: {technique_label(plan['technique'])}",
            f"Steps: {plan_steps(plan['steps'])}",
        )
    )


FORMATS = {
    "cactus": Format(cactus, JsonList),
    "chatml": Format(chatml),
    "jsonl": Format(jsonl),
    "parquet": Format(training, Parquet),
    "sharegpt": Format(sharegpt),
}
"""Name to format."""

SEATED = frozenset({"chatml", "parquet", "sharegpt"})
"""The formats in which one seat is the assistant."""
