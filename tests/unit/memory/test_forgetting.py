from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.memory import Forgetting, Kind, MemoryRecord, Moment
from counselgraph.memory.forgetting import retention, strength

DAYS = st.floats(0, 3650)
STRENGTHS = st.floats(0.1, 1000)


def kept(**fields: object) -> MemoryRecord:
    base = {"owner": "client", "client_id": "mina", "kind": Kind.FACT, "text": "She moved.", "session": "s1"}
    return MemoryRecord.model_validate(base | fields)


@given(DAYS, DAYS, STRENGTHS)
def test_retention_falls_with_time(one: float, other: float, strong: float) -> None:
    early, late = sorted((one, other))
    assert 1 >= retention(early, strong) >= retention(late, strong) >= 0


@given(DAYS, STRENGTHS, STRENGTHS)
def test_retention_rises_with_strength(elapsed: float, one: float, other: float) -> None:
    weak, strong = sorted((one, other))
    assert retention(elapsed, weak) <= retention(elapsed, strong)


@given(st.integers(1, 4), st.integers(0, 30))
def test_strength_rises_with_importance_and_with_every_recall(importance: int, recalls: int) -> None:
    assert strength(14, importance, recalls) < strength(14, importance + 1, recalls)
    assert strength(14, importance, recalls) < strength(14, importance, recalls + 1)


def test_a_memory_of_usual_importance_is_at_a_third_after_its_days() -> None:
    assert Forgetting(days=10).retention(kept(), 10) == pytest.approx(1 / math.e)


@given(st.lists(st.floats(0, 100), max_size=5, unique=True), st.floats(0, 100), DAYS)
def test_a_recall_never_weakens(recalled: list[float], again: float, now: float) -> None:
    before = kept(recalled_on=tuple(sorted(recalled)))
    after = kept(recalled_on=tuple(sorted({*recalled, again})))
    assert Forgetting().retention(after, now) >= Forgetting().retention(before, now)


def test_recalls_of_today_and_later_do_not_count() -> None:
    plain, recalled = kept(), kept(recalled_on=(7.0, 14.0, 21.0))
    assert Forgetting().retention(recalled, 7) == Forgetting().retention(plain, 7)
    assert Forgetting().retention(recalled, 14) > Forgetting().retention(plain, 14)


@given(day=DAYS, importance=st.integers(1, 5), kind=st.sampled_from([Kind.RISK, Kind.PORTRAIT]))
def test_risk_and_portraits_are_never_out_of_reach(day: float, importance: int, kind: Kind) -> None:
    record = kept(kind=kind, importance=importance)
    assert not Forgetting(days=0.5).out_of_reach(record, Moment(99, day))


@given(day=DAYS, importance=st.integers(1, 5))
def test_what_is_owed_is_never_out_of_reach(day: float, importance: int) -> None:
    assert not Forgetting(days=0.5).out_of_reach(kept(open=True, importance=importance), Moment(99, day))


def test_a_settled_loop_fades_like_anything_else() -> None:
    settled = kept(open=True, closed_in=2)
    assert Forgetting().out_of_reach(settled, Moment(9, 300))
    assert not Forgetting().out_of_reach(settled, Moment(2, 300))


def test_a_memory_is_out_of_reach_once_it_is_below_the_threshold() -> None:
    policy = Forgetting(days=1, threshold=0.05)
    assert not policy.out_of_reach(kept(), Moment(2, 2.9))
    assert policy.out_of_reach(kept(), Moment(2, 3.1))
    assert not policy.out_of_reach(kept(recalled_on=(2.0,)), Moment(2, 7))
    assert not Forgetting(days=1, threshold=0).out_of_reach(kept(), Moment(2, 500))


@pytest.mark.parametrize("fields", [{"days": 0.0}, {"days": -1.0}, {"threshold": 1.5}, {"threshold": -0.1}])
def test_a_policy_that_makes_no_sense_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Forgetting(**fields)
