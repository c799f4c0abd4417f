"""The session graph: its nodes and edges, and nothing else."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime

from counselgraph.agents.listener import listener
from counselgraph.agents.role import Role
from counselgraph.graphs import routing, steps
from counselgraph.graphs.context import Context
from counselgraph.graphs.node import Casting, node_input, role_node
from counselgraph.graphs.seats import Seats, play, seats_for
from counselgraph.graphs.state import SessionState, typed_view
from counselgraph.memory.store import MemoryStore

_WAYS: dict[Hashable, str] = {"crisis": "crisis", "leave": "remember"}


def build_session(
    *, roles: Iterable[str | Role] = (), cast: Casting | None = None, memory: MemoryStore | None = None
) -> StateGraph[SessionState, Context]:
    """Build the session graph, uncompiled: `build_session().compile(checkpointer=...)`.

    Args:
        roles: Roles to add, or to put in the place of a default of the same name: `Role`s, names of offered roles
            or import paths ("package.module:name").
        cast: Gives every role its model; by default names are looked up in `context.models`.
        memory: Store to recall from and write to; None for sessions without memory.

    Raises:
        ConfigError: A role is unknown, doubled, or follows a role that no one plays.
    """
    return _built(seats_for(roles), cast or play(), memory, then="client")


def build_chat(
    *, roles: Iterable[str | Role] = (), cast: Casting | None = None, memory: MemoryStore | None = None
) -> StateGraph[SessionState, Context]:
    """The same graph for chat windows: each run takes one message as the client's turn and ends with the reply.

    Arguments and errors as for `build_session`. Compile it with a checkpointer: the thread is the session.
    """
    return _built(seats_for((listener, *roles)), cast or play(), memory, then=END)


def _built(seats: Seats, cast: Casting, memory: MemoryStore | None, *, then: str) -> StateGraph[SessionState, Context]:
    """The graph of these seats; `then` is where an exchange leads that does not end the session."""
    graph: StateGraph[SessionState, Context] = StateGraph(SessionState, context_schema=Context)
    _add_nodes(graph, seats, cast, memory)
    _add_client_side(graph, seats)
    _add_counselor_side(graph, seats, then=then)
    return graph


def _add_nodes(
    graph: StateGraph[SessionState, Context], seats: Seats, cast: Casting, memory: MemoryStore | None
) -> None:
    graph.add_node("recall", steps.recall_node(memory))
    steps.read_data()
    for role in seats.all:
        graph.add_node(role.name, role_node(role, cast), input_schema=node_input(role))
        if role.speaks:
            graph.add_node(f"screen_{role.name}", steps.screen_node(role))
    graph.add_node("crisis", steps.crisis)
    graph.add_node("remember", steps.remember)
    graph.add_node("close", steps.close_node(memory))


def _add_client_side(graph: StateGraph[SessionState, Context], seats: Seats) -> None:
    """Recall -> client -> its screen and whoever follows -> crisis, planner or counselor."""
    graph.add_edge(START, "recall")
    graph.add_conditional_edges("recall", _opening_speaker, ["client", "counselor"])
    chain = seats.chain("client")
    for stop, following in zip(chain, [*chain[1:], None], strict=True):
        if following is None:
            onward: dict[Hashable, str] = {name: name for name in ("crisis", "remember", "planner")}
            onward["counselor"] = seats.after_planner
            graph.add_conditional_edges(stop.exit, _after_client_side, onward)
        else:
            graph.add_conditional_edges(stop.exit, _after_client_turn, {**_WAYS, "go_on": following.name})
    for stop in chain:
        if stop.speaks:
            graph.add_edge(stop.name, stop.exit)


def _add_counselor_side(graph: StateGraph[SessionState, Context], seats: Seats, *, then: str) -> None:
    """Planner -> counselor -> its screen and whoever follows -> remember -> the next exchange or close."""
    line = [stop for name in ("planner", "counselor") for stop in seats.chain(name)]
    for stop, following in zip(line, [*(stop.name for stop in line[1:]), "remember"], strict=True):
        if stop.speaks:
            graph.add_edge(stop.name, stop.exit)
        graph.add_edge(stop.exit, following)
    graph.add_edge("crisis", "screen_counselor")
    graph.add_conditional_edges("remember", _after_exchange, {"client": then, "close": "close"})
    graph.add_edge("close", END)


# Edges are async: LangGraph would run a sync one in a thread of its own.
async def _opening_speaker(state: SessionState) -> str:
    return "client" if state["exchange"] else "counselor"


async def _after_client_turn(state: SessionState) -> str:
    return routing.after_client_turn(typed_view(SessionState, state))


async def _after_client_side(state: SessionState) -> str:
    now = typed_view(SessionState, state)
    way = routing.after_client_turn(now)
    if way != "go_on":
        return _WAYS[way]
    context = _run_context()
    return "planner" if context is None else routing.planner_or_counselor(now, context)


async def _after_exchange(state: SessionState) -> str:
    return routing.after_exchange(state)


def _run_context() -> Context | None:
    """None when no run is going on: an edited state is routed anew, and the planner then sees whether it is due."""
    return getattr(get_runtime(Context), "context", None)
