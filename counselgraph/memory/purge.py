"""Deleting for good: a database without a trace of what was deleted, and repairs after a process killed meanwhile.

Chroma deletes a row by marking it. Its text stays in free pages of the SQLite file and in the log, its vector in the
index files. So what is left is copied into a new collection, the old one is dropped with its files, and the SQLite
file is written anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counselgraph.errors import InfrastructureError
from counselgraph.memory.layout import to_metadata, to_records, to_vectors
from counselgraph.memory.torn import DATABASE, LENGTHS, ROWS, Header, drop_unused

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api.client import Client

    from counselgraph.memory.ranking import Vector

_PAGE = 1000
_TEXTS: list[Any] = ["metadatas", "documents"]
_WHOLE = [*_TEXTS, "embeddings"]


def rebuild(
    client: Client, name: str, create: Callable[[str], Collection], embed: Callable[[list[str]], Vector] | None = None
) -> None:
    """Copy a collection into a new one, in the layout of today, and put it in its place.

    A process killed before the old one is dropped leaves both, one killed after it the copy alone; `recover` tells
    them apart.

    Args:
        client: Client of the database.
        name: Name of the collection.
        create: Makes an empty collection of the same settings under the name it is given.
        embed: Makes the vectors of texts anew; None to take those of the old collection.
    """
    old, copy = client.get_collection(name, embedding_function=None), create(_copy_of(name))
    ids = old.get(include=[])["ids"]
    for start in range(0, len(ids), _PAGE):
        page = old.get(ids=ids[start : start + _PAGE], include=_WHOLE if embed is None else _TEXTS)
        records = to_records(page)
        copy.add(
            ids=page["ids"],
            embeddings=to_vectors(page) if embed is None else embed([record.text for record in records]),
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
            # The text index of the first layout keeps parts of deleted texts until it is made anew.
            database.execute("INSERT INTO embedding_fulltext_search(embedding_fulltext_search) VALUES('rebuild')")
            database.execute("VACUUM")
            drop_unused(folder, database)
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
        for rows in folder.glob(f"*/{ROWS}"):
            header = Header.read(rows.parent)
            _zero(rows, header.used * header.size)
            _zero(rows.with_name(LENGTHS), 0)
    except OSError as error:
        raise InfrastructureError(f"the memory store in {str(folder)!r} cannot be rewritten: {error}") from error


def _zero(file: Path, start: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(bytes(max(file.stat().st_size - start, 0)))


def _copy_of(name: str) -> str:
    return f"{name}-copy"
