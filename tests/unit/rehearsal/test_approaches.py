"""Every approach has words for each of its steps, on both sides of the room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.answers import entry_for
from counselgraph.models.rehearsal.frames import mark_of, slots_of, step_said
from counselgraph.models.rehearsal.hearing import outcome, stance
from counselgraph.models.rehearsal.lines import (
    step_bank,
    step_frames,
    steps_of_all,
    task_of,
    tasks_offered,
    technique_lines,
)
from counselgraph.models.rehearsal.reading import STEP_ASKS, read
from counselgraph.models.rehearsal.recall import task_technique
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.protocols.technique import TECHNIQUES, AnyTechnique, ApproachName, Phase
from counselgraph.safety.levels import Level, Risk
from counselgraph.safety.screen import screen, screen_reply
from tests.unit.rehearsal.counselor_driver import plan_for, play

OTHERS = [name for name in ApproachName if name is not ApproachName.CBT]
NEW = [technique for name in OTHERS for technique in TECHNIQUES[name]]
STEPS = [(way, step) for way in NEW for step in load_protocol(plan_for(way).approach).techniques[way].steps]
IN_SLOTS = {"t": "4", "t2": "7", "n": "40", "day": "Monday", "when": "when I speak", "adj": "sad", "noun": "guilt"}
CLIENT_BANKS = [*(f"client/{name}" for name in OTHERS), "client/since", "client/fit", "life", "homework"]
OPENINGS = ("I've been lying awake because of work.", "Yes, let's look at that.", "On Tuesday my boss asked me for it.")


def filled(line: str, **more: str) -> str:
    slots = {**dict.fromkeys(slots_of(line), "my boss rang at noon"), **IN_SLOTS, **more}
    return line.format_map(slots)


def lines_of(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from lines_of(part)


@pytest.mark.parametrize(("technique", "step"), STEPS, ids=lambda value: getattr(value, "id", str(value)))
def test_every_step_has_three_wordings_and_is_recognised_by_each(technique: AnyTechnique, step: Step):
    frames = step_frames(technique, step.id)
    assert len(frames["first"]) >= 3
    assert len(frames["again"]) >= 2
    assert any(not slots_of(frame) for frame in frames["first"])
    for frame in (*frames["first"], *frames["again"]):
        assert step_said(f"I see. {filled(frame)}") == step.id


@pytest.mark.parametrize("approach", OTHERS)
def test_every_step_of_every_phase_has_words(approach: ApproachName):
    protocol = load_protocol(approach)
    for phase in Phase:
        for step in protocol.phases.get(phase, ()):
            assert step_bank(approach)[step.id].get("first"), step.id


@pytest.mark.parametrize("approach", OTHERS)
def test_no_word_stands_in_a_bank_for_a_step_that_no_protocol_has(approach: ApproachName):
    protocol = load_protocol(approach)
    assert set(bank(f"counselor/{approach}")["techniques"]) == set(protocol.techniques)
    for technique, way in protocol.techniques.items():
        parts = {name for name, part in technique_lines(technique).items() if isinstance(part, dict)}
        assert parts == {step.id for step in way.steps}


def test_no_two_steps_of_any_approach_can_be_mistaken_for_each_other():
    marks: dict[str, str] = {}
    for _approach, step, parts in steps_of_all():
        for kind in ("first", "again"):
            for frame in parts.get(kind, ()):
                marks.setdefault(mark_of(frame), step)
    assert not [(a, b) for a, b in combinations(sorted(marks), 2) if a in b and marks[a] != marks[b]]


@pytest.mark.parametrize("technique", NEW)
def test_a_session_walks_through_the_plan_and_repeats_nothing(technique: AnyTechnique):
    said = (*OPENINGS, *(f"It was on the {n}. of the month, and my sister rang at {n} o'clock." for n in range(1, 11)))
    turns = play(technique, said)
    steps = [step.id for step in plan_for(technique).steps]
    worked = [step for step in map(step_said, turns[1:]) if step in steps]
    assert worked == [step for step in steps if step in worked]
    assert {step.id for step in plan_for(technique).steps if step.phase is Phase.INTERVENTION} <= set(worked)
    assert len(set(turns)) == len(turns)
    assert re.search(r"\b(?:Goodbye|Until next time)\b", turns[len(steps)])


@pytest.mark.parametrize("technique", NEW)
def test_a_turn_is_short_asks_little_and_needs_no_replacement(technique: AnyTechnique):
    for seed in range(3):
        for said in play(technique, OPENINGS * 4, seed=seed):
            assert said.count("?") <= 3
            assert len(said.split()) <= 110
            assert "{" not in said
            assert screen_reply(said, risk=Risk()).level < Level.ACTIVE, said


def test_person_centred_counselors_set_no_task_and_all_others_do():
    for approach in OTHERS:
        sets = [technique for technique in TECHNIQUES[approach] if task_of(technique)]
        assert sets == ([] if approach is ApproachName.PERSON_CENTRED else list(TECHNIQUES[approach]))
    for technique in TECHNIQUES[ApproachName.PERSON_CENTRED]:
        assert all(task_technique(turn) is None for turn in play(technique, OPENINGS * 4))


def test_a_task_can_stand_after_you_were_going_to_and_is_known_by_its_words():
    for technique in NEW:
        task = task_of(technique)
        assert '"' not in task
        assert not task.startswith(("when ", "if ", "each "))
        for offered in technique_lines(technique).get("homework", ()):
            assert task_technique(f"I see. {offered} Which day?") is technique
    assert all("homework" in read(line).asks for line in tasks_offered())


@pytest.mark.parametrize("approach", OTHERS)
def test_the_client_has_an_answer_of_its_own_to_every_step(approach: ApproachName):
    protocol, own = load_protocol(approach), bank(f"client/{approach}")
    explored = [step.id for step in protocol.phases[Phase.EXPLORATION]]
    worked = [step.id for way in protocol.techniques.values() for step in way.steps]
    for step in (*explored, *worked):
        assert entry_for(STEP_ASKS.get(step, step)) is own[step]
        assert len(own[step]["say"]) >= 2
        assert own[step]["cool"]


@pytest.mark.parametrize(("technique", "step"), STEPS, ids=lambda value: getattr(value, "id", str(value)))
def test_the_client_understands_what_it_is_asked(technique: AnyTechnique, step: Step):
    for frame in (*step_frames(technique, step.id)["first"], *step_frames(technique, step.id)["again"]):
        assert read(filled(frame)).asks == (step.id,), frame


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("How important is it to you, on a scale from 0 to 10?", "importance_number"),
        ("How confident are you that you could do it, from 0 to 10?", "confidence_number"),
        ("On a scale from 0 to 10, where are you today?", "number_now"),
        ("How much do you believe that, from 0 to 100?", "rate_belief"),
    ],
)
def test_numbers_out_of_ten_are_told_from_those_out_of_a_hundred(line: str, asked: str):
    assert read(line).asks == (asked,)


@pytest.mark.parametrize("name", [name for name in CLIENT_BANKS if name != "client/fit"])
def test_nothing_a_client_may_say_is_a_sign_of_danger(name: str):
    lead = set(bank("client/since")["risk_lead"])
    for line in lines_of({key: part for key, part in bank(name).items() if key != "areas"}):
        if line not in lead:
            assert screen(filled(line)).level is Level.NONE, line


def test_no_event_is_a_sign_of_danger():
    for area in bank("life")["areas"].values():
        for line in lines_of([area["rising"], area["falling"]]):
            assert screen(filled(line)).level is Level.NONE, line


@pytest.mark.parametrize("approach", OTHERS)
def test_an_open_client_answers_no_step_with_resistance(approach: ApproachName):
    for entry in bank(f"client/{approach}").values():
        for line in (*entry["say"], *entry.get("warm", ())):
            assert stance(filled(line), held=False) not in {"resists", "asks_why"}, line


def test_reports_on_a_task_are_heard_as_what_they_are():
    for technique in NEW:
        if task_of(technique):
            reports = bank("homework")[technique]
            assert {outcome(filled(line)) for line in reports["done"]} == {"done"}
            assert {outcome(filled(line)) for line in reports["half"]} == {"half"}


@pytest.mark.parametrize("name", [*CLIENT_BANKS, *(f"counselor/{name}" for name in OTHERS), "counselor/later"])
def test_no_line_can_be_taken_for_a_question_about_danger(name: str):
    risk = bank("counselor/risk")
    asked = "|".join(topic["asked"] for topic in (*risk["topics"].values(), risk["concern"]))
    assert not [line for line in lines_of(bank(name)) if re.search(asked, line, re.IGNORECASE)]
