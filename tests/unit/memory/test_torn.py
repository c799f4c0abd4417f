"""Indexes that a killed process left half written are told from whole ones, and made anew without a loss."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.memory import Kind, MemoryRecord, MemoryStore, load_embedder
from counselgraph.memory.torn import HEADER, LABELS, LENGTHS, LINKS, ROWS, Header, discard_torn, has_torn, is_torn
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.resources import shared_memory
from counselgraph.runner.spec import RunSpec

RecordMaker = Callable[..., MemoryRecord]


def lines(first: int, last: int) -> list[str]:
    return [f"Memory {number} of a {'river' if number % 2 else 'mountain'}." for number in range(first, last)]


@pytest.fixture
def folder(tmp_path: Path, record: RecordMaker) -> Path:
    """A store whose index was written twice, with what it was after the first time in `earlier`."""
    with MemoryStore.open(tmp_path / "store") as store:
        store.remember([record(text, exchange=at) for at, text in enumerate(lines(0, 150))])
    shutil.copytree(index_of(tmp_path / "store"), tmp_path / "earlier")
    with MemoryStore.open(tmp_path / "store") as store:
        store.remember([record(text, exchange=at) for at, text in enumerate(lines(150, 300), 150)])
    return tmp_path / "store"


def index_of(folder: Path) -> Path:
    (header,) = folder.glob(f"*/{HEADER}")
    return header.parent


def cut(name: str, share: float) -> Callable[[Path, Path], None]:
    def damage(index: Path, _earlier: Path) -> None:
        os.truncate(index / name, int((index / name).stat().st_size * share))

    return damage


def from_earlier(*names: str) -> Callable[[Path, Path], None]:
    def damage(index: Path, earlier: Path) -> None:
        for name in names:
            shutil.copy(earlier / name, index / name)

    return damage


def delete_a_row(index: Path, _earlier: Path) -> None:
    rows = np.memmap(index / ROWS, np.uint8, "r+")
    rows[7 * Header.read(index).size + 2] |= 1
    rows.flush()


DAMAGES = {
    "rows cut": cut(ROWS, 0.71),
    "rows empty": cut(ROWS, 0),
    "lengths cut": cut(LENGTHS, 0.99),
    "links cut": cut(LINKS, 0.7),
    "header cut": cut(HEADER, 0.2),
    "labels empty": cut(LABELS, 0),
    "labels cut": cut(LABELS, 0.5),
    "labels of before": from_earlier(LABELS),
    "header of before": from_earlier(HEADER),
    "rows of before": from_earlier(ROWS),
    "header and labels of before": from_earlier(HEADER, LABELS),
    "a row deleted that has its label": delete_a_row,
    "no header": lambda index, _earlier: (index / HEADER).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_half_written_index_is_made_anew_and_nothing_is_lost(
    folder: Path, damage: Callable[[Path, Path], None]
) -> None:
    index = index_of(folder)
    assert not is_torn(index)
    damage(index, folder.parent / "earlier")
    assert is_torn(index)
    assert has_torn(folder)
    with MemoryStore.open(folder) as store:
        assert [record.text for record in store.history(owner="counselor", client_id="mina")] == lines(0, 300)
        for number in (0, 149, 150, 299):
            text = lines(number, number + 1)[0]
            (found,) = store.recall(owner="counselor", client_id="mina", query=text, k=1)
            assert found.text == text
    assert not has_torn(folder)
    discard_torn(folder)
    assert not is_torn(index_of(folder)), "the old index is gone, and the new one is whole"


def test_a_repair_that_was_killed_is_done_by_the_next_to_open(folder: Path) -> None:
    cut(ROWS, 0.5)(index_of(folder), folder)
    discard_torn(folder)  # and here the process is killed: the index is gone, the vectors are not made yet
    assert has_torn(folder)
    with MemoryStore.inspect(folder) as store:
        assert len(store.records()) == 300
    assert not has_torn(folder)
    with MemoryStore.open(folder) as store:
        (found,) = store.recall(owner="counselor", client_id="mina", query=lines(7, 8)[0], k=1)
        assert found.text == lines(7, 8)[0]


class Other:
    """An embedder that only its maker has."""

    name = "other-v1-3"

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([[len(text) % 7, 1, text.count("r")] for text in texts], np.float32)


def test_only_its_embedder_can_repair_a_store(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path, embedder=Other()) as store:
        store.remember([record(text, exchange=at) for at, text in enumerate(lines(0, 150))])
    cut(LABELS, 0.5)(index_of(tmp_path), tmp_path)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"half-written index .* open it once with its embedder, 'other-v1-3'"):
            MemoryStore.inspect(tmp_path)
    with MemoryStore.open(tmp_path, embedder=Other()) as store:
        assert len(store.records()) == 150
    with MemoryStore.inspect(tmp_path) as store:
        assert len(store.records()) == 150


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_store_is_mended_before_it_is_served(folder: Path, tmp_path: Path) -> None:
    cut(ROWS, 0.5)(index_of(folder), folder)
    spec = RunSpec.of({"memory": str(folder)})
    with (
        shared_memory(spec, RunFolder(tmp_path / "run")) as served,
        MemoryStore.open(served.memory, embedder=load_embedder()) as store,
    ):
        text = lines(8, 9)[0]
        (found,) = store.recall(owner="counselor", client_id="mina", query=text, k=1)
        assert found.text == text


def test_labels_that_name_a_class_are_not_run(folder: Path) -> None:
    (index_of(folder) / LABELS).write_bytes(pickle.dumps({"total_elements_added": Path("x")}))
    assert is_torn(index_of(folder))


def test_folders_that_are_no_indexes_stay(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "header.txt").write_text("mine")
    leftover = folder / "leftover"
    shutil.copytree(index_of(folder), leftover)
    discard_torn(folder)
    assert (folder / "notes" / "header.txt").is_file()
    assert not leftover.exists()


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_text("no database" * 100)
    with pytest.raises(InfrastructureError, match="not a database"):
        has_torn(tmp_path)


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "forget", "change", "purge"]), st.integers(0, 2), st.integers(1, 130)),
    min_size=1,
    max_size=7,
)


@settings(max_examples=12, deadline=None)
@given(STEPS)
def test_whatever_a_store_does_its_index_is_whole_when_it_is_closed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("whole")
    with MemoryStore.open(folder) as store:
        for at, (what, client, count) in enumerate(steps):
            if what in {"forget", "purge"}:
                store.forget(f"c{client}", purge=what == "purge")
                continue
            store.remember(
                [
                    MemoryRecord(
                        owner="client",
                        client_id=f"c{client}",
                        kind=Kind.FACT,
                        text=f"Note {number} at {at}.",
                        session=f"s{at}",
                        subject=f"subject {number}" if what == "change" else "",
                    )
                    for number in range(count)
                ]
            )
    assert not has_torn(folder)
