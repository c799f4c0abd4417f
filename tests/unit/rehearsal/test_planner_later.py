"""The rehearsal planner in other approaches and in later sessions of a course."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.agenda import agenda_for
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.lines import technique_lines
from counselgraph.models.rehearsal.planner import decide, scores
from counselgraph.models.rehearsal.planner.scoring import fit_any, follows, needs_sign
from counselgraph.models.rehearsal.planner.sight import approach_asked
from counselgraph.models.rehearsal.recall import worked_with
from counselgraph.personas.persona import Intake
from counselgraph.protocols.plan import Decision, PlanDecision, decision_type
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import (
    TECHNIQUES,
    AcceptanceTechnique,
    AnyTechnique,
    ApproachName,
    MotivationalTechnique,
    PersonCentredTechnique,
    Phase,
    SolutionFocusedTechnique,
    Technique,
)
from counselgraph.transcript import turn

OTHERS = [name for name in ApproachName if name is not ApproachName.CBT]
FOCUS = "I will be found out"


def decided(*lines: str, approach: ApproachName = ApproachName.CBT, seed: int = 1, **view: Any) -> Decision:
    """The decision after these client turns; the first plan of a session, which is made before any, with none."""
    messages = [turn("counselor", "Hello.", exchange=0)]
    for exchange, line in enumerate(lines, 1):
        messages += [turn("client", line, exchange=exchange), turn("counselor", "I see.", exchange=exchange)]
    known = {"intake": Intake(name="Mira"), "messages": messages, "exchange": len(lines), **view}
    output = decision_type(approach)
    asked = Request(role="planner", messages=(), view=known, output=output, exchange=len(lines), seed=seed)
    return output.model_validate_json(decide(asked).text)


def worked(session: int, technique: AnyTechnique) -> tuple[MemoryRecord, ...]:
    """What a counselor keeps of a session worked with a technique."""
    approach = next(name for name in ApproachName if technique in list(TECHNIQUES[name]))
    label = load_protocol(approach).techniques[technique].label
    texts = [(Kind.SUMMARY, f'We worked on "{FOCUS}" with the technique {label}.')]
    texts += [(Kind.HOMEWORK, str(line)) for line in technique_lines(technique).get("homework", ())[:1]]
    return tuple(
        MemoryRecord(
            owner="counselor", client_id="mira", kind=kind, text=text, session=f"s{session}", session_number=session
        )
        for kind, text in texts
    )


def later(*techniques: AnyTechnique, approach: ApproachName = ApproachName.CBT, seed: int = 1) -> Decision:
    """The first decision of a session after sessions with these techniques."""
    memories = tuple(note for number, way in enumerate(techniques, 1) for note in worked(number, way))
    agenda = agenda_for(task="write it down", left_open=FOCUS, danger=False)
    return decided(approach=approach, seed=seed, counselor_memories=memories, agenda=agenda)


@pytest.mark.parametrize("approach", ApproachName)
def test_the_approach_is_the_one_whose_techniques_are_asked_for(approach: ApproachName):
    request = Request(role="planner", messages=(), output=decision_type(approach))
    assert approach_asked(request) is approach
    assert decided("It's been hard.", approach=approach).technique in TECHNIQUES[approach]


@pytest.mark.parametrize("output", [None, Decision, PlanDecision])
def test_where_no_approach_is_named_it_is_cbt(output: type[Decision] | None):
    assert approach_asked(Request(role="planner", messages=(), output=output)) is ApproachName.CBT


@pytest.mark.parametrize(
    ("said", "technique"),
    [
        (
            "I'm only here because my wife made me. I don't have a problem.",
            MotivationalTechnique.SOFTENING_SUSTAIN_TALK,
        ),
        ("Part of me wants to, and I'm torn, back and forth.", MotivationalTechnique.DECISIONAL_BALANCE),
        ("I've decided. Where do I start?", MotivationalTechnique.CHANGE_PLANNING),
        ("It's hard to put into words. There's a lump in my throat.", PersonCentredTechnique.FELT_SENSE),
        ("I'm wasting your time, and you must think I'm mad.", PersonCentredTechnique.IMMEDIACY),
        ("There are some days, better days, except when it rains.", SolutionFocusedTechnique.EXCEPTION_FINDING),
        ("I can't take it any more. I'm exhausted and nothing helps.", SolutionFocusedTechnique.COPING_QUESTIONS),
        ("It goes round and round, I can't stop thinking, what if.", AcceptanceTechnique.COGNITIVE_DEFUSION),
        ("What's the point? I don't know what I want, it's all empty.", AcceptanceTechnique.VALUES_CLARIFICATION),
    ],
)
def test_the_protocols_own_cues_decide_in_other_approaches(said: str, technique: AnyTechnique):
    approach = next(name for name in ApproachName if technique in list(TECHNIQUES[name]))
    for seed in range(5):
        found = decided(said, approach=approach, seed=seed)
        assert found.technique is technique
        assert load_protocol(approach).techniques[technique].seen in found.reason


@pytest.mark.parametrize("approach", OTHERS)
def test_without_a_sign_a_usual_technique_is_chosen(approach: ApproachName):
    found = {decided("Hello.", approach=approach, seed=seed).technique for seed in range(30)}
    assert found <= fit_any(approach)
    assert len(found) > 1


def test_no_text_scores_below_nothing_in_any_approach():
    for approach in ApproachName:
        nothing = scores("", approach)
        assert all(score >= nothing[way] for way, score in scores("I avoid it, what if I fail", approach).items())


@pytest.mark.parametrize("approach", ApproachName)
def test_every_technique_leads_on_to_others_of_its_approach_and_not_straight_back(approach: ApproachName):
    assert set(bank("planner")["fit_any"][approach]) <= {str(way) for way in TECHNIQUES[approach]}
    for way in TECHNIQUES[approach]:
        ahead = follows(way)
        assert ahead
        assert set(ahead) <= set(TECHNIQUES[approach]) - {way}
        assert all(way not in follows(following)[:1] for following in ahead[:1])


def test_a_later_session_turns_to_another_technique_and_keeps_the_focus():
    for approach in ApproachName:
        first = next(way for way in TECHNIQUES[approach] if way in fit_any(approach))
        for seed in range(10):
            found = later(first, approach=approach, seed=seed)
            assert found.technique is not first
            assert found.focus == FOCUS


def test_techniques_that_need_a_sign_wait_for_one():
    found = {later(Technique.BEHAVIOR_EXPERIMENT, seed=seed).technique for seed in range(20)}
    assert not any(map(needs_sign, found))


def test_over_a_course_few_techniques_come_back():
    for approach in ApproachName:
        used: list[AnyTechnique] = [next(way for way in TECHNIQUES[approach] if way in fit_any(approach))]
        for seed in range(4):
            used.append(later(*used, approach=approach, seed=seed).technique)
        assert max(Counter(used).values()) <= 2
        assert len(set(used)) >= 4


def test_a_later_session_goes_straight_on_or_explores_what_is_new():
    phases = Counter(later(Technique.ALTERNATIVE_PERSPECTIVE, seed=seed).phase for seed in range(40))
    assert set(phases) == {Phase.AGENDA, Phase.INTERVENTION}
    assert phases[Phase.INTERVENTION] > phases[Phase.AGENDA]
    for approach in (ApproachName.SOLUTION_FOCUSED, ApproachName.MOTIVATIONAL_INTERVIEWING):
        first = next(way for way in TECHNIQUES[approach] if way in fit_any(approach))
        assert later(first, approach=approach).phase is Phase.INTERVENTION


@pytest.mark.parametrize("approach", OTHERS)
def test_a_new_approach_starts_at_its_beginning(approach: ApproachName):
    found = later(Technique.CONTINUUM, approach=approach)
    assert found.phase is Phase.AGENDA
    assert "new" in found.reason


def test_what_a_session_was_worked_with_is_known_by_its_summary_or_its_task():
    first, second = worked(1, Technique.CONTINUUM), worked(2, Technique.PIE_CHART)
    assert worked_with((*first, *second)) == (Technique.CONTINUUM, Technique.PIE_CHART)
    assert worked_with((first[1], *second)) == (Technique.CONTINUUM, Technique.PIE_CHART)
    assert worked_with(()) == ()
