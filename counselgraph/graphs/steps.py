"""The nodes that are neither roles nor screens: recall, crisis, hand_over, remember and close."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from langgraph.runtime import Runtime

from counselgraph.agents.ask import Draft
from counselgraph.agents.prompts import PROMPTS, prompt_file
from counselgraph.agents.responder import RESOLVED
from counselgraph.agents.role import Role, Update
from counselgraph.graphs import routing
from counselgraph.graphs.context import Context
from counselgraph.graphs.node import Casting, Node, emitter, role_node
from counselgraph.graphs.notes import closing_notes, exchange_notes, kept_notes
from counselgraph.graphs.state import SessionState, typed_view
from counselgraph.memory.record import Kind, Moment
from counselgraph.memory.store import MemoryStore
from counselgraph.personas.load import load_personas
from counselgraph.personas.persona import Persona
from counselgraph.protocols.protocol import load_approaches
from counselgraph.safety.levels import Level, Risk
from counselgraph.safety.replies import crisis_turn, safe_reply
from counselgraph.safety.rewrite import guidance
from counselgraph.safety.rules import languages, load_book
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.said import Said
from counselgraph.transcript import CLIENT, COUNSELOR, said_by

State = Mapping[str, Any]


def read_data() -> None:
    """Read every data file the nodes use, so that none is read in an event loop. Blocking.

    What is made of English rules is made as well, since every session needs it; of others when a turn first does.
    """
    load_approaches()
    for language in languages():
        load_book(language)
    screen("")
    screen_reply("", risk=Risk(), before=[Said(CLIENT, "")])
    safe_reply(Risk(level=Level.PASSIVE), "US", ())
    guidance()
    crisis_turn(Risk(level=Level.INTENT), "US", 0, ())
    for name in PROMPTS:
        prompt_file(name)


def recall_node(memory: MemoryStore | None) -> Node:
    """A node that says who is here and what each of them remembers."""

    async def recall(state: State, *, runtime: Runtime[Context]) -> Update:
        context, given = runtime.context, typed_view(SessionState, state)
        persona: Persona = given["persona"] if given.get("persona") else await _built_in(context.persona)
        first = 0 if routing.first_speaker(given, context) == COUNSELOR else 1
        update: Update = {
            "persona": persona.for_client(),
            "exchange": given.get("exchange", first),
            "session_number": context.number or 1,
            "agenda": context.agenda,
            "since": context.since,
            "carried": context.carried,
        }
        if given.get("ending"):
            # Turns are kept by exchange: a session that goes on after its end must not overwrite its last one.
            update |= {"exchange": given["exchange"] + 1, "ending": None, "leaving": None}
        update["intake"] = given.get("intake") or persona.for_counselor()
        if memory is None:
            return update
        query, this = persona.presenting_problem.statement, context.memory_session
        before = await memory.asessions(context.client_id, unless=this)
        update["session_number"] = context.number or 1 + before
        at = None if context.number is None else Moment(context.number, context.day)
        for owner in (CLIENT, COUNSELOR) if before else ():
            recalled = await memory.abrief(owner=owner, client_id=context.client_id, query=query, unless=this, at=at)
            update[f"{owner}_memories"] = list(recalled)
        return update

    return recall


async def crisis(state: State, *, runtime: Runtime[Context]) -> Update:
    """Speak the crisis protocol in the counselor's seat; its words and contacts come from data, never from a model."""
    now, context = typed_view(SessionState, state), runtime.context
    turns, said = now.get("crisis_turns", 0), said_by(now["messages"], COUNSELOR)
    words = crisis_turn(now["risk"], context.locale, turns, said, context.language)
    return {"draft": Draft(role=COUNSELOR, text=words, kind="crisis"), "crisis_turns": turns + 1}


def hand_over_node(responder: Role, cast: Casting) -> Node:
    """A node in which whoever takes over a crisis speaks in the counselor's seat.

    A person, and nobody else, may judge the danger past: the standing risk then falls to R1, also from R5.
    """
    visit = role_node(responder, cast)

    async def hand_over(state: State, *, runtime: Runtime[Context]) -> Update:
        update = await visit(state, runtime=runtime)
        draft: Draft = update["draft"]
        command, _, words = draft.text.partition(" ")
        if command != RESOLVED or runtime.context.model_for(responder.name) != "human":
            return {**update, "draft": _in_seat(draft)}
        risk = Risk(level=Level.CONCERN, reason="A person has taken over and judged the danger past.")
        spoken = draft.model_copy(update={"text": words.strip()})
        resolved: Update = {"risk": risk, "crisis_turns": 0, "suspended": 0, "asked": True, "offered": True}
        return {**update, **resolved, "draft": _in_seat(spoken) if spoken.text or spoken.end else None}

    return hand_over


def _in_seat(draft: Draft) -> Draft:
    return draft.model_copy(update={"role": COUNSELOR, "kind": "hand_over"})


async def remember(state: State, *, runtime: Runtime[Context]) -> Update:
    """Keep what this exchange brought, and open the next one unless the session ends here."""
    now, context = typed_view(SessionState, state), runtime.context
    notes = exchange_notes(now, context)
    ending = routing.ending(now, context)
    return {"notes": notes, "ending": ending, "exchange": now["exchange"] + (ending is None)}


def close_node(memory: MemoryStore | None) -> Node:
    """A node that sums the session up for memory and writes its memories to the store, once."""

    async def close(state: State, *, runtime: Runtime[Context]) -> Update:
        now, context = typed_view(SessionState, state), runtime.context
        notes = [*closing_notes(now, context), *kept_notes(now, context, emitter(runtime))]
        if memory is not None:
            await memory.aremember([*now.get("notes", ()), *notes])
            if context.number is not None:
                await asyncio.to_thread(_settle, memory, now, context)
        return {"notes": notes}

    return close


def _settle(memory: MemoryStore, now: State, context: Context) -> None:
    """In a course: what was recalled holds longer, and a task that the last session set has now been asked about."""
    recalled = [*now.get("client_memories", ()), *now.get("counselor_memories", ())]
    # A portrait is never out of reach, and its id is by now that of the version this session has written.
    memory.strengthen([record for record in recalled if record.kind is not Kind.PORTRAIT], day=context.day)
    owed = [record for record in recalled if record.open and record.session_number < now["session_number"]]
    memory.close_loops(owed, session_number=now["session_number"])


async def _built_in(persona_id: str) -> Persona:
    found = await asyncio.to_thread(load_personas, f"builtin/{persona_id}")
    return found.personas[0]
