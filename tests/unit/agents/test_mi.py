"""The client for motivational interviewing: what its stage lets it do and say."""

from __future__ import annotations

from typing import Any

from counselgraph import Persona
from counselgraph.agents.ask import Ask, Scene
from counselgraph.agents.mi import held_back, mi, starting
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.moves import ALLOWED, WEIGHTS, Action, Tells
from counselgraph.personas.persona import Disclosure, When
from counselgraph.personas.readiness import Readiness
from counselgraph.testing import check_role, sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR
from tests.unit.agents.prompt_examples import Recorder, prompt_of, view_of

REASON = "My grandson asked whether I would still be there for the regatta."
PROFILE = MotivationProfile(
    change="drinking less",
    suggestibility=(3, 4),
    beliefs=("A glass helps me sleep.", "Everybody at the harbour drinks."),
    motivation=REASON,
    topics=("the regatta", "my grandson"),
    plans=("I could row on Sunday mornings instead of going to the bar.",),
)
KIND = "It sounds as if the regatta with your grandson matters to you. What would you like to be there for?"


def persona(**update: Any) -> Persona:
    profile = PROFILE.model_copy(update=update)
    return sample_persona().model_copy(
        update={"motivation": profile, "disclosures": (Disclosure(topic="x", text=REASON, when=When.TRUSTED),)}
    )


def view(*counselor: str, **values: Any) -> dict[str, Any]:
    said = [(COUNSELOR, 0, "Hello Robin.")]
    for at, words in enumerate(counselor, 1):
        said += [(CLIENT, at, f"The harbour is what it is, {at} times over."), (COUNSELOR, at, words)]
    return view_of(said, **{"exchange": len(counselor) + 1, "persona": persona(), **values})


async def played(given: dict[str, Any], seed: str = "1") -> Readiness:
    ask = Ask(role="client", model=Recorder(), scene=Scene(exchange=given["exchange"], seed_key=seed))
    return Readiness.model_validate((await mi.act(given, ask))["readiness"])


def test_it_keeps_the_contract_of_roles() -> None:
    check_role(mi)


async def test_the_same_seed_acts_the_same_and_others_do_not() -> None:
    given = view(KIND)
    assert await played(given) == await played(given)
    assert len({(await played(given, str(seed))).action for seed in range(40)}) > 2


async def test_another_session_of_a_course_draws_anew() -> None:
    one = [await played(view(*[KIND] * at), "7") for at in range(6)]
    two = [await played(view(*[KIND] * at, session_number=2), "7") for at in range(6)]
    assert [state.stage for state in one] == [state.stage for state in two]
    assert [state.action for state in one] != [state.action for state in two]


async def test_whatever_is_drawn_its_stage_allows() -> None:
    for seed in range(60):
        for count in (0, 2, 6, 10):
            state = await played(view(*[KIND] * count), str(seed))
            assert state.action in WEIGHTS[state.stage]
            assert state.tells in ALLOWED[state.stage]


async def test_readiness_moves_with_the_counselor() -> None:
    start = await played(view())
    kind = await played(view(*[KIND] * 8))
    harsh = await played(view(*["You are in denial. Be honest: that is an excuse."] * 8))
    assert start.stage is Stage.PRECONTEMPLATION
    assert kind.stage in {Stage.PREPARATION, Stage.ACTION}
    assert harsh.stage is Stage.PRECONTEMPLATION
    assert harsh.receptivity < start.receptivity < kind.receptivity


async def test_the_card_says_what_to_do_and_what_to_bring_in() -> None:
    given = view()
    drawn = {str(seed): await played(given, str(seed)) for seed in range(20)}
    seed, state = next((seed, state) for seed, state in drawn.items() if state.telling)
    model = Recorder()
    await mi.act(given, Ask(role="client", model=model, scene=Scene(exchange=1, seed_key=seed)))
    card = model.requests[0].card
    assert "About drinking less: you do not think that you need it." in card
    assert f'Bring in this, in words of your own: "{state.telling}"' in card
    assert model.requests[0].view["readiness"] == state


async def test_what_would_move_it_is_not_in_its_prompt_before_its_time() -> None:
    for seed in range(10):
        model = Recorder()
        await mi.act(view(), Ask(role="client", model=model, scene=Scene(exchange=1, seed_key=str(seed))))
        prompt = "\n".join(message["content"] for message in model.requests[0].messages)
        assert REASON not in prompt
        assert PROFILE.plans[0] not in prompt


def test_a_persona_without_a_reason_is_left_as_it_is() -> None:
    plain = sample_persona()
    assert held_back(plain) is plain
    assert held_back(persona()).disclosures == ()


async def test_nothing_is_told_twice_and_a_turn_written_anew_may_tell_the_same() -> None:
    told = []
    given = view()
    for count in range(12):
        given = {**view(*[KIND] * count), "readiness": given.get("readiness")}
        state = await played(given, "3")
        assert await played({**given, "readiness": state.model_dump(mode="json")}, "3") == state
        given["readiness"] = state
        told += [state.telling] if state.telling else []
    assert len(told) == len(set(told)) > 1


async def test_words_that_tell_too_much_are_in_the_trace() -> None:
    said = [(COUNSELOR, 0, "Hello."), (CLIENT, 1, REASON), (COUNSELOR, 1, "Mm.")]
    state = await played(view_of(said, exchange=2, persona=persona()))
    assert state.untimely == (Tells.REASON,)


async def test_a_recorded_opening_is_no_action() -> None:
    given = view(persona=persona().model_copy(update={"opening": "Here I am."}))
    assert (await played(given)).action is None


async def test_its_readiness_at_the_end_of_a_session_is_where_the_next_one_starts() -> None:
    last = await played(view(*[KIND] * 8))
    carried = {"readiness": last.model_dump(mode="json")}
    assert starting(persona(), carried).stage is last.stage
    back = starting(persona(), carried, Interlude(event="x", relapse=True))
    assert back.stage is not last.stage
    assert starting(persona(), {"emotion": {}}) == starting(persona())
    next_one = await played(view(exchange=1, session_number=2, carried=carried))
    assert next_one.stage is last.stage


async def test_a_client_that_has_begun_says_so() -> None:
    card = (await prompt_of(mi, view(persona=persona(stage=Stage.ACTION))))[-1]["content"]
    assert "you have begun" in card
    assert set(Action) == {action for weights in WEIGHTS.values() for action in weights}
