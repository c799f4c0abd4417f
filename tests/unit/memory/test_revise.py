from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph.memory import Kind, MemoryRecord, Moment
from counselgraph.memory.revise import closed, portrayed, settled, strengthened

RecordMaker = Callable[..., MemoryRecord]
NO_FIXTURE_CHECK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@NO_FIXTURE_CHECK
@given(order=st.permutations(range(5)))
def test_one_memory_of_a_subject_is_valid_whatever_the_order(record: RecordMaker, order: list[int]) -> None:
    jobs = [record(f"job {n}", subject="job", session=f"s{n}", session_number=n + 1, day=7.0 * n) for n in range(5)]
    current = {item.id: item for item in jobs}
    written: list[MemoryRecord] = []
    for number in order:  # as if each were written by itself
        written.append(current[jobs[number].id])
        changed = {item.id: item for item in settled(written)}
        written = [changed.get(item.id, item) for item in written]
    chain = sorted(written, key=lambda item: item.session_number)
    assert [item.superseded_by for item in chain] == [*(item.id for item in chain[1:]), ""]
    assert [item.valid_until for item in chain] == [7.0, 14.0, 21.0, 28.0, None]
    assert settled(written) == []


def test_subjects_of_other_owners_clients_and_names_are_left_alone(record: RecordMaker) -> None:
    records = [
        record("a", subject="job"),
        record("b", subject="home"),
        record("c", subject=""),
        record("d", subject=""),
        record("e", subject="job", owner="client"),
        record("f", subject="job", client_id="other"),
    ]
    assert settled(records) == []


def test_strengthening_twice_is_strengthening_once(record: RecordMaker) -> None:
    (once,) = strengthened([record()], 14.0)
    assert strengthened([once], 14.0) == []
    (twice,) = strengthened([once], 7.0)
    assert twice.recalled_on == (7.0, 14.0)
    assert (twice.recalls, twice.last_recalled) == (2, 14.0)


def test_only_open_loops_close_and_the_earliest_session_counts(record: RecordMaker) -> None:
    loop = record("Call.", open=True)
    (shut,) = closed([loop, record("Tea.")], 3)
    assert shut.closed_in == 3
    assert closed([shut], 5) == []
    assert closed([shut], 2)[0].closed_in == 2
    assert shut.open_at(Moment(3))
    assert not shut.open_at(Moment(4))
    assert not shut.open_at(None)


def portrait(record: RecordMaker, number: int, text: str) -> MemoryRecord:
    return record(text, kind=Kind.PORTRAIT, session=f"s{number}", session_number=number, day=7.0 * number)


def test_a_portrait_is_updated_under_one_id_and_its_versions_stay(record: RecordMaker) -> None:
    first, second = portrait(record, 1, "Shy."), portrait(record, 2, "Less shy.")
    assert first.id == second.id
    old, new = portrayed(first, second)
    assert new is second
    assert old.id not in {first.id, record("Shy.").id}
    assert (old.text, old.valid_until, old.superseded_by, old.superseded_in) == ("Shy.", 14.0, second.id, 2)


def test_a_session_has_one_portrait(record: RecordMaker) -> None:
    first = portrait(record, 1, "Shy.")
    assert portrayed(None, first) == (first,)
    assert portrayed(first, first) == ()
    redrawn = portrait(record, 1, "Quiet.")
    assert portrayed(first, redrawn) == (redrawn,)


def test_a_portrait_of_an_earlier_session_comes_too_late(record: RecordMaker) -> None:
    assert portrayed(portrait(record, 3, "Bold."), portrait(record, 2, "Shy.")) == ()
