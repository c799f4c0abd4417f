"""A client that changes lets its private state be heard: its feeling, how far it has opened up, its readiness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.scene import gives_nothing
from counselgraph.models.rehearsal.client.state import State, family_of
from counselgraph.models.rehearsal.hearing import dark
from counselgraph.personas import load_personas
from counselgraph.personas.emotion import Emotion
from counselgraph.personas.lexicon import emotion_words
from counselgraph.personas.motivation import Stage
from counselgraph.personas.moves import WEIGHTS, Action, Tells
from counselgraph.personas.persona import Persona
from counselgraph.personas.readiness import Readiness
from counselgraph.personas.told import About, Told
from counselgraph.personas.unfolding import Unfolding
from counselgraph.safety.levels import Level, Side
from counselgraph.safety.screen import screen
from counselgraph.transcript import turn
from tests.unit.rehearsal.client_driver import ask

OPEN = "What else belongs to it?"
MICHAEL, _HANNAH = (load_personas(f"builtin/{name}").personas[0] for name in ("michael-dunn", "hannah-levy"))
HANNAH = _HANNAH.model_copy(update={"risk": _HANNAH.risk.model_copy(update={"level": 0, "statements": ()})})
BELIEF, REASON, PLAN = "It's over in a minute.", "My daughter listens on the stairs.", "I could ring Declan."
SEEDS = range(60)
FAMILIES = tuple(bank("client/emotion")["families"])
CELLS = tuple((stage, action) for stage in Stage for action in WEIGHTS[stage] if action is not Action.INFORM)


def lines(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from (line for part in node.values() for line in lines(part))
    else:
        yield from (line for part in node for line in lines(part))


def says(persona: Persona, seed: int, *, question: str = OPEN, exchange: int = 5, said: str = "", **state: Any) -> str:
    messages = [turn("counselor", "What brings you here?", exchange=0)]
    messages += [turn("client", said or "It has been a long year.", exchange=1)]
    messages += [turn("counselor", question, exchange=exchange - 1)]
    return ask(persona, messages, exchange=exchange, seed=seed, extra=state).text


def feeling(word: str, valence: float = -0.5, arousal: float = 0.4) -> dict[str, Any]:
    return {"emotion": Emotion(word=word, valence=valence, arousal=arousal)}


def opened(stage: int, *, session: int = 1, spent: int = 1, told_in: int = 1) -> dict[str, Any]:
    assert HANNAH.evolving
    texts = HANNAH.evolving.complaints[:stage]
    notes = tuple(
        Told(session=told_in if text == texts[-1] else 1, exchange=at, about=About.COMPLAINT, text=text)
        for at, text in enumerate(texts)
    )
    complaint = Unfolding(stage=stage, stages=5, text=texts[-1], spent=spent, trust=0.7, told=notes)
    return {**feeling("sadness"), "complaint": complaint, "session_number": session}


def ready(stage: Stage, action: Action, telling: str = "", tells: Tells = Tells.NOTHING) -> dict[str, Any]:
    return {"readiness": Readiness(stage=stage, action=action, telling=telling, tells=tells)}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_client_feels_colours_its_words_and_no_other_feeling_does(family: str) -> None:
    words = bank("client/emotion")
    turns = [says(HANNAH, seed, **feeling(words["families"][family][0])) for seed in SEEDS]
    heard = {name for name in FAMILIES for line in lines(words[name]) for text in turns if line in text}
    assert heard == {family}
    assert sum(any(line in text for line in lines(words[family])) for text in turns) > len(SEEDS) / 4


def test_every_noun_for_an_emotion_has_words_and_an_unknown_one_those_of_the_nearest() -> None:
    assert {family_of(word, *place) for word, place in emotion_words().items()} == set(FAMILIES)
    assert family_of("saudade", -0.55, 0.25) == "sadness"


def test_a_client_that_feels_better_than_at_rest_says_more_and_one_that_feels_worse_less() -> None:
    def length(valence: float, trust: float = 0.6) -> float:
        state = {**opened(1, spent=2), **feeling("sadness", valence)}
        state["complaint"] = state["complaint"].model_copy(update={"trust": trust, "told": ()})
        return sum(len(says(HANNAH, seed, **state).split()) for seed in SEEDS) / len(SEEDS)

    assert length(-0.2) > length(-0.5) > length(-0.9)
    view = {"persona": HANNAH, **opened(1), **feeling("sadness", -0.9)}
    assert (State.of(view).openness or 0) < 0.7


@pytest.mark.parametrize("stage", [2, 3, 4, 5])
def test_a_stage_that_has_opened_is_said_with_words_that_lead_up_to_it(stage: int) -> None:
    state = opened(stage)
    said = " ".join(note.text for note in state["complaint"].told[:-1])
    depth = {2: "early", 3: "middle", 4: "middle", 5: "late"}[stage]
    for seed in SEEDS:
        text = says(HANNAH, seed, said=said, **state)
        assert text.endswith(state["complaint"].text)
        assert any(f"{lead} {state['complaint'].text}" in text for lead in bank("client/emotion")["opens"][depth])


def test_a_stage_is_said_once_and_not_in_an_answer_about_dying() -> None:
    state = opened(2)
    text = state["complaint"].text
    assert not any(
        text in says(HANNAH, seed, said=f"{state['complaint'].told[0].text} {text}", **state) for seed in SEEDS
    )
    question = "Are you thinking of killing yourself?"
    assert not any(text in says(HANNAH, seed, question=question, **state) for seed in SEEDS)


def test_what_was_said_in_an_earlier_session_comes_back_as_what_was_said_then() -> None:
    state = opened(3, session=2, spent=2)
    text = state["complaint"].text
    turns = [said for seed in SEEDS if text in (said := says(HANNAH, seed, **state))]
    frames = [line.replace("{text}", text) for line in bank("client/emotion")["again"]]
    assert len(turns) > len(SEEDS) / 2
    assert all(any(frame in said for frame in frames) for said in turns)


@pytest.mark.parametrize(("stage", "action"), CELLS)
def test_what_a_client_does_with_a_turn_is_said_in_the_words_of_its_stage(stage: Stage, action: Action) -> None:
    words = bank("client/readiness")
    own = list(words[stage][action])
    others = [
        line for name in Stage for did, cell in words[name].items() for line in cell if (name, did) != (stage, action)
    ]
    turns = [says(MICHAEL, seed, **ready(stage, action)) for seed in SEEDS]
    assert not any(line in text for line in others for text in turns)
    assert sum(any(line in text for line in own) for text in turns) > len(SEEDS) / 2


@pytest.mark.parametrize(
    ("stage", "action", "tells", "telling"),
    [
        (Stage.PRECONTEMPLATION, Action.DOWNPLAY, Tells.BELIEF, BELIEF),
        (Stage.CONTEMPLATION, Action.ENGAGE, Tells.REASON, REASON),
        (Stage.PREPARATION, Action.PLAN, Tells.PLAN, PLAN),
        (Stage.ACTION, Action.PLAN, Tells.PLAN, PLAN),
    ],
)
def test_what_a_client_is_to_tell_is_told_once(stage: Stage, action: Action, tells: Tells, telling: str) -> None:
    turns = [says(MICHAEL, seed, **ready(stage, action, telling, tells)) for seed in SEEDS]
    assert all(text.count(telling) == 1 for text in turns)
    again = [says(MICHAEL, seed, said=f"Well. {telling}", **ready(stage, action, telling, tells)) for seed in SEEDS]
    assert not any(telling in text for text in again)


def test_the_reason_for_a_change_is_not_told_in_passing() -> None:
    assert MICHAEL.motivation
    reason = MICHAEL.motivation.motivation
    told = MICHAEL.disclosures[0].model_copy(update={"text": reason, "topic": "daughter", "when": "freely"})
    open_ = MICHAEL.model_copy(update={"disclosures": (told,)})
    question = "What about your daughter?"
    assert any(reason in says(open_, seed, question=question) for seed in SEEDS)
    state = ready(Stage.CONTEMPLATION, Action.INFORM)
    assert not any(reason in says(open_, seed, question=question, **state) for seed in SEEDS)


def test_states_are_read_as_json_too() -> None:
    state = opened(2)
    plain = {**state, "emotion": state["emotion"].model_dump(), "complaint": state["complaint"].model_dump(mode="json")}
    assert [says(HANNAH, seed, **plain) for seed in SEEDS] == [says(HANNAH, seed, **state) for seed in SEEDS]


@pytest.mark.parametrize("name", ["client/emotion", "client/readiness"])
def test_no_line_of_these_sounds_like_danger_or_gives_nothing_and_none_stands_twice(name: str) -> None:
    found = [line for key, part in bank(name).items() if key != "families" for line in lines(part)]
    assert len(found) == len(set(found))
    assert not [line for line in found if screen(line, side=Side.CLIENT).level > Level.NONE or dark(line)]
    assert not [line for line in found if gives_nothing(line)]
