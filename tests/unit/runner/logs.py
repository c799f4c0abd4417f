"""Run folders for tests of what reads them back, written through the real `SessionLog` and with our own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from counselgraph.runner.log import NOTICE, REHEARSAL_NOTICE, SCHEMA_VERSION, Event, SessionLog

SECRET = "keeps the letters under the floor"
"""Planted in every private place of a session, and nowhere else."""

OPENING = "Good to see you. What brings you here today?"
FIRST = "I lie awake and go over every mistake I made at work."
USAGE = {"calls": 5, "prompt_tokens": 1200, "cached_tokens": 900, "completion_tokens": 140}
STEPS = ["agenda/agenda", "exploration/situation", "exploration/thought", "intervention/what_if", "closing/homework"]


def write_run(
    folder: Path, sessions: Mapping[str, Iterable[Event]], *, manifest: Mapping[str, Any] | None = None
) -> Path:
    """Write a run folder whose sessions hold the given events."""
    for name in ("sessions", "texts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    found = manifest or {"notice": NOTICE, "run": "run-1", "spec": {}, "versions": {"counselgraph": "9.8.7"}}
    (folder / "run.yaml").write_text(yaml.safe_dump(found), encoding="utf-8")
    for name, events in sessions.items():
        with SessionLog(folder / "sessions" / f"{name}.jsonl", folder / "texts") as log:
            for event in events:
                log.write(event)
    return folder


def header(name: str = "Ada Lindt", **more: Any) -> Event:
    """A header event."""
    return {
        "event": "header",
        "schema_version": SCHEMA_VERSION,
        "role": "run",
        "notice": f"{NOTICE} {REHEARSAL_NOTICE}",
        "run": "run-1",
        "persona": {"id": "ada-lindt", "name": name, "attitude": "neutral"},
        "source": {"format": "cactus", "file": "forms.json", "record": 7},
        "language": "en",
        "seed": 11,
        "replicate": 1,
        "models": {"default": "rehearsal"},
        "roles": [],
        "max_exchanges": 20,
        **more,
    }


def turn(role: str, text: str, exchange: int, kind: str = "turn") -> Event:
    """A turn event."""
    return {"event": "turn", "node": f"screen_{role}", "role": role, "text": text, "kind": kind, "exchange": exchange}


def plan(exchange: int = 1, revision: int = 1, technique: str = "decatastrophizing", **more: Any) -> Event:
    """A plan event."""
    return {
        "event": "plan",
        "node": "planner",
        "role": "planner",
        "exchange": exchange,
        "technique": technique,
        "focus": "One mistake at work means the end",
        "hypothesis": "I am only worth what I get right",
        "made_at": exchange,
        "revision": revision,
        "trigger": "start",
        "reason": "The worst case is never looked at closely.",
        "steps": STEPS,
        **more,
    }


def risk(exchange: int, level: int = 0, *, side: str = "client", reason: str = "", quote: str = "") -> Event:
    """A risk event; with a quote it has one finding."""
    finding = {"category": "HOPELESSNESS", "level": level, "subject": "self", "time": "now", "quote": quote}
    return {
        "event": "risk",
        "node": f"screen_{side}",
        "role": side,
        "exchange": exchange,
        "side": side,
        "level": level,
        "turn_level": level,
        "findings": [{**finding, "source": "rules/en:hopeless"}] if quote else [],
        "suspends_plan": level >= 3,
        "reason": reason,
    }


def memory(
    exchange: int, text: str, *, owner: str = "counselor", action: str = "remember", kind: str = "fact"
) -> Event:
    """A memory event of one record."""
    kept = {"id": "m1", "kind": kind, "text": text}
    return {"event": "memory", "role": owner, "node": action, "exchange": exchange, "action": action, "records": [kept]}


def note(exchange: int, text: str, role: str = "client") -> Event:
    """An event of a role's private channel."""
    return {"event": "note", "node": role, "role": role, "channel": "thought", "value": text, "exchange": exchange}


def call(role: str, exchange: int, system: str, turns: int = 0) -> Event:
    """A model call; `SessionLog` puts its instruction into the texts."""
    return {
        "event": "model_call",
        "role": role,
        "exchange": exchange,
        "call": 0,
        "model": "rehearsal",
        "seed": 5,
        "system": system,
        "turns": turns,
        "card": f"Turn card of {role} {exchange}",
        "output": None,
        "answer": "words",
        "usage": USAGE,
        "latency_ms": 1.5,
        "journaled": False,
    }


def end(stop: str = "completed", **more: Any) -> Event:
    """An end event."""
    return {
        "event": "end",
        "role": "run",
        "stop": stop,
        "by": "counselor",
        "reason": f"The plan was worked through; {SECRET}.",
        "turns": 5,
        "exchanges": 2,
        "plans": 1,
        "repairs": 0,
        "retries": 0,
        "journaled": 0,
        "highest_risk": 1,
        "technique": "decatastrophizing",
        "usage": USAGE,
        "usage_by": {"client rehearsal": USAGE, "counselor rehearsal": USAGE},
        "seconds": 1.25,
        **more,
    }


def session(name: str = "Ada Lindt", *, first: str = FIRST, finish: Event | None = None) -> list[Event]:
    """A short whole session with something of everything; `SECRET` lies in every private place."""
    return [
        header(name),
        memory(0, f"Last time: {SECRET}", owner="client", action="recall"),
        turn("counselor", OPENING, 0, "opening"),
        call("client", 1, f"You are the client. You {SECRET}.", 1),
        turn("client", first, 1),
        risk(1, 1, reason=f"A low sign; {SECRET}.", quote="every mistake"),
        note(1, f"I {SECRET}."),
        plan(1),
        call("counselor", 1, f"You are the counselor. Intake: {SECRET}.", 2),
        turn("counselor", "That sounds tiring. Shall we look at one of these nights?", 1),
        risk(1, 0, side="counselor"),
        turn("client", "All right. Tuesday was the worst.", 2),
        risk(2, 1, reason=f"Unchanged; {SECRET}."),
        turn("counselor", "Write Tuesday down before Friday, and bring it along.", 2),
        memory(2, f"Agreed: {SECRET}", kind="homework"),
        finish or end(),
    ]
