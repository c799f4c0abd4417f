"""Indexes that a killed process left half written: how they are told, and how they are made anew.

Chroma keeps rows in SQLite, and vectors in an index of five files that it writes in place, one after the other. A
process killed meanwhile leaves files that contradict each other; Chroma then refuses the store, or takes one vector
for another. The rows are whole, their vectors can be made of their texts once more, so the index is thrown away: the
collection is marked, read without it, and copied with new vectors.
"""

from __future__ import annotations

import io
import pickle
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from counselgraph.errors import InfrastructureError

if TYPE_CHECKING:
    from chromadb import Collection

DATABASE = "chroma.sqlite3"
HEADER, ROWS, LENGTHS, LINKS, LABELS = (
    "header.bin",
    "data_level0.bin",
    "length.bin",
    "link_lists.bin",
    "index_metadata.pickle",
)
_MARK = "index"
_MARKED = f"SELECT 1 FROM collection_metadata WHERE key = '{_MARK}'"  # noqa: S608 - a name of ours
_DO_MARK = f"INSERT OR REPLACE INTO collection_metadata(collection_id, key, str_value) VALUES(?, '{_MARK}', 'torn')"
_HEADER = struct.Struct("<20xQQ")
_COUNT = struct.Struct("<I")
_FLAGS = 2
"""Offset of a row's flags, of which the lowest says that the row is deleted."""


class Header(NamedTuple):
    """What `header.bin` says: rows in the index, deleted ones too, and bytes of a row."""

    used: int
    size: int

    @classmethod
    def read(cls, index: Path) -> Header:
        """The header of an index; its version (4 bytes), an offset (8) and its room (8) stand before the two."""
        return cls(*_HEADER.unpack_from((index / HEADER).read_bytes()))


def has_torn(folder: Path) -> bool:
    """Whether a database that nobody has open needs to be opened by its embedder before it can be served.

    Raises:
        InfrastructureError: The files cannot be read.
    """
    with _opened(folder) as database:
        return bool(_torn(folder, database) or (_has_tables(database) and database.execute(_MARKED).fetchone()))


def discard_torn(folder: Path) -> None:
    """Throw away the half-written indexes of a database that nobody has open, and mark their collections.

    Indexes of no collection go as well: what a process left that was killed while it dropped one.

    Raises:
        InfrastructureError: The files cannot be read or written.
    """
    with _opened(folder) as database:
        if not _has_tables(database):
            return
        torn = _torn(folder, database)
        with database:  # one transaction: an index whose mark is missing would pass for a whole one
            database.executemany("DELETE FROM max_seq_id WHERE segment_id = ?", [(name,) for name, _ in torn])
            database.executemany(_DO_MARK, [(whose,) for _, whose in torn])
        for name, _ in torn:
            shutil.rmtree(folder / name)
        drop_unused(folder, database)


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database of a folder, an empty one if there is none yet."""
    file = folder / DATABASE
    try:
        with closing(sqlite3.connect(file if file.is_file() else ":memory:")) as database:
            yield database
    except (OSError, sqlite3.Error) as error:
        raise InfrastructureError(f"the memory store in {str(folder)!r} failed: {error}") from error


def _torn(folder: Path, database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Half-written indexes with their collections."""
    return [(name, whose) for name, whose in _indexes(database) if is_torn(folder / name)]


def _indexes(database: sqlite3.Connection) -> list[tuple[str, str]]:
    if not _has_tables(database):
        return []
    return list(database.execute("SELECT id, collection FROM segments WHERE scope = 'VECTOR'"))


def _has_tables(database: sqlite3.Connection) -> bool:
    """Whether Chroma has made its tables; it may have been killed before."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'max_seq_id'").fetchone() is not None


def drop_unused(folder: Path, database: sqlite3.Connection) -> None:
    """Remove the indexes of no collection; Chroma leaves those of one that is dropped."""
    used = {name for name, _ in _indexes(database)}
    for index in folder.iterdir():
        if (index / HEADER).is_file() and index.name not in used:
            shutil.rmtree(index)


def is_marked(rows: Collection) -> bool:
    """Whether a collection has lost its index, and with it vectors."""
    return _MARK in (rows.metadata or {})


def is_torn(index: Path) -> bool:
    """Whether the files of an index contradict each other.

    Raises:
        OSError: A file cannot be read.
    """
    if not (index / HEADER).is_file():
        return (index / LABELS).is_file()
    try:
        given, living = _labels(index / LABELS)
        header = Header.read(index)
        rows = np.memmap(index / ROWS, np.uint8, "r")
        written, rest = divmod(len(rows), header.size)
        sized = (index / LENGTHS).stat().st_size == _COUNT.size * written and _ends(index / LINKS, header.used)
        deleted = int((rows[_FLAGS :: header.size][: header.used] & 1).sum())
        return not (rest == 0 and written >= header.used == given and sized and header.used - deleted == living)
    except (EOFError, FileNotFoundError, KeyError, TypeError, ValueError, pickle.UnpicklingError, struct.error):
        return True


def _labels(file: Path) -> tuple[int, int]:
    """Rows ever given a label and those that still have one; none in an index whose rows all stand in the log yet."""
    if not file.is_file():
        return 0, 0
    labels = _Plain(io.BytesIO(file.read_bytes())).load()
    return labels["total_elements_added"], len(labels["id_to_label"])


def _ends(links: Path, rows: int) -> bool:
    """Whether a file of so many lists, each after its length in bytes, ends with the last of them."""
    data, at = links.read_bytes(), 0
    for _ in range(rows):
        at += _COUNT.size + _COUNT.unpack_from(data, at)[0]
    return at == len(data)


class _Plain(pickle.Unpickler):
    """Reads dicts, texts and numbers: a pickle that names a class could run anything."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is not read here")
