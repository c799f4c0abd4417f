"""The course graph: intake -> (session -> review -> between) x N -> closing. A session is the session graph itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol
from typing import cast as cast_to

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime, get_runtime

from counselgraph.agents.ask import Ask
from counselgraph.agents.life import life
from counselgraph.agents.review import review
from counselgraph.agents.role import Role, Update, channels
from counselgraph.graphs import course_routing as routing
from counselgraph.graphs.context import Context
from counselgraph.graphs.course_state import CourseState, Outcome, Played, played_from
from counselgraph.graphs.edge import Edge
from counselgraph.graphs.node import Casting, Node, emitter
from counselgraph.graphs.seats import play as by_name
from counselgraph.graphs.session import build_session
from counselgraph.graphs.state import SessionState, typed_view
from counselgraph.memory.store import MemoryStore
from counselgraph.personas.persona import Persona
from counselgraph.protocols.technique import ApproachName
from counselgraph.transcript import CLIENT, COUNSELOR

CourseGraph = StateGraph[CourseState, Context]
State = Mapping[str, Any]

_SHARED = frozenset(channels(SessionState))

COURSE_ROLES = {role.name: role for role in (review, life)}
"""Roles that act between sessions."""


class PlaySession(Protocol):
    """Plays one session of a course."""

    async def __call__(self, context: Context, given: SessionState, /) -> Played:
        """Play the session of this context from this start to its end."""
        ...


def build_course(
    *, roles: Any = (), cast: Casting | None = None, memory: MemoryStore | None = None, play: PlaySession | None = None
) -> CourseGraph:
    """Build the course graph, uncompiled. Its context says how many sessions (`sessions`).

    Args:
        roles: Roles to add to every session, as for `build_session`.
        cast: Gives every role its model; by default names are looked up in `context.models`.
        memory: Store that the sessions recall from and write to. Without one every session starts from nothing but
            the course's own channels.
        play: Plays a session; by default the session graph built from the same arguments.

    Raises:
        ConfigError: A role cannot be seated.
    """
    cast = cast or by_name()
    graph: CourseGraph = StateGraph(CourseState, context_schema=Context)
    graph.add_node("intake", intake)
    graph.add_node("session", _session_node(play or _subgraph(roles, cast, memory)))
    graph.add_node("review", _role_node(review, cast))
    graph.add_node("between", _role_node(life, cast))
    graph.add_node("closing", closing)
    graph.add_edge(START, "intake")
    graph.add_edge("intake", "session")
    graph.add_conditional_edges("session", Edge(_after_session), ["review", "closing"])
    graph.add_conditional_edges("review", Edge(_after_review), ["between", "closing"])
    graph.add_conditional_edges("between", Edge(_after_between), ["session", "closing"])
    graph.add_edge("closing", END)
    return graph


def course_start(persona: Persona) -> CourseState:
    """What a course is started with."""
    return {"persona": persona.for_client(), "intake": persona.for_counselor()}


async def intake(state: CourseState, *, runtime: Runtime[Context]) -> Update:
    """Open the course: the first session, on day 0, with the approach and the agenda given, if any are."""
    approach = state.get("approach") or runtime.context.protocol
    return {"number": 1, "day": 0, "approach": ApproachName(approach), "agenda": state.get("agenda", "")}


async def closing(state: CourseState, *, runtime: Runtime[Context]) -> Update:
    """Say how the course ended."""
    return {"ending": routing.ending(typed_view(CourseState, state), runtime.context)}


def session_context(state: State, context: Context) -> Context:
    """The context of the session that a course stands before."""
    number, since = state["number"], state.get("interludes", [])
    return context.model_copy(
        update={
            "session": f"{context.session}-s{number:02d}",
            "number": number,
            "day": state["day"],
            "protocol": str(state["approach"]),
            "agenda": state["agenda"],
            "since": since[-1] if since else None,
            "carried": state.get("client_state", {}),
        }
    )


def _session_node(play: PlaySession) -> Node:
    async def session(state: State, *, runtime: Runtime[Context]) -> Update:
        now = typed_view(CourseState, state)
        context = session_context(now, runtime.context)
        played = await play(context, {"persona": now["persona"], "intake": now["intake"]})
        return {
            "messages": played.messages,
            "risk": played.risk,
            "task": played.task,
            "client_state": played.kept,
            "client_memories": [note for note in played.notes if note.owner == CLIENT],
            "counselor_memories": [note for note in played.notes if note.owner == COUNSELOR],
            "outcomes": [_outcome(now, context, played)],
        }

    return session


def _outcome(now: State, context: Context, played: Played) -> Outcome:
    return Outcome(
        number=now["number"],
        session=context.session,
        day=now["day"],
        approach=now["approach"],
        technique=played.technique,
        exchanges=played.exchange,
        stop=played.ending.stop,
        reason=played.ending.reason,
        risk=int(played.risk.level),
    )


def _role_node(role: Role, cast: Casting) -> Node:
    """A node that lets a role of the course act on its View; its calls are told apart by the number of the session."""
    readable = set(channels(role.view))

    async def node(state: State, *, runtime: Runtime[Context]) -> Update:
        context, now = runtime.context, typed_view(CourseState, state)
        view = {key: value for key, value in now.items() if key in readable}
        ask = Ask(
            role=role.name,
            model=await cast(role.name, context),
            scene=context.scene(now["number"]),
            view=view,
            params=context.params,
            emit=emitter(runtime),
        )
        update = await role.act(view, ask)
        return {**update, **routing.next_session(now, update), "usage": ask.usage}

    node.__name__ = role.name
    return node


def _subgraph(roles: Any, cast: Casting, memory: MemoryStore | None) -> PlaySession:
    graph = build_session(roles=roles, cast=cast, memory=memory).compile()

    async def play(context: Context, given: SessionState) -> Played:
        final, kept = dict[str, Any](), dict[str, Any]()
        # A session's output leaves out private channels: what the client keeps to itself is heard as it writes it.
        stream = graph.astream(given, context=context, stream_mode=["updates", "values"])
        async for mode, said in cast_to("AsyncIterator[tuple[str, dict[str, Any]]]", stream):
            if mode == "values":
                final = said
            else:
                kept |= {key: value for key, value in (said.get(CLIENT) or {}).items() if key not in _SHARED}
        return played_from(final, kept)

    return play


def _after_session(state: CourseState) -> list[str]:
    return ["closing" if routing.stopped(state) else "review"]


def _after_review(state: CourseState) -> list[str]:
    return ["closing" if routing.ending(state, get_runtime(Context).context) else "between"]


def _after_between(state: CourseState) -> list[str]:
    return ["closing" if state["interludes"][-1].leaves else "session"]
