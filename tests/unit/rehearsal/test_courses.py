"""Courses on the rehearsal model: what one session takes from the last."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from counselgraph.graphs.course_state import CourseStop
from counselgraph.models.rehearsal.agenda import heard_in
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.evidence import said_by_any
from counselgraph.models.rehearsal.hearing import fares, outcome
from counselgraph.models.rehearsal.reading import RATINGS, read
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.words import sentences
from counselgraph.personas.interlude import Homework
from counselgraph.personas.persona import Attitude, Style
from counselgraph.protocols.technique import ApproachName
from tests.unit.rehearsal.course_driver import Course, built_in, course_of

PEOPLE = (("maya-okafor", "cbt", 2), ("yuki-tanaka", "acceptance_and_commitment", 4), ("kwame-mensah", "cbt", 3))
FARES = {2: "better", 1: "better", 0: "same", -1: "worse", -2: "worse"}
NEWS = 9
"""Words from which a sentence told again word for word would be noticed."""


@pytest.fixture(scope="module", params=PEOPLE, ids=lambda who: who[0])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Course:
    name, protocol, seed = request.param
    return course_of(built_in(name), folder=tmp_path_factory.mktemp(name) / "memory", seed=seed, protocol=protocol)


def later(course: Course) -> range:
    """The sessions after the first, counted from 1."""
    return range(2, len(course.sessions) + 1)


def test_no_turn_is_said_twice_in_a_session(course: Course):
    assert len(course.sessions) == 5
    for session in course.sessions:
        texts = [normal(text) for _role, text in session]
        assert len(set(texts)) == len(texts)


def test_an_opening_names_something_of_the_session_before(course: Course):
    for number in later(course):
        opening = normal(course.counselor(number)[0])
        agenda = heard_in(course.reviews[number - 2].agenda)
        before = normal(" ".join(text for _role, text in course.sessions[number - 2]))
        assert agenda.task or agenda.left_open
        assert (agenda.task and normal(agenda.task) in opening) or normal(agenda.left_open) in opening
        assert all(normal(part) in before for part in (agenda.task, agenda.left_open))


def test_the_task_is_asked_about_and_reported_as_the_days_had_it(course: Course):
    for number in later(course):
        passed, opening = course.interludes[number - 2], course.counselor(number)[0]
        task = heard_in(course.reviews[number - 2].agenda).task
        assert (passed.homework is Homework.NONE) is (task == "")
        assert "homework_review" in read(opening).asks
        if task:
            assert passed.homework_note in course.client(number)[0]
            assert outcome(course.client(number)[0]) == passed.homework


def test_the_first_turn_tells_how_it_has_been_and_what_happened(course: Course):
    for number in later(course):
        passed, told = course.interludes[number - 2], course.client(number)[0]
        assert fares(told) == ("relapse" if passed.relapse else FARES[passed.mood])
        assert passed.event in told


def test_the_counselor_answers_the_days_and_not_only_the_task(course: Course):
    lines = bank("counselor/later")
    for number in later(course):
        kind = fares(course.client(number)[0])
        assert any(line in course.counselor(number)[1] for line in lines[kind])


def test_nothing_is_told_as_news_twice(course: Course):
    told: Counter[str] = Counter()
    again = tuple(bank("client/since")["known"])
    for number in later(course):
        for turn in course.client(number):
            if not any(line in turn for line in again):
                told.update({part for part in sentences(turn) if len(part.split()) >= NEWS and '"' not in part})
    twice = [sentence for sentence, times in told.items() if times > 1]
    assert not [sentence for sentence in twice if not said_by_any(sentence)]
    assert len(twice) <= 2


def test_evidence_is_what_the_client_said_word_for_word(course: Course):
    for number, review in enumerate(course.reviews, 1):
        assert any(review.evidence in turn for turn in course.client(number))


def test_what_was_worked_on_in_the_first_session_is_spoken_of_in_a_later_one(course: Course):
    first = normal(course.client(1)[0])
    spoken = [turn for number in later(course) for turn in course.counselor(number)]
    quotes = [normal(quote) for turn in spoken for quote in re.findall(r"\"([^\"]+)\"", turn)]
    back = [turn for turn in spoken if "first talk" in turn or "first came" in turn or "once came in" in turn]
    assert back or any(len(quote.split()) > 3 and quote in first for quote in quotes)


def test_a_later_session_does_not_start_from_zero(course: Course):
    lengths = [outcome.exchanges for outcome in course.outcomes]
    assert min(lengths[1:]) < lengths[0]
    assert course.outcomes[0].technique != course.outcomes[1].technique


def test_the_same_seed_plays_the_same_course_and_another_seed_another(tmp_path: Path):
    yuki = built_in("yuki-tanaka")
    once = course_of(yuki, folder=tmp_path / "one", sessions=3)
    assert course_of(yuki, folder=tmp_path / "two", sessions=3) == once
    assert course_of(yuki, folder=tmp_path / "three", sessions=3, seed=2).sessions != once.sessions


def test_a_course_without_a_memory_still_builds_on_its_agenda():
    course = course_of(built_in("maya-okafor"), sessions=3)
    for number in later(course):
        assert heard_in(course.reviews[number - 2].agenda).task in course.counselor(number)[0]
        assert "come in today" not in course.counselor(number)[0]


def test_where_a_way_of_working_does_not_suit_the_approach_is_changed_and_said_so(tmp_path: Path):
    tom = built_in("kwame-mensah", attitude=Attitude.NEGATIVE, receptivity=0.1)
    course = course_of(tom, folder=tmp_path / "memory", seed=3)
    changed = [number for number, review in enumerate(course.reviews, 1) if review.decision == "change"]
    assert changed
    assert changed[0] >= 2
    turned = course.reviews[changed[0] - 1].approach
    assert turned is not ApproachName.CBT
    assert course.outcomes[changed[0]].approach is turned
    second = course.counselor(changed[0] + 1)[1]
    assert any(line in second for line in bank("counselor/later")["other_way"][turned])


def test_a_relapse_makes_the_old_thought_firm_again_and_progress_loosens_it():
    found: dict[bool, list[int]] = {True: [], False: []}
    for seed in range(8):
        course = course_of(built_in("maya-okafor"), seed=seed, sessions=4)
        for number in range(3, len(course.sessions) + 1):
            passed = course.interludes[number - 2]
            for asked, said in zip(course.counselor(number), course.client(number), strict=False):
                rated = {"rate_belief", "rate_sure", "rate_likely"} & RATINGS & set(read(asked).asks)
                numbers = re.findall(r"\b\d{2,3}\b", said)
                if rated and numbers:
                    found[passed.relapse].append(int(numbers[0]))
                    break
    assert found[True]
    assert min(found[True]) > sum(found[False]) / len(found[False])


def test_a_client_of_few_words_keeps_the_event_for_later():
    terse = built_in("peter-novak", style=Style(verbosity=1))
    course = course_of(terse, sessions=2, seed=5)
    assert len(course.client(2)[0].split()) < 45
    assert course.interludes[0].homework_note in course.client(2)[0]


@pytest.mark.parametrize("name", ["lin-wen", "carmen-ruiz", "reza-karimi"])
def test_a_course_in_another_language_comes_to_its_end(name: str):
    course = course_of(built_in(name), sessions=3)
    assert course.ending is not None
    assert course.ending.stop in {CourseStop.COMPLETED, CourseStop.DROPPED_OUT}
    for number in later(course):
        assert course.client(number)[0] == course.interludes[number - 2].event


@pytest.mark.parametrize("protocol", ApproachName)
def test_every_approach_plays_a_course(protocol: ApproachName):
    course = course_of(built_in("claire-moreau"), sessions=3, protocol=protocol, seed=4)
    for number, session in enumerate(course.sessions, 1):
        assert "{" not in "".join(text for _role, text in session), number
    assert course.outcomes[0].approach is protocol
    assert {review.decision for review in course.reviews[:1]} == {"keep"}


def test_slots_are_filled_only_where_all_are_known():
    assert filled(["{a} and {b}", "{a} alone"], {"a": "one"}) == ["one alone"]
