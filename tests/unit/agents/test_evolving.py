"""The evolving client: its state from the transcript, what its card says, and what it takes along."""

from __future__ import annotations

from typing import Any

import pytest

from counselgraph import Persona
from counselgraph.agents.ask import Ask, Scene
from counselgraph.agents.client import client
from counselgraph.agents.evolving import earlier_card, evolving, starting
from counselgraph.models.base import Answer, Request
from counselgraph.personas.evolving import EarlierMemory, EvolvingProfile, Mood
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Disclosure, When
from counselgraph.personas.unfolding import Unfolding
from counselgraph.testing import check_role, sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR
from tests.unit.agents.prompt_examples import Recorder, prompt_of, view_of

CHAIN = (
    "I put off every call to a customer.",
    "I hear my father shouting whenever the phone rings.",
    "I never stood up to him.",
)
SAID = (
    (COUNSELOR, 0, "Hello Robin. What brings you here?"),
    (CLIENT, 1, "I put off every call to a customer until the evening."),
    (COUNSELOR, 1, "You put off every call until the evening. That must be hard. No wonder it wears on you."),
    (CLIENT, 2, "It does. The garden is fine, the phone is not."),
    (COUNSELOR, 2, "The garden is fine and the phone is not. What is behind that?"),
)


def persona(**update: Any) -> Persona:
    profile = EvolvingProfile(
        complaints=CHAIN,
        baseline=Mood(word="dread", valence=-0.4, arousal=0.5),
        earlier=(
            EarlierMemory(text="My father sold the nursery without a word."),
            EarlierMemory(session=2, text="The roses died."),
        ),
        since="I have slept a little better.",
    )
    return sample_persona().model_copy(update={"evolving": profile, "receptivity": 0.7, **update})


def view(said: Any = SAID, **values: Any) -> dict[str, Any]:
    return view_of(said, **{"exchange": said[-1][1] + 1, "persona": persona(), **values})


async def played(given: dict[str, Any]) -> dict[str, Any]:
    ask = Ask(role="client", model=Recorder(), scene=Scene(exchange=given["exchange"]))
    return await evolving.act(given, ask)


def test_it_keeps_the_contract_of_roles() -> None:
    check_role(evolving)


async def test_what_it_feels_and_how_far_it_has_opened_up_is_kept_as_plain_values() -> None:
    update = await played(view())
    assert update["draft"].role == CLIENT
    assert update["emotion"]["exchange"] == update["complaint"]["exchange"] == 3
    assert update["emotion"]["valence"] > -0.4
    assert update["complaint"]["stage"] == 2
    assert update["complaint"]["text"] == CHAIN[1]
    assert not update["complaint"]["derived"]


async def test_the_card_lets_it_speak_from_its_stage_and_from_nothing_deeper() -> None:
    card = (await prompt_of(evolving, view()))[-1]["content"]
    assert f'For the first time you can say: "{CHAIN[1]}"' in card
    assert "Nothing that goes deeper yet." in card
    assert CHAIN[2] not in card
    assert "Answer as Robin Vale" in card


async def test_the_card_says_what_the_counselors_words_did() -> None:
    harsh = (*SAID[:2], (COUNSELOR, 1, "Be honest: that is an excuse."))
    assert "become a little easier" in (await prompt_of(evolving, view(SAID[:3])))[-1]["content"]
    assert "made it worse" in (await prompt_of(evolving, view(harsh)))[-1]["content"]


async def test_what_changes_with_the_turn_is_not_in_the_stable_part_of_the_prompt() -> None:
    first = await prompt_of(evolving, view(SAID[:3]))
    later = await prompt_of(evolving, view(SAID))
    assert first[0] == later[0]
    assert later[: len(first) - 1] == first[:-1]


async def test_a_turn_that_is_written_anew_moves_nothing_twice() -> None:
    given = view()
    first = await played(given)
    again = await played({**given, "emotion": first["emotion"], "complaint": first["complaint"]})
    assert again == first


async def test_it_keeps_notes_of_what_it_told_and_is_reminded_of_them() -> None:
    told = Disclosure(topic="father", text="My father shouted at customers on the phone.", when=When.TRUSTED)
    given = view(persona=persona(disclosures=(told,)))
    first = await played(given)
    said = (*SAID, (CLIENT, 3, "My father shouted at customers, on the phone."), (COUNSELOR, 3, "He shouted at them."))
    later = view(said, persona=persona(disclosures=(told,)), complaint=Unfolding.model_validate(first["complaint"]))
    notes = (await played(later))["complaint"]["told"]
    assert [(note["about"], note["exchange"]) for note in notes] == [("complaint", 3), ("disclosure", 4)]
    assert f'You have told already: "{told.text}"' in (await prompt_of(evolving, later))[-1]["content"]


async def test_what_was_said_in_earlier_sessions_stays_in_mind_and_comes_back_when_it_is_touched() -> None:
    system, *_ = await prompt_of(evolving, view(SAID[:1]))
    assert "My father sold the nursery" in system["content"]
    assert "I have slept a little better." in system["content"]
    touched = (*SAID[:2], (COUNSELOR, 1, "What became of your father's nursery?"))
    card = (await prompt_of(evolving, view(touched)))[-1]["content"]
    assert 'comes back to you: (an earlier session, 1) you said: "My father sold' in card
    assert "roses" not in card


def test_only_the_latest_of_many_earlier_lines_stay_in_mind() -> None:
    many = tuple(EarlierMemory(text=f"Line {at}.") for at in range(30))
    assert earlier_card({}, EvolvingProfile(earlier=many)).count("\n") < 10


async def test_a_returning_client_is_greeted_as_one() -> None:
    first = (await prompt_of(evolving, view(SAID[:1], exchange=1)))[-1]["content"]
    assert "You know this counselor." in first


async def test_without_a_profile_one_is_derived_and_the_state_says_so() -> None:
    update = await played(view(persona=sample_persona()))
    assert update["complaint"]["derived"]
    assert update["complaint"]["stages"] == 4


async def test_its_state_at_the_end_of_a_session_is_where_the_next_one_starts() -> None:
    update = await played(view())
    carried = {channel: update[channel] for channel in ("emotion", "complaint")}
    start = starting(persona(), carried, Interlude(event="x", relapse=True, mood=-1))
    assert start.complaint.stage == update["complaint"]["stage"]
    assert start.emotion.valence < update["emotion"]["valence"]
    assert [note.text for note in start.complaint.told] == [CHAIN[1]]
    assert starting(persona(), {"readiness": {}}) == starting(persona())
    next_one = await played(view(SAID[:1], exchange=1, session_number=2, carried=carried, since=None))
    assert next_one["complaint"]["stage"] == 2


async def test_a_model_that_reads_the_view_reads_the_state_of_this_turn() -> None:
    model = Recorder()
    update = await evolving.act(view(), Ask(role="client", model=model, scene=Scene(exchange=3)))
    seen = model.requests[0].view
    assert seen["emotion"].model_dump(mode="json") == update["emotion"]
    assert seen["complaint"].text == CHAIN[1]


async def test_it_leaves_as_every_client_does() -> None:
    class Leaving:
        name = "leaving"

        async def answer(self, _request: Request) -> Answer:
            return Answer(text="I have to go. /end")

    update = await evolving.act(view(), Ask(role="client", model=Leaving(), scene=Scene(exchange=3)))
    assert update["draft"].text == "I have to go."
    assert update["draft"].end


@pytest.mark.parametrize("role", [client, evolving])
async def test_a_recorded_opening_is_said_once_in_a_course(role: Any) -> None:
    given = persona(opening="Here I am.")
    first = await role.act(view(SAID[:1], exchange=1, persona=given), Ask(role="client", model=Recorder()))
    later = view(SAID[:1], exchange=1, persona=given, since=Interlude(event="x"))
    second = await role.act(later, Ask(role="client", model=Recorder()))
    assert first["draft"].kind == "opening"
    assert second["draft"].kind == "turn"
