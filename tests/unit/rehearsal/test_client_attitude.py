from __future__ import annotations

import itertools
import random
import re
from statistics import mean

import pytest

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.ratings import slices
from counselgraph.models.rehearsal.client.scene import gives_nothing
from counselgraph.models.rehearsal.client.warmth import pairs, warmth
from counselgraph.models.rehearsal.client.wording import quoted
from counselgraph.models.rehearsal.hearing import outcome
from counselgraph.models.rehearsal.lines import task_of
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import TECHNIQUES, ApproachName, Technique
from counselgraph.transcript import CLIENT, COUNSELOR, turn
from tests.unit.rehearsal.client_driver import CLOSING, EVIDENCE, EXPLORING, PIE, answers, form, person, play

SESSION = (*EXPLORING, *EVIDENCE, *CLOSING)
PUSHING = (
    "You should just relax.",
    "That's not true, you're exaggerating.",
    "Come on, be honest.",
    "Stop making excuses.",
)
SEEDS = range(12)


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"\b\d{1,3}\b", text)]


def words(attitude: str) -> float:
    said = [line for seed in SEEDS for line in play(person(attitude=attitude), SESSION[:-1], seed=seed)]
    return mean(len(line.split()) for line in said)


def held(attitude: str) -> int:
    return sum(gives_nothing(line) for seed in SEEDS for line in play(person(attitude=attitude), SESSION, seed=seed))


def drop(attitude: str) -> float:
    moves = []
    for seed in SEEDS:
        said = play(person(attitude=attitude), [EXPLORING[0], *EVIDENCE], seed=seed)
        first, last = numbers(said[1]), numbers(said[4])
        if first and last:
            moves.append(first[0] - last[0] if last[0] != first[0] else 0)
    return mean(moves)


def test_a_negative_client_says_less_holds_back_more_and_moves_less():
    assert words("negative") < 0.75 * words("positive")
    assert held("negative") > 8
    assert held("positive") == 0
    assert drop("negative") < 5 < drop("positive")


def test_nobody_holds_back_more_than_twice_in_a_row():
    for seed in SEEDS:
        said = play(
            person(attitude="negative", receptivity=0.0), [EXPLORING[0], *["And what about that?"] * 30], seed=seed
        )
        runs = [len(list(run)) for gone, run in itertools.groupby(said, key=gives_nothing) if gone]
        assert max(runs, default=0) <= 2


def warmth_after(line: str, attitude: Attitude = Attitude.NEGATIVE) -> float:
    messages = [
        message
        for exchange in range(8)
        for message in (turn(COUNSELOR, line, exchange=exchange), turn(CLIENT, "It's hard.", exchange=exchange + 1))
    ]
    return warmth(person(attitude=attitude), pairs(messages))


def test_a_good_counselor_warms_a_negative_client_and_a_pushing_one_cools_a_positive_one():
    kind = "That makes sense, and it must be hard. It sounds like you feel alone with it. What is it like?"
    assert warmth_after(kind) > 0.36 > warmth_after(PUSHING[1])
    assert warmth_after(kind) < warmth_after(kind, Attitude.POSITIVE)
    assert warmth_after(PUSHING[1], Attitude.POSITIVE) < 0.36


def test_only_a_cold_negative_client_walks_out():
    ends = {
        attitude: [answers(person(attitude=attitude), [*EXPLORING, *PUSHING * 3], seed=seed)[-1].end for seed in SEEDS]
        for attitude in ("negative", "positive")
    }
    assert any(ends["negative"])
    assert not any(ends["positive"])
    assert not any(answers(person(attitude="negative"), SESSION, seed=seed)[-1].end for seed in SEEDS)


@pytest.mark.parametrize("attitude", list(Attitude))
def test_a_rating_asked_for_again_starts_from_the_first(attitude: Attitude):
    for seed in SEEDS:
        said = play(form(attitude=attitude), [EXPLORING[0], EVIDENCE[0], "Mhm, yes.", EVIDENCE[3]], seed=seed)
        first, last = numbers(said[1]), numbers(said[3])
        if first and last:
            assert last[0] <= first[0]
            assert last[1:] in ([], first)


@pytest.mark.parametrize("attitude", list(Attitude))
def test_a_pie_sums_to_a_hundred(attitude: Attitude):
    pies = 0
    for seed in SEEDS:
        said = play(form(attitude=attitude), [EXPLORING[0], *PIE], seed=seed)[-1]
        if not gives_nothing(said):
            pies += 1
            assert sum(numbers(said)) == 100
            assert "me" in said
    assert pies >= 6


@pytest.mark.parametrize("own", range(10, 90, 5))
@pytest.mark.parametrize("others", [1, 2, 3])
def test_slices_fill_up_what_the_own_share_leaves(own: int, others: int):
    cut = slices(own, others, random.Random(own))
    assert len(cut) == others
    assert own + sum(cut) == 100
    assert all(piece > 0 for piece in cut)


DISCLOSING = person(
    disclosures=[
        {"topic": "father's drinking", "text": "My father drank.", "when": "asked"},
        {"topic": "resignation letter", "text": "I've written a letter of resignation.", "when": "asked_directly"},
        {"topic": "divorce", "text": "I'm getting divorced.", "when": "trusted"},
        {"topic": "the dog", "text": "We have a dog now.", "when": "freely"},
    ]
)


def telling(persona: Persona, question: str) -> str:
    return play(persona, [EXPLORING[0], EXPLORING[1], question])[-1]


def test_what_is_told_when_asked_is_told_when_the_question_touches_it():
    assert "My father drank." in telling(DISCLOSING, "What was your father like?")
    assert "My father drank." not in telling(DISCLOSING, "What was your mother like?")


def test_a_step_of_the_technique_is_not_taken_for_a_question_about_a_topic_that_sounds_like_it():
    deaf = person(disclosures=[{"topic": "hearing", "text": "In a full room I hear soup.", "when": "asked"}])
    friend = 'Suppose a friend came to you with "I\'m a spectator now." What would you want them to hear?'
    assert "soup" not in telling(deaf, friend)
    assert "soup" in telling(deaf, "How is your hearing?")
    assert "soup" in telling(deaf, "How well do you hear, by the way?")


def test_what_is_told_to_a_direct_question_needs_the_whole_topic():
    assert "resignation." in telling(DISCLOSING, "Did you write a resignation letter?")
    assert "resignation." not in telling(DISCLOSING, "Did you write a letter to your manager?")


def test_what_takes_trust_is_told_only_by_a_warm_client():
    assert "divorced" in telling(
        DISCLOSING.model_copy(update={"attitude": Attitude.POSITIVE}), "Is it about the divorce?"
    )
    assert "divorced" not in telling(
        DISCLOSING.model_copy(update={"attitude": Attitude.NEGATIVE}), "Is it about the divorce?"
    )


def test_what_is_free_comes_unasked():
    assert "dog" in " ".join(play(DISCLOSING, [EXPLORING[0], *["Tell me more."] * 8]))


TASK = load_protocol().techniques[Technique.EVIDENCE_BASED_QUESTIONING].homework


def remembered(persona: Persona, kind: Kind, text: str, seed: int = 0) -> MemoryRecord:
    return MemoryRecord(owner="client", client_id=persona.id, kind=kind, text=text, session=f"first-{seed}", exchange=9)


def homework(persona: Persona, seed: int) -> str:
    memory = remembered(persona, Kind.HOMEWORK, f"{TASK} In the counselor's words: A page with two columns.", seed)
    return play(persona, ["Welcome back. We had agreed on a task. How did it go?"], seed=seed, memories=(memory,))[0]


def matches(text: str, line: str) -> bool:
    return re.search(re.escape(line).replace(r"\{day\}", r"\w+day"), text) is not None


def test_homework_is_reported_by_attitude_and_the_same_way_each_time():
    told = bank("homework")["evidence_based_questioning"]

    def done(text: str) -> bool:
        return any(matches(text, line) for line in told["done"])

    counts = {
        attitude: sum(done(homework(person(attitude=attitude), seed)) for seed in range(20))
        for attitude in ("positive", "negative")
    }
    assert counts["positive"] >= 10
    assert counts["negative"] == 0
    assert homework(person(), 3) == homework(person(), 3)


def test_every_technique_has_a_report_on_its_task():
    reports = bank("homework")
    tasks = {way for approach in ApproachName for way in TECHNIQUES[approach] if task_of(way)}
    assert set(reports) == tasks >= set(Technique)
    for technique in reports.values():
        assert outcome(technique["half"][0]) == "half"
        assert all(outcome(line) == "done" for line in technique["done"])
    assert all(outcome(line) == "undone" for line in bank("client_answers")["homework_review"]["undone"])


def test_a_later_session_does_not_begin_the_story_again():
    persona = person(attitude="positive")
    memory = remembered(persona, Kind.HOMEWORK, f"{TASK} In the counselor's words: Two columns.")
    said = " ".join(play(persona, ["Welcome back. How did it go?", *SESSION[1:-1]], memories=(memory,)))
    assert persona.presenting_problem.statement not in said
    assert persona.presenting_problem.onset not in said


def test_a_thought_is_quoted_with_its_own_closing_mark():
    assert quoted("what if they notice?") == '"What if they notice?"'
    assert quoted("I will fail") == '"I will fail."'
