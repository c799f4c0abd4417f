"""Deleting for good: a database without a trace of what was deleted, and repairs after a process killed meanwhile.

Chroma deletes a row by marking it. Its text stays in free pages of the SQLite file and in the log, its vector in the
index files. So what is left is copied into a new collection, the old one is dropped with its files, and the SQLite
file is written anew.
"""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from counselgraph.errors import InfrastructureError
from counselgraph.memory.layout import to_metadata, to_records, to_vectors

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

DATABASE = "chroma.sqlite3"
_PAGE = 1000
_HEADER = struct.Struct("<20xQQ")
"""Of an index's `header.bin`: rows in it and bytes of a row, after a version (4), an offset (8) and its room (8)."""


def rebuild(client: Client, name: str, create: Callable[[str], Collection]) -> None:
    """Copy a collection into a new one, in the layout of today, and put it in its place.

    A process killed before the old one is dropped leaves both, one killed after it the copy alone; `recover` tells
    them apart.

    Args:
        client: Client of the database.
        name: Name of the collection.
        create: Makes an empty collection of the same settings under the name it is given.
    """
    old, copy = client.get_collection(name, embedding_function=None), create(_copy_of(name))
    ids = old.get(include=[])["ids"]
    for start in range(0, len(ids), _PAGE):
        page = old.get(ids=ids[start : start + _PAGE], include=["embeddings", "metadatas", "documents"])
        records = to_records(page)
        copy.add(
            ids=page["ids"],
            embeddings=to_vectors(page),
            metadatas=[dict(to_metadata(record)) for record in records],
        )
    client.delete_collection(name)
    copy.modify(name=name)


def recover(client: Client, name: str) -> None:
    """Put right what a process killed in `rebuild` left behind."""
    names = {collection.name for collection in client.list_collections()}
    if _copy_of(name) not in names:
        return
    if name in names:
        client.delete_collection(_copy_of(name))
    else:
        client.get_collection(_copy_of(name), embedding_function=None).modify(name=name)


def scrub(folder: Path) -> None:
    """Take what was deleted out of the files of a database that nobody has open.

    Raises:
        InfrastructureError: The files cannot be written.
    """
    try:
        with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
            segments = {row[0] for row in database.execute("SELECT id FROM segments")}
            # The text index of the first layout keeps parts of deleted texts until it is made anew.
            database.execute("INSERT INTO embedding_fulltext_search(embedding_fulltext_search) VALUES('rebuild')")
            database.execute("VACUUM")
        for index in folder.iterdir():
            if (index / "header.bin").is_file() and index.name not in segments:
                shutil.rmtree(index)
    except (OSError, sqlite3.Error) as error:
        raise InfrastructureError(f"the memory store in {str(folder)!r} cannot be rewritten: {error}") from error


def blank(folder: Path) -> None:
    """Overwrite what Chroma's index wrote of this process's memory without ever setting it.

    Whatever the process freed last stands there, deleted texts among it: in `length.bin`, four bytes a row that our
    space of vectors leaves unset; in `data_level0.bin`, all room for rows to come. To be called on a database that
    this process has closed.

    Raises:
        InfrastructureError: The files cannot be written.
    """
    try:
        for header in folder.glob("*/header.bin"):
            rows = header.with_name("data_level0.bin")
            used, size = _HEADER.unpack_from(header.read_bytes())
            if not (size and rows.stat().st_size % size == 0 and used * size <= rows.stat().st_size):
                raise InfrastructureError(f"{str(header)!r} is in a layout that is not known here: use Chroma 1.5.")
            _zero(rows, used * size)
            _zero(header.with_name("length.bin"), 0)
    except (OSError, struct.error) as error:
        raise InfrastructureError(f"the memory store in {str(folder)!r} cannot be rewritten: {error}") from error


def _zero(file: Path, start: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(bytes(max(file.stat().st_size - start, 0)))


def _copy_of(name: str) -> str:
    return f"{name}-copy"
