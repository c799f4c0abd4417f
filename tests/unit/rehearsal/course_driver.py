"""Whole courses on the rehearsal model, through the real course graph."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from counselgraph.graphs.context import Context
from counselgraph.graphs.course import build_course, course_start
from counselgraph.graphs.course_state import CourseEnding, Outcome
from counselgraph.memory.store import MemoryStore
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.load import load_personas
from counselgraph.personas.persona import Persona
from counselgraph.protocols.review import Review
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of

Turns = list[tuple[str, str]]


@dataclass
class Course:
    """A course that was played: its sessions as pairs of role and text, and what came after each."""

    sessions: list[Turns] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    interludes: list[Interlude] = field(default_factory=list)
    ending: CourseEnding | None = None

    def said(self, session: int, role: str) -> list[str]:
        """What a role said in a session, counted from 1."""
        return [text for speaker, text in self.sessions[session - 1] if speaker == role]

    def client(self, session: int) -> list[str]:
        """What the client said in a session, counted from 1."""
        return self.said(session, CLIENT)

    def counselor(self, session: int) -> list[str]:
        """What the counselor said in a session, counted from 1."""
        return self.said(session, COUNSELOR)


def built_in(name: str, **changes: object) -> Persona:
    """A persona of the library, with some fields changed."""
    persona = next(found for found in load_personas("builtin").personas if found.id == name)
    return persona.model_copy(update=changes)


def course_of(
    persona: Persona, *, folder: Path | None = None, seed: int = 1, sessions: int = 5, protocol: str = "cbt"
) -> Course:
    """Play a course; with a folder, the sessions remember each other."""
    return asyncio.run(_course_of(persona, folder, seed, sessions, protocol))


async def _course_of(persona: Persona, folder: Path | None, seed: int, sessions: int, protocol: str) -> Course:
    memory = await asyncio.to_thread(MemoryStore.open, folder) if folder else None
    graph = (await asyncio.to_thread(build_course, memory=memory)).compile()
    context = Context(
        session="course",
        persona=persona.id,
        seed=seed,
        sessions=sessions,
        protocol=protocol,
        language=persona.language,
    )
    found = Course()
    steps = graph.astream(
        course_start(persona), context=context, config={"recursion_limit": 10_000}, stream_mode="updates"
    )
    async for step in steps:
        for node, update in step.items():
            if node == "session":
                found.sessions.append([(role_of(turn), text_of(turn)) for turn in update["messages"]])
            for name in ("outcomes", "reviews", "interludes"):
                getattr(found, name).extend((update or {}).get(name, ()))
            found.ending = (update or {}).get("ending", found.ending)
    if memory is not None:
        await asyncio.to_thread(memory.close)
    return found
