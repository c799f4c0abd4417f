"""What happens to a client between two sessions, by the rehearsal model."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from counselgraph.agents.ask import seed_for
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.events import event_told, events_for, slots_of
from counselgraph.models.rehearsal.fitness import suits
from counselgraph.models.rehearsal.hearing import fares, outcome, stance
from counselgraph.models.rehearsal.life import live
from counselgraph.models.rehearsal.lines import step_bank, technique_lines
from counselgraph.personas.interlude import Homework, Interlude
from counselgraph.personas.load import load_personas
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.protocols.technique import ApproachName, MotivationalTechnique, Technique
from tests.unit.rehearsal.client_driver import bare, person

TASK = str(technique_lines(Technique.CONTINUUM)["homework"][0])
TOLD = f"I see. {TASK} Which day would you start?"


def gap(persona: Persona, *, seed: int = 1, number: int = 1, task: str = TOLD, **more: Any) -> Interlude:
    language = more.pop("language", "en")
    view = {"persona": persona, "number": number, "task": task, **more}
    asked = Request(role="life", messages=(), view=view, output=Interlude, seed=seed, language=language)
    return Interlude.model_validate_json(live(asked).text)


def gaps(attitude: Attitude, *, courses: int = 150, persona: Persona | None = None) -> list[list[Interlude]]:
    """The times between the sessions of many courses of five."""
    lived = []
    for course in range(courses):
        before: list[Interlude] = []
        who = persona or person(attitude=attitude)
        for number in range(1, 5):
            seed = seed_for(course, attitude, number)
            before.append(gap(who, seed=seed, number=number, interludes=list(before)))
        lived.append(before)
    return lived


def test_the_bank_holds_sixty_events_in_several_areas_both_ways():
    areas = bank("life")["areas"]
    assert len(areas) >= 7
    assert sum(len(area[way]) for area in areas.values() for way in ("rising", "falling")) >= 60
    assert all(len(area[way]) >= 3 for area in areas.values() for way in ("rising", "falling"))


def test_an_event_says_nothing_of_the_task_nor_of_how_it_has_been():
    for area in bank("life")["areas"].values():
        for event in (*area["rising"], *area["falling"]):
            assert outcome(event["tell"]) == "done", event
            assert fares(event["tell"]) == "same", event
            assert stance(event["tell"], held=False) in {"tells", "warm"}, event


def test_events_belong_to_the_life_of_the_client():
    fred = person(
        functioning={"relationships": "My sister lives next door."}, demographics={"marital_status": "Single"}
    )
    areas = {event.area for event in events_for(fred)}
    assert {"work", "family", "health"} <= areas
    assert "partner" not in areas
    assert slots_of(fred)["kin"] == "my sister"
    assert {event.area for event in events_for(bare())} == {"health", "home"}


@pytest.mark.parametrize("fate", ["My mother died in spring.", "I haven't got a mother; my late mother was a nurse."])
def test_nobody_rings_who_is_dead(fate: str):
    assert "kin" not in slots_of(bare(history={"life": fate}))


def test_the_same_request_lives_the_same_days_and_another_seed_others():
    assert gap(person(), seed=3) == gap(person(), seed=3)
    assert len({gap(person(), seed=seed).event for seed in range(12)}) > 6


def test_no_event_comes_twice_in_a_course():
    for course in gaps(Attitude.NEUTRAL, courses=40):
        assert len({passed.event for passed in course}) == len(course)
        assert all(event_told(person(), passed.event) is not None for passed in course)


def test_mood_has_inertia_and_events_go_with_it():
    pairs = [(a, b) for course in gaps(Attitude.NEUTRAL) for a, b in pairwise(course)]
    after_good = [b.mood for a, b in pairs if a.mood > 0 and not b.relapse]
    after_bad = [b.mood for a, b in pairs if a.mood < 0 and not b.relapse]
    assert sum(after_good) / len(after_good) > sum(after_bad) / len(after_bad) + 0.2
    for _before, passed in pairs:
        told = event_told(person(), passed.event)
        assert told is not None
        assert passed.mood == 0 or told.rising is (passed.mood > 0)


def test_the_task_is_done_by_attitude_and_reported_in_words_that_fit():
    shares = {}
    for attitude in Attitude:
        lived = [passed for course in gaps(attitude) for passed in course]
        shares[attitude] = Counter(passed.homework for passed in lived)
        assert all(outcome(passed.homework_note) == passed.homework for passed in lived)
    done = {attitude: shares[attitude][Homework.DONE] for attitude in Attitude}
    assert done[Attitude.POSITIVE] > done[Attitude.NEUTRAL] > done[Attitude.NEGATIVE]
    assert shares[Attitude.NEGATIVE][Homework.UNDONE] > 300


def test_the_note_is_about_the_task_that_was_given():
    for technique in (Technique.CONTINUUM, MotivationalTechnique.CHANGE_PLANNING):
        told = str(technique_lines(technique)["homework"][0])
        notes = [gap(person(attitude="positive"), seed=seed, task=told) for seed in range(30)]
        heads = {line.split("{")[0] for line in bank("homework")[technique]["done"]}
        done = [note.homework_note for note in notes if note.homework is Homework.DONE]
        assert done
        assert all(any(note.startswith(head) for head in heads) for note in done)


def test_without_a_task_there_is_nothing_to_report():
    passed = gap(person(), task="")
    assert passed.homework is Homework.NONE
    assert passed.homework_note == ""


def test_what_was_only_an_invitation_is_not_left_undone():
    invited = step_bank(ApproachName.PERSON_CENTRED)["homework"]["first"][0]
    passed = gap(person(attitude="negative"), task=f"I hear you. {invited}")
    assert passed.homework is Homework.DONE
    assert passed.homework_note in bank("life")["stayed"]


def test_relapse_comes_about_one_gap_in_six_and_less_often_when_it_has_gone_well_twice():
    lived = gaps(Attitude.NEUTRAL, courses=300)
    later = [(course[:number], course[number]) for course in lived for number in (2, 3)]
    risen = [passed.relapse for before, passed in later if all(a.mood > 0 for a in before[-2:])]
    others = [passed.relapse for before, passed in later if not all(a.mood > 0 for a in before[-2:])]
    every = [passed.relapse for course in lived for passed in course]
    assert 0.1 < sum(every) / len(every) < 0.23
    assert sum(risen) / len(risen) < sum(others) / len(others)
    assert all(passed.mood < 0 for course in lived for passed in course if passed.relapse)


def test_few_stay_away_and_all_of_them_say_why():
    for attitude, most in ((Attitude.POSITIVE, 0.05), (Attitude.NEUTRAL, 0.06), (Attitude.NEGATIVE, 0.12)):
        lived = gaps(attitude, courses=300)
        left = [passed for course in lived for passed in course if passed.leaves]
        assert 0 < len(left) / 1200 < most
        assert all(passed.reason for passed in left)
        assert len({passed.reason for passed in left}) > 3
    assert not any(course[0].leaves for course in gaps(Attitude.POSITIVE, courses=300))


def test_most_gaps_are_a_week_and_some_are_two():
    days = Counter(passed.days for course in gaps(Attitude.NEUTRAL) for passed in course)
    assert days[7] > 400
    assert days[14] > 40


def test_nothing_is_added_to_the_days_of_somebody_at_risk():
    risk = {"level": 2, "statements": ["I wouldn't mind not waking up."], "settles": True}
    at_risk = person(attitude="negative", risk=risk)
    for course in gaps(Attitude.NEGATIVE, courses=60, persona=at_risk):
        for passed in course:
            told = event_told(at_risk, passed.event)
            assert told is not None
            assert told.rising
            assert passed.mood > -2
            assert not passed.relapse


@pytest.mark.parametrize("persona", [p for p in load_personas("builtin").personas if p.language != "en"])
def test_in_another_language_the_clients_own_sentences_are_all_there_is(persona: Persona):
    passed = gap(persona, language=persona.language)
    assert passed.event in {*persona.conceptualization.situations, *persona.conceptualization.behaviours}
    assert passed.homework_note == ""


def test_what_suits_a_client_follows_its_words_and_its_attitude():
    habit = bare(presenting_problem={"statement": "My wife made me come. Part of me wants to stop drinking."})
    assert suits(habit.model_copy(update={"attitude": Attitude.NEGATIVE}))[0] is ApproachName.MOTIVATIONAL_INTERVIEWING
    assert suits(person(attitude="positive"))[0] is ApproachName.CBT
