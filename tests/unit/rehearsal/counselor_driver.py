"""A scripted client for the counselor's tests, and what the counselor is asked."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AnyMessage

from counselgraph.models.base import Request
from counselgraph.models.rehearsal.counselor import speak
from counselgraph.personas.persona import Intake
from counselgraph.protocols.plan import Plan, Trigger
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import AnyTechnique, Phase, approach_of
from counselgraph.safety.levels import Category, Finding, Level, Risk
from counselgraph.transcript import turn

INTAKE = Intake(name="Mira Lang", reason_for_counseling="I keep doubting myself at work.")
PROTOCOL = load_protocol()
TELLING = (
    "I've been lying awake because of work. I keep thinking that I will be found out.",
    "Yes, let's look at that.",
    "On Tuesday my boss asked me for the figures, and I couldn't answer.",
    'What went through my head was "They all see that I am faking it."',
    "I felt ashamed and I left the room.",
    "It would mean that I only got here by luck.",
    "Maybe 80 percent.",
    "I did mix up the figures that day.",
    "My colleague came to me for help twice this month.",
    "Some days go wrong, and I still do my job. It's more like 50 now.",
    "No, that covers it.",
    "On Thursday evening, if I'm not too tired.",
    "Thank you, I will.",
)


def plan_for(technique: AnyTechnique, *, steps: tuple[Step, ...] | None = None, made_at: int = 1) -> Plan:
    return Plan(
        technique=technique,
        focus="I will be found out",
        hypothesis='Underneath may be the belief "I am only worth something if I do well."',
        steps=steps or load_protocol(approach_of(technique)).steps_from(Phase.AGENDA, technique, close=True),
        made_at=made_at,
        revision=1,
        trigger=Trigger.START,
        reason="for the test",
    )


def request(messages: list[AnyMessage], exchange: int, *, seed: int = 7, language: str = "en", **view: Any) -> Request:
    known = {"intake": INTAKE, "messages": messages, "exchange": exchange, **view}
    return Request(role="counselor", messages=(), view=known, exchange=exchange, seed=seed, language=language)


def play(technique: AnyTechnique, lines: tuple[str, ...] = TELLING, *, seed: int = 7, **view: Any) -> list[str]:
    """The counselor's turns in a session in which the client says `lines`."""
    messages = [turn("counselor", speak(request([], 0, seed=seed)).text, exchange=0)]
    view = {"plan": plan_for(technique)} | view
    for exchange, line in enumerate(lines, 1):
        messages.append(turn("client", line, exchange=exchange))
        said = speak(request(messages, exchange, seed=seed * 1000 + exchange, **view)).text
        messages.append(turn("counselor", said, exchange=exchange))
    return [str(message.text) for message in messages if message.name == "counselor"]


def reply(line: str, *, seed: int = 7, **view: Any) -> str:
    """What the counselor answers to one client line."""
    messages = [turn("counselor", "Hello Mira, what brings you in?", exchange=0), turn("client", line, exchange=1)]
    return speak(request(messages, 1, seed=seed, **view)).text


def risk(level: Level, quote: str = "", *, denied: bool = False) -> Risk:
    found = (Finding(category=Category.SI_ACTIVE, level=level, quote=quote, source="test"),) if quote else ()
    return Risk(level=level, turn_level=level, findings=found, denied=denied)
