"""Whole sessions through the real graph."""

from __future__ import annotations

import asyncio
import operator
from itertools import pairwise
from typing import Annotated, Any

import pytest
from langchain_core.messages import AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command
from typing_extensions import TypedDict

from counselgraph import Ask, ConfigError, Context, Draft, StopReason, Update, build_session, role
from counselgraph.agents.role import channels
from counselgraph.graphs.seats import DEFAULT_ROLES, play
from counselgraph.graphs.state import checkpoint_types, opening_state
from counselgraph.models.base import Answer
from counselgraph.personas.persona import Disclosure, Intake, Persona, RiskProfile, When
from counselgraph.safety.levels import Risk
from counselgraph.testing import sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of
from tests.fakes.models import Recording

start = opening_state


def context(**options) -> Context:
    return Context(**{"persona": "sample-client", "seed": 5, **options})


async def built(**options) -> Any:
    """Building reads files, which is not done in an event loop."""
    return await asyncio.to_thread(build_session, **options)


async def play_through(cast=None, *, persona=None, roles=(), **options) -> Any:
    graph = (await built(roles=roles, cast=cast or Recording())).compile()
    return await graph.ainvoke(start(persona or sample_persona()), context=context(**options))


def saver() -> InMemorySaver:
    return InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types()))


@pytest.fixture
def risky() -> Persona:
    return sample_persona().model_copy(
        update={
            "risk": RiskProfile(
                level=4,
                statements=(
                    "Some days I wish I would not wake up.",
                    "I have been thinking about killing myself.",
                    "I have decided to do it, and I know when.",
                ),
                on_direct_question="Yes. I have decided to kill myself.",
            )
        }
    )


async def test_a_session_comes_to_an_end_by_itself_with_a_reason():
    state = await play_through()
    assert state["ending"].stop is StopReason.COMPLETED
    assert state["ending"].by == COUNSELOR
    assert 8 <= state["exchange"] < 20


async def test_speakers_take_turns_and_the_counselor_opens_once():
    state = await play_through()
    speakers = [role_of(message) for message in state["messages"]]
    assert speakers[0] == COUNSELOR
    assert all(one != other for one, other in pairwise(speakers))


async def test_a_session_may_be_opened_by_the_client():
    state = await play_through(opens="client")
    assert role_of(state["messages"][0]) == CLIENT
    assert state["messages"][0].additional_kwargs["exchange"] == 1


async def test_every_role_is_handed_its_view_and_nothing_else():
    cast = Recording()
    await play_through(cast)
    views = {item.name: set(channels(item.view)) for item in DEFAULT_ROLES}
    for request in cast.requests:
        assert set(request.view) <= views[request.role]


async def test_what_the_client_hides_reaches_nobody_before_it_is_said():
    secret = Disclosure(topic="zebras", text="ZEBRA-SECRET happened when I was nine.", when=When.ASKED_DIRECTLY)
    persona = sample_persona().model_copy(update={"disclosures": (secret,), "goals": ("ZEBRA-GOAL",)})
    cast = Recording()
    await play_through(cast, persona=persona)
    said = " ".join(prompt for prompt in cast.prompts(CLIENT))
    assert "ZEBRA-SECRET" in said
    for name in (COUNSELOR, "planner"):
        assert cast.prompts(name)
        assert not any("ZEBRA" in prompt for prompt in cast.prompts(name))


async def test_what_the_counselor_was_told_or_plans_never_reaches_the_client():
    persona = sample_persona().model_copy(
        update={"intake": Intake(name="Robin", reason_for_counseling="INTAKE-ONLY words of the referring doctor.")}
    )
    cast = Recording()
    state = await play_through(cast, persona=persona)
    assert any("INTAKE-ONLY" in prompt for prompt in cast.prompts(COUNSELOR))
    hidden = ["INTAKE-ONLY", state["plan"].reason, state["plan"].hypothesis]
    for prompt in cast.prompts(CLIENT):
        assert not any(text in prompt for text in hidden)


async def test_a_client_in_acute_danger_brings_the_crisis_flow(risky):
    cast = Recording()
    state = await play_through(cast, persona=risky)
    assert state["ending"].stop is StopReason.CRISIS
    assert "988" in " ".join(text_of(message) for message in state["messages"])
    assert role_of(state["messages"][-1]) == COUNSELOR


async def test_the_planner_is_not_asked_while_the_plan_is_suspended(risky):
    cast = Recording()
    await play_through(cast, persona=risky)
    for request in cast.requests:
        assert request.role != "planner" or not request.view.get("risk", Risk()).suspends_plan


async def test_a_reply_that_must_not_be_said_is_replaced_and_never_enters_the_transcript():
    harmful = "Just get over it and stop taking your medication today."
    graph = (await built(cast=Recording(counselor=lambda _request: harmful))).compile()
    kinds, final = [], {}
    async for mode, payload in graph.astream(
        start(sample_persona()), context=context(max_exchanges=2), stream_mode=["updates", "values"]
    ):
        if mode == "values":
            final = payload
        else:
            kinds += [update["spoken"].kind for update in payload.values() if update and "spoken" in update]
    assert "safe_reply" in kinds
    assert harmful not in [text_of(message) for message in final["messages"]]
    assert final["counselor_risk"].findings


async def test_a_client_may_leave_and_that_counts_as_completed():
    def leave(request):
        return Answer(text="I have to go.", end="ran out of patience") if request.exchange == 2 else "I worry a lot."

    state = await play_through(Recording(client=leave))
    assert (state["ending"].stop, state["ending"].by) == (StopReason.COMPLETED, CLIENT)
    assert text_of(state["messages"][-1]) == "I have to go."


async def test_the_cap_ends_what_nothing_else_ends():
    numbered = Recording(client=lambda request: f"Thing number {request.exchange} keeps worrying me.")
    state = await play_through(numbered, max_exchanges=2)
    assert state["ending"].stop in {StopReason.MAX_EXCHANGES, StopReason.COMPLETED}
    assert state["exchange"] == 2


async def test_a_call_limit_is_an_outcome():
    state = await play_through(call_limit=5)
    assert state["ending"].stop is StopReason.LIMIT


async def test_a_session_that_is_to_be_long_is_long():
    state = await play_through(min_exchanges=25, max_exchanges=40)
    assert state["exchange"] >= 25
    assert state["ending"].stop is StopReason.COMPLETED


async def test_the_same_seed_plays_the_same_session_and_another_seed_another():
    one, same, other = [[text_of(m) for m in (await play_through(seed=seed))["messages"]] for seed in (1, 1, 2)]
    assert one == same
    assert one != other


class SupervisorView(TypedDict, total=False):
    messages: list[AnyMessage]
    supervision: Annotated[list[str], operator.add]


@role(view=SupervisorView, after="counselor")
async def supervisor(view: SupervisorView, ask: Ask) -> Update:
    """Comments on every counselor turn."""
    return {"supervision": [await ask.text("Comment on the counselor's last turn.", view["messages"])]}


class FamilyView(TypedDict, total=False):
    messages: list[AnyMessage]
    exchange: int


@role(view=FamilyView, after="client", speaks=True)
async def family(view: FamilyView, ask: Ask) -> Update:
    """The client's sister, who came along."""
    if view["exchange"] % 2:
        return {}
    return {"draft": await ask.turn("You are the client's sister.", view["messages"])}


async def test_an_observer_is_added_without_touching_the_graph_and_keeps_its_own_channel():
    graph = (await built(roles=[supervisor], cast=Recording())).compile(checkpointer=saver())
    config = {"configurable": {"thread_id": "t"}}
    state = await graph.ainvoke(start(sample_persona()), config, context=context(max_exchanges=5))
    kept = (await graph.aget_state(config)).values
    assert len(kept["supervision"]) == state["exchange"] + 1
    assert "supervision" not in state


async def test_a_third_seat_speaks_is_screened_and_is_heard_by_name():
    cast = Recording(family=lambda _request: "She never picks up, and I want to kill myself over it.")
    state = await play_through(cast, roles=[family], max_exchanges=6)
    assert "family" in {role_of(message) for message in state["messages"]}
    assert state["risk"].level >= 3
    assert any("Family: She never picks up" in prompt for prompt in cast.prompts(COUNSELOR))


async def test_a_role_replaces_a_default_by_name():
    @role(view=SupervisorView, name="counselor")
    async def brief(view, ask):
        """A counselor of few words."""
        return {"draft": Draft(role="counselor", text=f"Go on, number {len(view['messages'])}.")}

    state = await play_through(roles=[brief], max_exchanges=3)
    assert all(text_of(m).startswith("Go on") for m in state["messages"] if role_of(m) == COUNSELOR)


async def test_a_role_that_writes_a_channel_nobody_has_is_refused():
    @role(view=SupervisorView, after="counselor")
    async def careless(view, ask):
        """Writes where nothing is."""
        return {"superversion": ["typo"]}

    with pytest.raises(ConfigError, match="superversion"):
        await play_through(roles=[careless])


async def test_a_third_seat_can_raise_the_risk_but_nothing_it_says_lowers_it(risky: Persona):
    calm = Recording(
        client=lambda r: (
            "I have been thinking about killing myself." if r.exchange == 1 else f"It rained on day {r.exchange}."
        ),
        family=lambda r: f"I don't want to kill myself. We had a nice lunch, number {r.exchange}.",
    )
    state = await play_through(calm, roles=[family], max_exchanges=4)
    assert state["risk"].level >= 3
    assert not state["risk"].denied


async def test_a_third_seat_that_passes_changes_nothing_of_what_the_screens_said():
    def verdicts(request):
        return '{"side": "client", "level": 0}'

    cast = Recording(client=lambda r: f"I want to kill myself, I said it {r.exchange} times.", monitor=verdicts)
    state = await play_through(cast, roles=[family, "monitor"], max_exchanges=1)
    assert state["risk"].level >= 3


@pytest.mark.parametrize("kind", ["crisis", "safe_reply"])
async def test_no_role_can_pass_its_words_off_as_the_graphs_own(kind: Any):
    @role(view=SupervisorView, name="counselor")
    async def sly(view, ask):
        """Tries to get past the screen."""
        return {"draft": Draft(role="counselor", text="Stop taking your medication today.", kind=kind)}

    with pytest.raises(ConfigError, match="only the graph itself"):
        await play_through(roles=[sly], max_exchanges=2)


async def test_a_recorded_opening_is_screened_too():
    persona = sample_persona().model_copy(
        update={"intake": Intake(name="Robin", opening="Just get over it and stop taking your medication today.")}
    )
    state = await play_through(persona=persona, max_exchanges=2)
    assert "medication" not in text_of(state["messages"][0])


async def test_a_crisis_in_the_last_exchange_is_a_crisis():
    cast = Recording(client=lambda r: f"I have decided to kill myself tonight, I said {r.exchange}.")
    for options in ({"max_exchanges": 1}, {"call_limit": 2}):
        state = await play_through(cast, **options)
        assert state["ending"].stop is StopReason.CRISIS


async def test_every_role_knows_the_exchange_whether_its_view_names_it_or_not():
    seen = []

    @role(view=SupervisorView, after="counselor")
    async def watcher(view, ask):
        """Notes where it is."""
        seen.append((ask.scene.exchange, set(view)))
        return {}

    await play_through(roles=[watcher], max_exchanges=3)
    assert [exchange for exchange, _ in seen] == [0, 1, 2, 3]
    assert all(names <= {"messages", "supervision"} for _, names in seen)


async def test_a_role_after_the_planner_comes_in_every_exchange():
    seen = []

    @role(view=FamilyView, after="planner")
    async def critic(view, ask):
        """Looks at the plan."""
        seen.append(view["exchange"])
        return {}

    state = await play_through(roles=[critic], max_exchanges=6)
    assert seen == list(range(1, state["exchange"] + 1))


async def test_a_counselor_that_says_nothing_is_named():
    @role(view=SupervisorView, name="counselor")
    async def mute(view, ask):
        """Says nothing."""
        return {}

    with pytest.raises(ConfigError, match="'counselor' drafted no turn"):
        await play_through(roles=[mute])


async def test_no_homework_is_remembered_that_was_never_given():
    def leave(request):
        closing = "anything" in text_of(request.view["messages"][-1]) or request.exchange > 11
        return Answer(text="I have to go.", end="had to go") if closing else f"It was about thing {request.exchange}."

    state = await play_through(Recording(client=leave))
    spoken_by = [role_of(message) for message in state["messages"]]
    if spoken_by[-1] == CLIENT:
        last = state["exchange"]
        assert not any(note.exchange == last and note.kind.value == "homework" for note in state["notes"])
    assert state["ending"].by == CLIENT


def test_a_role_after_nobody_is_refused_and_so_is_a_doubled_name():
    with pytest.raises(ConfigError, match="nobody plays"):
        build_session(roles=[role(view=SupervisorView, after="cook")(supervisor.act)])
    with pytest.raises(ConfigError, match="used twice"):
        build_session(roles=[supervisor, supervisor])


async def test_a_person_in_a_seat_interrupts_and_resumes():
    graph = (await built(cast=play())).compile(checkpointer=saver())
    options = {"config": {"configurable": {"thread_id": "t"}}, "context": context(models={"counselor": "human"})}
    paused = await graph.ainvoke(start(sample_persona()), **options)
    assert paused["__interrupt__"][0].value["role"] == COUNSELOR
    went_on = await graph.ainvoke(Command(resume="Hello Robin, I am glad you came."), **options)
    assert text_of(went_on["messages"][0]) == "Hello Robin, I am glad you came."
    assert went_on["__interrupt__"]


async def test_state_may_be_edited_as_plain_json_and_forked():
    graph = (await built(cast=Recording())).compile(checkpointer=saver(), interrupt_after=["planner"])
    options = {"context": context()}
    config = {"configurable": {"thread_id": "t"}}
    await graph.ainvoke(start(sample_persona()), config, **options)
    plan = (await graph.aget_state(config)).values["plan"].model_dump(mode="json")
    edited = await graph.aupdate_state(config, {"plan": {**plan, "focus": "EDITED FOCUS"}}, as_node="planner")
    final = await graph.ainvoke(None, edited, **options)
    assert final["exchange"] > 1
    history = [snapshot async for snapshot in graph.aget_state_history(config)]
    fork = next(
        snapshot for snapshot in history if snapshot.next == ("counselor",) and snapshot.values["exchange"] == 1
    )
    forked = await graph.ainvoke(None, fork.config, **options)
    assert forked["messages"]


def test_the_graph_looks_as_documented(snapshot):
    assert build_session().compile().get_graph().draw_mermaid() == snapshot
