"""Contract tests for people who write roles: `check_role` says whether a role keeps the rules of the house."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.role import Role, Update, channels
from counselgraph.graphs.context import Context
from counselgraph.graphs.seats import DEFAULT_ROLES
from counselgraph.graphs.session import build_session
from counselgraph.graphs.state import SessionState, checkpoint_types, opening_state
from counselgraph.models.base import Model
from counselgraph.models.rehearsal.model import Rehearsal
from counselgraph.personas.persona import Attitude, Conceptualization, Demographics, Persona, PresentingProblem
from counselgraph.protocols.plan import Plan, PlanDecision, Trigger, assemble
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.safety.levels import Risk, Side, Verdict
from counselgraph.transcript import CLIENT, COUNSELOR, turn

EXCHANGES = 3
_HIDDEN = {
    CLIENT: {"plan", "risk", "risk_before", "verdicts", "counselor_risk", "notes", "counselor_memories", "intake"},
    COUNSELOR: {"persona", "client_memories", "verdicts"},
}


def sample_persona() -> Persona:
    """A made-up client for tests."""
    return Persona(
        id="sample-client",
        name="Robin Vale",
        demographics=Demographics(age=34, occupation="Gardener"),
        presenting_problem=PresentingProblem(
            statement="I keep putting off calling customers back because I think they will be angry with me.",
            triggers="It happens whenever the phone rings twice in a row.",
        ),
        reason_for_counseling="I am losing customers and sleep over it.",
        conceptualization=Conceptualization(
            automatic_thoughts=("They will shout at me.",),
            emotions=("dread",),
            core_beliefs=("I can't do anything right.",),
        ),
        supports=("My sister listens when I call her.",),
        attitude=Attitude.NEUTRAL,
    )


def sample_state() -> dict[str, Any]:
    """A session in its second exchange, every channel that a View of ours may name filled in."""
    persona = sample_persona()
    said = [
        turn(COUNSELOR, "Hello Robin, what brings you here?", exchange=0),
        turn(CLIENT, "I keep putting off calling customers back.", exchange=1),
        turn(COUNSELOR, "You put the calls off. What goes through your mind then?", exchange=1),
        turn(CLIENT, "That they will shout at me.", exchange=2),
    ]
    return {
        "persona": persona.for_client(),
        "intake": persona.for_counselor(),
        "messages": said,
        "exchange": 2,
        "session_number": 1,
        "plan": sample_plan(),
        "risk": Risk(),
        "risk_before": Risk(),
        "verdicts": [Verdict(side=Side.CLIENT)],
        "suspended": 0,
        "client_memories": [],
        "counselor_memories": [],
    }


def sample_plan() -> Plan:
    """A first plan, made in exchange 1."""
    decision = PlanDecision(
        technique=Technique.DECATASTROPHIZING,
        focus="They will shout at me.",
        hypothesis="I can't do anything right.",
        phase=Phase.AGENDA,
        reason="The client foresees anger before every call.",
    )
    return assemble(decision, load_protocol(), previous=None, exchange=1, trigger=Trigger.START, level=0, close=True)


def check_role(role: Role, *, state: Mapping[str, Any] | None = None, model: Model | None = None) -> None:
    """Check a role against the rules every role keeps.

    It reads nothing but its View and leaves it as it was; it writes only channels of the session or of its View; a
    speaker drafts turns under its own name and nobody writes the transcript past the screens; what it writes survives
    a checkpoint; asked the same, it answers the same; and a session with it in place comes to its end.

    Args:
        role: The role to check.
        state: A session state to act on; `sample_state()` if left out. Give one if your View names channels of its
            own that must be filled.
        model: Model it asks; rehearsal if left out.

    Raises:
        AssertionError: A rule is broken; the message says which, and what was seen.
    """
    asyncio.run(acheck_role(role, state=state, model=model))


async def acheck_role(role: Role, *, state: Mapping[str, Any] | None = None, model: Model | None = None) -> None:
    """`check_role` for code that is already async."""
    _check_view(role)
    thinker = model or Rehearsal()
    view = {key: value for key, value in (state or sample_state()).items() if key in channels(role.view)}
    first = await _act(role, view, thinker)
    _check_update(role, first)
    _check_checkpoint(role, first)
    second = await _act(role, view, thinker)
    assert first == second, f"Role {role.name!r} answered differently when asked the same twice: {first} / {second}"
    await _check_in_session(role, thinker)


def _check_view(role: Role) -> None:
    assert isinstance(role, Role), f"{role!r} is no Role; decorate the function with @role(...)."
    names = set(channels(role.view))
    assert names, f"The view of role {role.name!r} names no channel."
    hidden = names & _HIDDEN.get(role.name, set())
    assert not hidden, f"Role {role.name!r} may not read {sorted(hidden)}."


async def _act(role: Role, view: Mapping[str, Any], model: Model) -> Update:
    given, before = dict(view), copy.deepcopy(dict(view))
    scene = Context(session="check").scene(view.get("exchange", 1))
    update = await role.act(given, Ask(role=role.name, model=model, scene=scene, view=given))
    assert given == before, f"Role {role.name!r} changed its View in place; return an update instead."
    assert isinstance(update, dict), f"Role {role.name!r} returned {type(update).__name__}, not a dict of channels."
    return update


def _check_update(role: Role, update: Update) -> None:
    unknown = set(update) - {*channels(SessionState), *channels(role.view)}
    assert not unknown, f"Role {role.name!r} wrote {sorted(unknown)}, which are channels of neither session nor View."
    draft = update.get("draft")
    assert role.speaks or draft is None, f"Role {role.name!r} drafted a turn; declare it with speaks=True."
    if draft is not None:
        assert isinstance(draft, Draft), (
            f"Role {role.name!r} drafted a {type(draft).__name__}; use `await ask.turn(...)`."
        )
        assert draft.role == role.name, f"Role {role.name!r} drafted a turn for {draft.role!r}."
    said = [message for message in update.get("messages", ()) if getattr(message, "type", "") != "remove"]
    assert not said, f"Role {role.name!r} wrote the transcript past the screens; return a draft."


def _check_checkpoint(role: Role, update: Update) -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types())
    for channel, value in update.items():
        try:
            back = serde.loads_typed(serde.dumps_typed(value))
        except TypeError as error:
            raise AssertionError(
                f"No checkpoint can hold what role {role.name!r} writes to {channel!r}: {error}"
            ) from error
        same = back == value or (isinstance(value, tuple) and back == list(value))
        assert same, f"What role {role.name!r} writes to {channel!r} does not survive a checkpoint: {value!r}"


async def _check_in_session(role: Role, model: Model) -> None:
    extra = () if role in DEFAULT_ROLES else (role,)

    async def cast(_role: str, _context: Context) -> Model:
        return model

    graph = build_session(roles=extra, cast=cast).compile()
    persona = sample_persona()
    context = Context(session="check", persona=persona.id, max_exchanges=EXCHANGES)
    final = await graph.ainvoke(opening_state(persona), context=context)
    assert final.get("ending"), f"A session with role {role.name!r} did not come to an end."
    if role.speaks and final["messages"]:
        texts = [message.text for message in final["messages"]]
        assert all(texts), f"Role {role.name!r} let an empty turn into the transcript."
