from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph import Context, RunSpec
from counselgraph.runner.executors.plan import MOST_LOSSES, Plan, shares
from counselgraph.runner.executors.spread import divided
from counselgraph.runner.job import Job
from counselgraph.testing import sample_persona


def jobs(count: int) -> list[Job]:
    return [Job(sample_persona(), Context(session=f"s{number}")) for number in range(count)]


@given(total=st.integers(1, 500), workers=st.integers(1, 50))
def test_shares_are_even_and_come_to_the_whole(total: int, workers: int) -> None:
    found = shares(total, workers)
    assert len(found) == workers
    assert max(found) - min(found) <= 1
    assert min(found) >= 1
    if workers <= total:
        assert sum(found) == total


@given(workers=st.integers(1, 40), concurrency=st.integers(1, 40), calls=st.integers(1, 40), count=st.integers(1, 40))
def test_a_run_is_divided_without_going_over_its_limits(workers: int, concurrency: int, calls: int, count: int) -> None:
    spec = RunSpec(workers=workers, concurrency=concurrency, max_calls=calls)
    slots, most_calls = divided(spec, count)
    assert 1 <= len(slots) <= min(workers, count)
    assert sum(slots) == min(concurrency, count)
    assert 1 <= most_calls * len(slots) <= calls


@given(count=st.integers(0, 30), seed=st.integers(0, 1000), deaths=st.integers(0, 4))
def test_every_session_is_played_once_whoever_dies(count: int, seed: int, deaths: int) -> None:
    chance = random.Random(seed)
    plan: Plan[str] = Plan(jobs(count))
    held: dict[str, list[str]] = {name: [] for name in "abc"}
    played: list[str] = []
    while plan.waiting or plan.given:
        worker = chance.choice("abc")
        if deaths and chance.random() < 0.1:
            deaths -= 1
            again, given_up = plan.lost(worker)
            assert {job.id for job in again + given_up} == set(held[worker])
            played += [job.id for job in given_up]
            held[worker] = []
        elif held[worker] and chance.random() < 0.5:
            session = held[worker].pop(0)
            plan.ended(session)
            played.append(session)
        elif (job := plan.give(worker)) is not None:
            held[worker].append(job.id)
    assert sorted(played) == sorted(job.id for job in jobs(count))


def test_what_a_dead_worker_had_comes_before_all_others() -> None:
    plan: Plan[str] = Plan(jobs(5))
    for worker in "aba":
        plan.give(worker)
    plan.lost("a")
    given_next = [plan.give("b") for _ in range(4)]
    assert [job and job.id for job in given_next] == ["s0", "s2", "s3", "s4"]
    assert plan.give("b") is None


def test_a_session_over_which_workers_keep_dying_is_given_up() -> None:
    plan: Plan[str] = Plan(jobs(1))
    for _ in range(MOST_LOSSES - 1):
        plan.give("a")
        again, given_up = plan.lost("a")
        assert (len(again), given_up) == (1, [])
    plan.give("b")
    again, given_up = plan.lost("b")
    assert (again, [job.id for job in given_up]) == ([], ["s0"])
    assert (plan.waiting, plan.given) == (0, 0)


def test_a_session_that_nobody_plays_cannot_end() -> None:
    with pytest.raises(KeyError):
        Plan[str](jobs(1)).ended("s0")
