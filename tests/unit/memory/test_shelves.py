from __future__ import annotations

from collections.abc import Callable

import pytest

from counselgraph.memory import MemoryRecord
from counselgraph.memory.ranking import Candidates
from counselgraph.memory.shelves import Shelves

RecordMaker = Callable[..., MemoryRecord]


class Source:
    """Something to read from, which counts how often it is read."""

    def __init__(self, found: Candidates) -> None:
        self.found = found
        self.read = 0

    def __call__(self) -> Candidates:
        self.read += 1
        return self.found


@pytest.fixture
def source(record: RecordMaker) -> Source:
    return Source(Candidates.of([record(f"memory {n}") for n in range(3)]))


def test_what_was_read_is_kept_until_somebody_writes_there(source: Source) -> None:
    shelves = Shelves()
    for _ in range(3):
        assert shelves.get("a", source) is source.found
    assert source.read == 1
    shelves.drop({"b"})
    shelves.get("a", source)
    assert source.read == 1
    shelves.drop({"a"})
    shelves.get("a", source)
    assert source.read == 2
    shelves.drop()
    shelves.get("a", source)
    assert source.read == 3


@pytest.mark.parametrize("scopes", [{"a"}, None])
def test_what_was_read_while_somebody_wrote_is_not_kept(source: Source, scopes: set[str] | None) -> None:
    shelves = Shelves()

    def overtaken() -> Candidates:
        shelves.drop(scopes)
        return source()

    assert shelves.get("a", overtaken) is source.found
    shelves.get("a", source)
    assert source.read == 2


def test_the_longest_unused_goes_first(source: Source) -> None:
    shelves = Shelves(most=6)
    for scope in ("a", "b", "a", "c", "a"):
        shelves.get(scope, source)
    assert source.read == 3
    shelves.get("b", source)
    assert source.read == 4


def test_a_failed_read_keeps_nothing(source: Source) -> None:
    shelves = Shelves()

    def fail() -> Candidates:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        shelves.get("a", fail)
    assert shelves.get("a", source) is source.found
    assert shelves._reading == {}
