"""The session graph: its nodes and edges, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AnyMessage
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime
from typing_extensions import TypedDict

from counselgraph.agents.ask import Draft
from counselgraph.agents.keeper import KEEPER
from counselgraph.agents.listener import listener
from counselgraph.agents.responder import RESPONDER
from counselgraph.agents.role import Role
from counselgraph.graphs import routing, screens, steps
from counselgraph.graphs.context import Context
from counselgraph.graphs.edge import Edge, Route
from counselgraph.graphs.node import Casting, node_input, role_node
from counselgraph.graphs.seats import Seats, Stop, play, seats_for
from counselgraph.graphs.state import Ending, SessionState, typed_view
from counselgraph.memory.store import MemoryStore
from counselgraph.protocols.plan import Plan
from counselgraph.safety.levels import Rework, Risk
from counselgraph.transcript import CLIENT, COUNSELOR

Graph = StateGraph[SessionState, Context]


class Way(TypedDict, total=False):
    """What decides where the client's side leads. Few channels, since LangGraph reads a state anew for every edge."""

    risk: Risk
    suspended: int
    crisis_turns: int
    leaving: Draft | None
    draft: Draft | None
    pending: Draft | None


class Reworked(TypedDict, total=False):
    """What decides whether the counselor's turn is done."""

    rework: Rework | None


class Opening(TypedDict, total=False):
    """What decides who opens the next exchange, if there is one."""

    messages: list[AnyMessage]
    exchange: int
    plan: Plan | None
    risk: Risk
    draft: Draft | None
    pending: Draft | None
    ending: Ending | None


_OPENS = [CLIENT, "planner"]
_SETTLE = {CLIENT: screens.settle_client, COUNSELOR: screens.settle_counselor}


def build_session(
    *, roles: Iterable[str | Role] = (), cast: Casting | None = None, memory: MemoryStore | None = None
) -> Graph:
    """Build the session graph, uncompiled: `build_session().compile(checkpointer=...)`.

    Args:
        roles: Roles to add, or to put in the place of a default of the same name: `Role`s, names of offered roles
            or import paths ("package.module:name").
        cast: Gives every role its model; by default names are looked up in `context.models`.
        memory: Store to recall from and write to; None for sessions without memory.

    Raises:
        ConfigError: A role is unknown, doubled, or follows a role that no one plays.
    """
    return _built(seats_for(roles), cast or play(), memory, then=CLIENT)


def build_chat(
    *, roles: Iterable[str | Role] = (), cast: Casting | None = None, memory: MemoryStore | None = None
) -> Graph:
    """The same graph for chat windows: each run takes one message as the client's turn and ends with the reply.

    Arguments and errors as for `build_session`. Compile it with a checkpointer: the thread is the session.
    """
    return _built(seats_for((listener, *roles)), cast or play(), memory, then=END)


def _built(seats: Seats, cast: Casting, memory: MemoryStore | None, *, then: str) -> Graph:
    """The graph of these seats; `then` is where an exchange leads that does not end the session."""
    graph: Graph = StateGraph(SessionState, context_schema=Context)
    _add_nodes(graph, seats, cast, memory)
    graph.add_edge(START, "recall")
    graph.add_conditional_edges("recall", Edge(_opening), [*_OPENS, COUNSELOR])
    _add_client_side(graph, seats)
    _add_counselor_side(graph, seats, then=then)
    _add_exchange(graph, seats, then=then)
    graph.add_edge("close", END)
    return graph


def _add_nodes(graph: Graph, seats: Seats, cast: Casting, memory: MemoryStore | None) -> None:
    graph.add_node("recall", steps.recall_node(memory))
    steps.read_data()
    for role in seats.in_rounds:
        graph.add_node(role.name, role_node(role, cast), input_schema=node_input(role))
        if role.speaks:
            judged = bool(seats.guards(role.name))
            graph.add_node(f"screen_{role.name}", screens.screen_node(role, judged=judged))
    for anchor, settle in _SETTLE.items():
        if seats.guards(anchor):
            graph.add_node(f"settle_{anchor}", settle)
    graph.add_node("crisis", steps.crisis)
    if responder := seats.aside.get(RESPONDER):
        graph.add_node("hand_over", steps.hand_over_node(responder, cast), input_schema=node_input(responder))
    if keeper := seats.aside.get(KEEPER):
        graph.add_node(KEEPER, role_node(keeper, cast), input_schema=node_input(keeper))
        graph.add_edge(KEEPER, "close")
    graph.add_node("remember", steps.remember)
    graph.add_node("close", steps.close_node(memory))


def _add_client_side(graph: Graph, seats: Seats) -> None:
    """The client's screens -> whoever follows it -> crisis, remember, or the counselor's side."""
    line, onward = seats.client_side, seats.counselor_side[0].name
    for stop, following in zip(line, [*(stop.name for stop in line[1:]), onward], strict=True):
        ahead = [COUNSELOR] if following == COUNSELOR and seats.guards(stop.name) else []
        targets = ["crisis", "remember", following, *(f"screen_{name}" for name in ahead)]
        targets += ["hand_over"] if RESPONDER in seats.aside else []
        _add_screens(graph, seats, stop, _after_client_turn(following, seats), targets, ahead)
        if stop.speaks and stop.name != CLIENT:
            graph.add_edge(stop.name, stop.exit)


def _add_counselor_side(graph: Graph, seats: Seats, *, then: str) -> None:
    """Whoever follows the planner -> counselor -> its screens -> whoever follows it -> remember."""
    line = seats.counselor_side
    for stop, following in zip(line, [*(stop.name for stop in line[1:]), "remember"], strict=True):
        ahead = _OPENS if stop.name == COUNSELOR and _answered_ahead(seats, then) else []
        if stop.name == COUNSELOR:
            _add_screens(graph, seats, stop, _after_counselor_turn(following), [following, COUNSELOR], ahead)
        else:
            _add_screens(graph, seats, stop, _always(following), [following], ahead)
        if stop.speaks and stop.name == COUNSELOR and seats.guards(CLIENT):
            graph.add_conditional_edges(COUNSELOR, Edge(_after_draft(COUNSELOR)), ["settle_client", stop.exit])
        elif stop.speaks:
            graph.add_edge(stop.name, stop.exit)
    graph.add_edge("crisis", f"screen_{COUNSELOR}")
    if RESPONDER in seats.aside:
        graph.add_conditional_edges("hand_over", Edge(_after_hand_over), [COUNSELOR, f"screen_{COUNSELOR}"])


def _add_exchange(graph: Graph, seats: Seats, *, then: str) -> None:
    """Remember -> close, or the next exchange: the client and, beside it, the planner -> the client's screen."""
    ahead, drafted = _answered_ahead(seats, then), f"screen_{CLIENT}"
    last = KEEPER if KEEPER in seats.aside else "close"
    targets = [last, END] if then == END else [last, *_OPENS, *([drafted] if ahead else [])]
    graph.add_conditional_edges("remember", Edge(_after_exchange(then, last)), targets)
    for name in _OPENS:
        if ahead:
            graph.add_conditional_edges(name, Edge(_after_draft(CLIENT)), ["settle_counselor", drafted])
        else:
            graph.add_edge(name, drafted)


def _add_screens(graph: Graph, seats: Seats, stop: Stop, onward: Route, targets: list[str], ahead: list[str]) -> None:
    """From a place `onward` to one of `targets`, by way of its model screens, if it has any, and their settlement.

    While the models judge, those `ahead` may already act.
    """
    guards = seats.guards(stop.name)
    if not guards and len(targets) == 1:
        graph.add_edge(stop.exit, targets[0])
        return
    if guards:
        judged = Edge(_judged_by(guards, onward, bool(ahead)))
        graph.add_conditional_edges(stop.exit, judged, [*guards, *ahead, *targets])
        for guard in guards:
            graph.add_edge(guard, f"settle_{stop.name}")
    graph.add_conditional_edges(f"settle_{stop.name}" if guards else stop.exit, Edge(onward), targets)


def _answered_ahead(seats: Seats, then: str) -> bool:
    """Whether the client may answer a counselor's turn that is still being judged: if nothing else comes first."""
    return bool(seats.guards(COUNSELOR)) and seats.counselor_side[-1].name == COUNSELOR and then != END


def _opening(state: Opening) -> list[str]:
    return _opens(typed_view(SessionState, state)) if state["exchange"] else [COUNSELOR]


def _after_exchange(then: str, last: str) -> Route:
    def route(state: Opening) -> list[str]:
        if state.get("ending"):
            return [last]
        if then == END:
            return [END]
        return [f"screen_{CLIENT}"] if state.get("draft") else _opens(typed_view(SessionState, state))

    return route


def _after_draft(speaker: str) -> Route:
    """A draft made ahead waits until the turn it answers is settled."""
    other = CLIENT if speaker == COUNSELOR else COUNSELOR

    def route(state: Way) -> list[str]:
        return [f"settle_{other}" if state.get("pending") else f"screen_{speaker}"]

    return route


def _after_client_turn(following: str, seats: Seats) -> Route:
    taken = "hand_over" if RESPONDER in seats.aside else "crisis"
    ways = {"crisis": "crisis", "taken": taken, "leave": "remember", "go_on": following}

    def route(state: Way) -> list[str]:
        now = typed_view(SessionState, state)
        way = ways[routing.after_client_turn(now)]
        return [f"screen_{way}"] if way == COUNSELOR and now.get("draft") else [way]

    return route


def _after_counselor_turn(following: str) -> Route:
    """A draft that must not be said goes back to its writer."""

    def route(state: Reworked) -> list[str]:
        return [COUNSELOR if state.get("rework") else following]

    return route


def _after_hand_over(state: Way) -> list[str]:
    """Whoever judges the danger past without a word leaves the turn to the counselor."""
    return [f"screen_{COUNSELOR}" if state.get("draft") else COUNSELOR]


def _always(following: str) -> Route:
    def route(_state: SessionState) -> list[str]:
        return [following]

    return route


def _judged_by(guards: list[str], onward: Route, ahead: bool) -> Route:
    def route(state: SessionState) -> list[str]:
        if not state.get("pending"):
            return onward(state)
        context = _run_context() if ahead else None
        beside = routing.beside_screens(typed_view(SessionState, state), context) if context else []
        return [*guards, *beside]

    return route


def _opens(now: Mapping[str, Any]) -> list[str]:
    context = _run_context()
    return _OPENS if context is None else routing.opens_exchange(now, context)


def _run_context() -> Context | None:
    """None when no run is going on: an edited state is routed anew, and the planner then sees whether it is due."""
    return getattr(get_runtime(Context), "context", None)
