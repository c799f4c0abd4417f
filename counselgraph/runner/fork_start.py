"""The start of a forked session: its parent played again to the fork from recorded answers, then let go of."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from counselgraph.agents.ask import Draft, seed_for
from counselgraph.errors import InputError, ModelError
from counselgraph.graphs import routing
from counselgraph.graphs.context import Context
from counselgraph.graphs.session import build_session
from counselgraph.graphs.state import SessionState, opening_state
from counselgraph.memory.record import MemoryRecord
from counselgraph.memory.record import Moment as Now
from counselgraph.memory.store import MemoryStore
from counselgraph.models.base import Answer, Model, Request
from counselgraph.personas.persona import Persona
from counselgraph.runner.events import events_of
from counselgraph.runner.fork_file import Fork, Line, Origin
from counselgraph.runner.job import HUMAN, Job, context_for
from counselgraph.runner.log import Event
from counselgraph.runner.recorder import Recorder
from counselgraph.runner.spec import RunSpec
from counselgraph.transcript import CLIENT, COUNSELOR

Graph = CompiledStateGraph[Any, Context, Any, Any]
State = Mapping[str, Any]

REMEMBER = "remember"


@dataclass(frozen=True, slots=True)
class Moment:
    """A session in the middle.

    Attributes:
        state: Every channel, those of plugged-in roles included.
        after: The node that acted last.
        events: What a log says of the session so far, but for the calls it cost.
    """

    state: State
    after: str
    events: tuple[Event, ...]


def forked_jobs(fork: Fork, persona: Persona, spec: RunSpec, run_id: str) -> Iterator[Job]:
    """One job for each session that goes on from a fork; the first has the seed of the spec itself."""
    parent = fork.origin.context
    for number in range(1, spec.replicates + 1):
        session = f"{fork.session}-at{fork.at}" + (f"-{number}" if spec.replicates > 1 else "")
        seed = spec.seed if number == 1 else seed_for(spec.seed, "fork", number)
        context = context_for(spec, persona.id, session, run_id, parent.language, parent.replicate)
        # A session of a course goes on as the session it is; the course itself does not follow.
        place: dict[str, Any] = {
            "number": parent.number,
            "day": parent.day,
            "agenda": parent.agenda,
            "since": parent.since,
            "carried": parent.carried,
        }
        yield Job(persona, context.model_copy(update={**place, "protocol": parent.protocol, "seed": seed}), fork)


async def begin(job: Job, graph: Graph, recorder: Recorder) -> tuple[Graph, SessionState | None]:
    """The graph to play a job on, and what to start it with.

    A forked session is brought to its fork first, and what it takes over from its parent is recorded.

    Raises:
        InputError: The parent cannot be played again; see `moment_of`.
    """
    fork = job.fork
    if fork is None:
        return graph, job.start
    moment = await moment_of(fork)
    state = _taken_over(moment, fork, job.context)
    recorder.inherit(_told(fork, moment), state["exchange"])
    recorder.ending = state.get("ending")
    return await _placed(graph, state, moment.after, job.context), None


def _told(fork: Fork, moment: Moment) -> Iterator[Event]:
    yield {"event": "fork", "role": "run", "exchange": fork.at, "fork": fork.link()}
    for event in moment.events:
        yield {**event, "inherited": True}


async def moment_of(fork: Fork) -> Moment:
    """Play the parent again up to the fork. No model is called.

    Raises:
        InputError: An answer is missing, or the parent comes out otherwise than its log says.
    """
    origin, events = fork.origin, list[Event]()
    context = _unhurried(origin.context)
    graph: Graph = build_session(
        roles=origin.roles, cast=_Recorded(origin), memory=_Recalled(origin.recalled)
    ).compile()
    given: SessionState | None = opening_state(origin.persona)
    if origin.fork is not None:
        before = await moment_of(origin.fork)
        events += before.events
        graph = await _placed(graph, _taken_over(before, origin.fork, context), before.after, context)
        given = None
    config: RunnableConfig = {"configurable": {"thread_id": context.session}}
    stream = graph.astream(given, config, context=context, stream_mode=["updates", "values"])
    async with aclosing(cast("AsyncGenerator[tuple[str, Any]]", stream)) as steps:
        found = await _reached(steps, fork, events)
    if found is None or _transcript(found.events) != [(said.role, said.exchange, said.text) for said in fork.turns]:
        raise InputError(
            f"Played again from its journal, session {fork.session} comes out otherwise than its log says.",
            fix="fork it with the version of counselgraph, and the roles, that played it; `run.yaml` names them",
        )
    return found


async def _reached(stream: AsyncGenerator[tuple[str, Any]], fork: Fork, events: list[Event]) -> Moment | None:
    state: State = {}
    remembered = False
    async for mode, payload in stream:
        if mode == "values":
            state = payload
            if fork.line is None and remembered:
                return Moment(state, REMEMBER, tuple(events))
            if fork.line is not None and _has_drafted(state, fork.line, fork.at):
                return Moment(state, fork.line.role, tuple(events))
            continue
        exchange = state.get("exchange", 0)
        for node, update in payload.items():
            events += [{**event, "exchange": exchange} for event in events_of(node, update)]
        remembered = remembered or (REMEMBER in payload and exchange == fork.at)
    return None


def _has_drafted(state: State, line: Line, at: int) -> bool:
    draft: Draft | None = state.get("draft")
    return draft is not None and draft.role == line.role and state["exchange"] == at


def _transcript(events: tuple[Event, ...]) -> list[tuple[str, int, str]]:
    return [(event["role"], event["exchange"], event["text"]) for event in events if event["event"] == "turn"]


def _taken_over(moment: Moment, fork: Fork, context: Context) -> dict[str, Any]:
    """The state at the fork as another session goes on from it: with its own client, line, end and name."""
    state = dict(moment.state)
    notes = [note.model_copy(update={"session": context.memory_session}) for note in state.get("notes", ())]
    state |= {**opening_state(fork.persona), "notes": notes}
    if fork.line is not None:
        return state | {"draft": Draft(role=fork.line.role, text=fork.line.text)}
    # What ended the parent here, such as its cap, need not end this session, and the other way round.
    ending = routing.ending({**state, "exchange": fork.at}, context)
    return state | {"ending": ending, "exchange": fork.at + (ending is None)}


async def _placed(graph: Graph, state: State, after: str, context: Context) -> Graph:
    """The graph on a thread of its own that stands behind a node."""
    placed = graph.copy({"checkpointer": InMemorySaver(serde=_AsIs())})
    await placed.aupdate_state({"configurable": {"thread_id": context.session}}, dict(state), as_node=after)
    return placed


def _unhurried(context: Context) -> Context:
    """The context in which nobody acts ahead of a screen, as nobody does whose partner is a person.

    So nothing of the next exchange has been done when one is complete.
    """
    return context.model_copy(update={"models": {**context.models, CLIENT: HUMAN, COUNSELOR: HUMAN}})


class _AsIs:
    """Keeps the values of a thread as they are: they never leave the process, and roles may hold what they like."""

    def dumps_typed(self, obj: Any) -> Any:
        """The value itself."""
        return "as-is", obj

    def loads_typed(self, data: Any) -> Any:
        """The value itself."""
        return data[1]


class _Recorded:
    """A casting in which every role says again what it said.

    Answers are found by their place, not by their prompt, so that a parent whose prompts have since been reworded can
    still be forked. What was asked for again, because a screen threw the first answer away, is answered with the last.
    """

    name = "recorded"

    def __init__(self, origin: Origin) -> None:
        self._answers = {(entry.role, entry.exchange, entry.call): entry for entry in origin.answers}
        self._unusable = frozenset(origin.unusable)

    async def __call__(self, _role: str, _context: Context) -> Model:
        return self

    async def answer(self, request: Request) -> Answer:
        """The recorded answer.

        Raises:
            ModelError: There is none, because it could not be used.
            InputError: There is none, and there should be.
        """
        entry = self._answers.get((request.role, request.exchange, request.call))
        if entry is None and (request.role, request.exchange) in self._unusable:
            raise ModelError(f"The {request.role} gave no answer that could be used.")
        if entry is None:
            raise InputError(
                f"The journal of {request.session} does not hold what the {request.role} answered in exchange "
                f"{request.exchange}.",
                fix="put the journal back, or fork at an earlier exchange",
            )
        return entry.answer()


class _Recalled(MemoryStore):
    """What the roles recalled when the session began, whatever a store holds by now."""

    def __init__(self, recalled: Mapping[str, tuple[MemoryRecord, ...]]) -> None:
        self._recalled = recalled

    async def abrief(
        self, *, owner: str, client_id: str, query: str, k: int = 6, unless: str | None = None, at: Now | None = None
    ) -> tuple[MemoryRecord, ...]:
        """What the owner recalled then."""
        _ = client_id, query, k, unless, at
        return self._recalled.get(owner, ())

    async def asessions(self, client_id: str, *, unless: str | None = None) -> int:
        """The number of the latest session recalled."""
        _ = client_id, unless
        return max((memory.session_number for owned in self._recalled.values() for memory in owned), default=0)
