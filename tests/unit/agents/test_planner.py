"""When the plan is looked at, and how a decision becomes a plan."""

from __future__ import annotations

import pytest

from counselgraph.agents.ask import Scene
from counselgraph.agents.planner import due, phase_at, revise, standing
from counselgraph.protocols.plan import PlanDecision, Trigger
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.safety.levels import Level, Risk
from counselgraph.testing import sample_plan
from counselgraph.transcript import CLIENT, COUNSELOR, turn

CALM = Risk()


def talk(*answers: str, start: int = 1):
    """The client's answers, one an exchange, each answered."""
    said = []
    for number, text in enumerate(answers, start):
        said += [turn(CLIENT, text, exchange=number), turn(COUNSELOR, "I see. And then?", exchange=number)]
    return said[:-1]


def scene(exchange: int, **options) -> Scene:
    return Scene(exchange=exchange, **options)


def decision(phase=Phase.INTERVENTION, technique=Technique.DECATASTROPHIZING) -> PlanDecision:
    return PlanDecision(technique=technique, focus="f", hypothesis="h", phase=phase, reason="r")


def test_the_first_plan_is_due_at_once():
    assert due(None, CALM, talk("Hello there, I am worried."), scene(1)) is Trigger.START


@pytest.mark.parametrize("level", [Level.ACTIVE, Level.INTENT, Level.IMMINENT])
def test_no_plan_is_due_while_it_is_suspended(level):
    assert due(None, Risk(level=level), talk("x"), scene(1)) is None


def test_a_changed_risk_calls_for_a_look():
    assert due(sample_plan(), Risk(level=Level.CONCERN), talk("One.", "Two more words."), scene(2)) is Trigger.RISK


def test_the_schedule_calls_for_a_look_after_four_exchanges():
    said = talk(*[f"My answer number {number} says something." for number in range(1, 6)])
    assert due(sample_plan(), CALM, said[:-2], scene(4)) is None
    assert due(sample_plan(), CALM, said, scene(5)) is Trigger.SCHEDULE


def test_two_answers_that_give_nothing_stall_the_step():
    assert (
        due(sample_plan(), CALM, talk("I worry about calls.", "I don't know.", "Not sure."), scene(3))
        is Trigger.STALLED
    )


def test_a_new_belief_calls_for_a_look():
    said = talk("I worry about calls.", "They ring in the morning.", "I'm a failure, that's what it is.")
    assert due(sample_plan(), CALM, said, scene(3)) is Trigger.NEW_BELIEF


def test_a_belief_that_was_told_before_is_no_news():
    said = talk("I'm a failure.", "They ring in the morning.", "I'm a failure, that's what it is.")
    assert due(sample_plan(), CALM, said, scene(3)) is None


def test_time_calls_for_closing_while_there_is_room_to_close():
    said = talk(*[f"Answer {number} tells of one more thing." for number in range(1, 4)])
    assert due(sample_plan(), CALM, said, scene(3, max_exchanges=5)) is Trigger.TIME


def test_a_closing_session_is_left_to_close():
    closing = sample_plan().model_copy(update={"steps": load_protocol().phases[Phase.CLOSING]})
    said = talk(*[f"Answer {number} tells of one more thing." for number in range(1, 4)])
    assert due(closing, CALM, said, scene(3, max_exchanges=3)) is None


def test_an_answer_moves_the_plan_on_and_a_held_one_holds_it_once():
    plan = sample_plan()
    assert standing(plan, talk("I worry about calls."), "en").index == 0
    assert standing(plan, talk("I worry.", "They come in the morning."), "en").index == 1
    held = standing(plan, talk("I worry.", "I don't know."), "en")
    assert (held.index, held.attempt, held.held) == (0, 1, 1)
    assert standing(plan, talk("I worry.", "I don't know.", "Not sure."), "en").index == 1


def test_keeping_technique_and_phase_keeps_the_place():
    plan = sample_plan()
    said = talk(*[f"Answer {number} tells of one more thing." for number in range(1, 8)])
    at = standing(plan, said, "en")
    assert phase_at(plan, at) is Phase.INTERVENTION
    kept = revise(plan, decision(), Trigger.SCHEDULE, CALM, said, scene(8))
    assert kept.steps == plan.steps[at.index :]
    assert kept.revision == 2


def test_a_step_that_is_being_answered_while_the_plan_is_revised_is_not_asked_again():
    plan = sample_plan()
    said = talk(*[f"Answer {number} tells of one more thing." for number in range(1, 8)])
    asked = plan.steps[standing(plan, said, "en").index]
    kept = revise(plan, decision(), Trigger.SCHEDULE, CALM, said, scene(8))
    answered = [*said, turn(COUNSELOR, "And then?", exchange=7), turn(CLIENT, "Then it was over.", exchange=8)]
    assert kept.steps[standing(kept, answered, "en").index] == plan.steps[plan.steps.index(asked) + 1]
    held = [*answered[:-1], turn(CLIENT, "I don't know.", exchange=8)]
    assert kept.steps[standing(kept, held, "en").index] == asked


def test_another_technique_does_not_explore_again_what_was_explored():
    plan, said = (
        sample_plan(),
        talk("It began in May.", "On Monday he asked me to stay late.", "I thought I would fail."),
    )
    at = standing(plan, said, "en")
    assert phase_at(plan, at) is Phase.EXPLORATION
    made = revise(plan, decision(Phase.EXPLORATION, Technique.PIE_CHART), Trigger.SCHEDULE, CALM, said, scene(4))
    explored = [step.id for step in made.steps if step.phase is Phase.EXPLORATION]
    assert explored == [step.id for step in plan.steps[at.index + 1 :] if step.phase is Phase.EXPLORATION]
    assert explored


def test_a_new_technique_is_sought_while_the_last_step_is_answered():
    plan = sample_plan()
    short = plan.model_copy(update={"steps": tuple(step for step in plan.steps if step.phase is Phase.AGENDA)})
    said = talk("It began in May.")
    assert due(short, CALM, said, scene(2)) is Trigger.STEPS_DONE


def test_another_technique_starts_at_its_first_step():
    said = talk(*[f"Answer {number} tells of one more thing." for number in range(1, 8)])
    made = revise(sample_plan(), decision(technique=Technique.PIE_CHART), Trigger.STALLED, CALM, said, scene(7))
    assert made.steps[0].id == "own_share"


def test_a_session_does_not_go_back_to_its_agenda():
    made = revise(sample_plan(), decision(Phase.AGENDA, Technique.PIE_CHART), Trigger.SCHEDULE, CALM, [], scene(5))
    assert made.steps[0].phase is Phase.EXPLORATION


def test_a_session_does_not_close_before_its_minimum():
    made = revise(
        sample_plan(), decision(Phase.CLOSING), Trigger.SCHEDULE, CALM, [], scene(5, min_exchanges=30, max_exchanges=40)
    )
    assert Phase.CLOSING not in {step.phase for step in made.steps}
