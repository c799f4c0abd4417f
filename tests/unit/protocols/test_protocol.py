"""The protocol as data, and where a plan stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import ConfigError
from counselgraph.protocols.plan import position
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.testing import sample_plan

CBT = load_protocol()
answers = st.lists(st.sampled_from(["I don't know.", "Not sure.", "It began in May, on a Tuesday.", "She rang twice."]))


def test_every_technique_has_its_own_steps_a_label_and_homework():
    assert set(CBT.techniques) == set(Technique)
    assert len(Technique) == 14
    ids = [step.id for item in CBT.techniques.values() for step in item.steps]
    assert len(ids) == len(set(ids))
    assert all(item.label and item.use_when and item.homework for item in CBT.techniques.values())


@pytest.mark.parametrize("technique", list(Technique))
def test_a_whole_session_goes_from_agenda_to_farewell(technique: Technique):
    steps = CBT.steps_from(Phase.AGENDA, technique, close=True)
    phases = list(dict.fromkeys(step.phase for step in steps))
    assert phases == [Phase.AGENDA, Phase.EXPLORATION, Phase.INTERVENTION, Phase.CLOSING]
    assert steps[-1].id == "farewell"


def test_a_session_that_must_go_on_does_not_close():
    steps = CBT.steps_from(Phase.INTERVENTION, Technique.CONTINUUM, close=False)
    assert {step.phase for step in steps} == {Phase.INTERVENTION}


@pytest.mark.parametrize("text", ["I don't know.", "No idea", "I'd rather not say.", "What's the point?", "Okay."])
def test_an_answer_that_gives_nothing_holds(text: str):
    assert CBT.holds(text, "en")


@pytest.mark.parametrize("text", ["I don't know where she went, but I was furious.", "Okay. It was on Tuesday.", "80."])
def test_an_answer_with_something_in_it_does_not_hold(text: str):
    assert not CBT.holds(text, "en")


@pytest.mark.parametrize("text", ["I'm a failure.", "Deep down I think so.", "Nobody could ever love me."])
def test_a_belief_is_heard(text: str):
    assert CBT.discloses_belief(text, "en")


def test_a_language_without_cues_neither_holds_nor_hears():
    assert not CBT.holds("I don't know.", "fa")
    assert not CBT.discloses_belief("I'm a failure.", "fa")


@given(answers)
def test_a_plan_never_goes_back_and_never_past_its_end(said: list[str]):
    plan = sample_plan()
    places = [position(plan, said[:count], CBT).index for count in range(len(said) + 1)]
    assert places == sorted(places)
    assert all(0 <= place <= len(plan.steps) for place in places)


@given(answers)
def test_no_step_is_tried_more_often_than_patience_allows(said: list[str]):
    plan = sample_plan()
    for count in range(len(said) + 1):
        assert position(plan, said[:count], CBT).attempt < CBT.patience


@given(answers)
def test_every_two_answers_move_the_plan_at_least_one_step(said: list[str]):
    plan = sample_plan()
    assert position(plan, said, CBT).index >= min(len(said) // CBT.patience, len(plan.steps))


def test_an_unknown_protocol_is_named():
    with pytest.raises(ConfigError, match="'astrology'"):
        load_protocol("astrology")
