"""A scripted counselor for the client's tests, and people to talk to."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import AnyMessage

from counselgraph.memory.record import MemoryRecord
from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.client import speak
from counselgraph.personas.persona import Persona
from counselgraph.transcript import CLIENT, COUNSELOR, turn

EXPLORING = (
    "Hi, good to meet you. What brings you here today?",
    "Thank you for telling me. Shall we make that the one thing to work on today?",
    "Could you take me to one recent moment when it was like that? Where were you, and what happened?",
    "What went through your mind right then?",
    "And what did you feel, and what did you do next?",
    "If that thought were true, what would it say about you?",
)
EVIDENCE = (
    "How much do you believe that thought, from 0 to 100?",
    "Which facts, not feelings, speak for it?",
    "And which facts don't quite fit, small ones too?",
    "It makes sense that this is hard. How much do you believe it now, from 0 to 100?",
)
PIE = (
    "How much of it, in percent, is your own doing?",
    "Who else and what else played a part?",
    "Could you give each of those a slice in percent, your own last, so that it adds up to 100?",
)
CLOSING = (
    "Let me sum up what we found. Did I miss anything?",
    "One small thing to do until next time: would you write down one such moment this week?",
    "Take good care of yourself, and see you next week.",
)


def ask(
    persona: Persona,
    messages: Sequence[AnyMessage],
    *,
    exchange: int,
    seed: int,
    memories: tuple[MemoryRecord, ...] = (),
    extra: dict[str, Any] | None = None,
) -> Answer:
    """The client's answer to the last message."""
    view = {"persona": persona, "messages": list(messages), "exchange": exchange, "client_memories": memories}
    return speak(Request(role="client", messages=(), view=view | (extra or {}), exchange=exchange, seed=seed))


def play(
    persona: Persona, lines: Iterable[str], *, seed: int = 0, memories: tuple[MemoryRecord, ...] = ()
) -> list[str]:
    """What the client says to a counselor who speaks these lines, whatever the answers."""
    return [answer.text for answer in answers(persona, lines, seed=seed, memories=memories)]


def answers(
    persona: Persona, lines: Iterable[str], *, seed: int = 0, memories: tuple[MemoryRecord, ...] = ()
) -> list[Answer]:
    """The same as whole answers, up to the one that ends the session."""
    messages: list[AnyMessage] = []
    given: list[Answer] = []
    for exchange, line in enumerate(lines, 1):
        messages.append(turn(COUNSELOR, line, exchange=exchange - 1))
        drawn = zlib.crc32(f"{seed}/{persona.id}/{exchange}".encode())
        given.append(ask(persona, messages, exchange=exchange, seed=drawn, memories=memories))
        messages.append(turn(CLIENT, given[-1].text, exchange=exchange))
        if given[-1].end:
            break
    return given


def person(**changes: Any) -> Persona:
    """A whole persona of the tests' own, with some fields changed."""
    fields: dict[str, Any] = {
        "id": "lena",
        "name": "Lena Brandt",
        "presenting_problem": {
            "statement": "I freeze whenever I have to speak in a meeting.",
            "onset": "It started last spring, when I was made team lead.",
            "cause": "I think it comes from one presentation that went badly.",
            "course": "By now I avoid team meetings or send somebody else.",
            "triggers": "It happens when my manager turns to me without warning.",
            "coping": "I write out every word beforehand.",
        },
        "conceptualization": {
            "situations": ["On Wednesday my manager asked for an update and my mind went blank."],
            "automatic_thoughts": ["They will see that I have no idea", "I'm going to shake again"],
            "emotions": ["shame", "fear"],
            "behaviours": ["I look down and let others speak."],
            "core_beliefs": ["I'm not up to this"],
        },
        "functioning": {"work": "My written work has not been affected.", "daily_life": "I lie awake before meetings."},
        "supports": ["My sister calls every Sunday."],
    }
    return Persona.model_validate(fields | changes)


def form(**changes: Any) -> Persona:
    """A persona as a bare intake form gives it: whole written sentences and no conceptualization."""
    fields: dict[str, Any] = {
        "id": "omar",
        "name": "Omar Haddad",
        "presenting_problem": {
            "statement": "I am struggling with the thought that I will never finish my thesis, leading to feelings of"
            " guilt.",
            "onset": "These feelings started six months ago.",
            "course": "The problem has progressed to a point where I avoid my supervisor.",
            "triggers": "I experience these thoughts whenever I open the document.",
            "coping": "I have attempted to work at night, but the thoughts persist.",
        },
        "reason_for_counseling": "I decided to seek counseling because I cannot concentrate on anything else.",
        "history": {"treatment": "Not specified", "medical": "None"},
        "functioning": {"work": "Not specified", "relationships": "N/A", "daily_life": "My sleep is disturbed."},
        "supports": ["I have a close friend, but I have not discussed this with them."],
    }
    return Persona.model_validate(fields | changes)


def bare(**changes: Any) -> Persona:
    """A persona of which nothing is known but one sentence."""
    fields: dict[str, Any] = {
        "id": "kim",
        "name": "Kim",
        "presenting_problem": {"statement": "I can't sleep any more."},
    }
    return Persona.model_validate(fields | changes)
