"""Row writers: rows into an open file, one after the other."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from counselgraph.errors import InputError

# JSON allows these line ends inside a string, but tools that split text into lines do not.
_LINE_ENDS = (("\u0085", "\\u0085"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029"))
_DEVICES = frozenset({"/dev", "/proc"})
_ESCAPES = tuple((raw.encode(), escaped.encode()) for raw, escaped in _LINE_ENDS)


class RowWriter(Protocol):
    """Writes rows to the file it was made over; the file is whole once `finish` was called."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        ...

    def finish(self) -> None:
        """Write what is held back and what closes the format."""
        ...


class Lines:
    """One line of JSON a row."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._stream.write(_json(row) + b"\n")

    def finish(self) -> None:
        """Nothing closes a file of lines."""


class JsonList:
    """One JSON list of rows, indented for people."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._opens = b"["

    def write(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._stream.write(self._opens + b"\n" + _json(row, indent=True))
        self._opens = b","

    def finish(self) -> None:
        """Close the list."""
        self._stream.write(b"\n]\n" if self._opens == b"," else b"[\n]\n")


def replaceable(target: Path) -> Path:
    """The file that a name means, links followed: one that takes its place must not take that of a link.

    Raises:
        InputError: It is no plain file, such as `/dev/stdout`.
    """
    file = target.resolve()
    if _DEVICES.intersection(map(str, target.absolute().parents)) or (file.exists() and not file.is_file()):
        problem = "is a folder." if file.is_dir() else "is no plain file, and cannot be replaced."
        raise InputError(problem, file=str(target), fix="give a file")
    return file


class Draft(io.RawIOBase):
    """A file that is written under another name until it is whole, and measured on the way.

    Args:
        target: What it will be called.

    Attributes:
        size: Bytes written.

    Raises:
        InputError: The target is no plain file.
        OSError: The file cannot be written.
    """

    def __init__(self, target: Path) -> None:
        super().__init__()
        self.target, self.size = target, 0
        self._place = replaceable(target)
        self._draft = self._place.with_name(f"{self._place.name}.part")
        self._file = self._draft.open("wb", buffering=1 << 16)
        self._digest = hashlib.sha256()
        self._discarded = False

    def writable(self) -> bool:
        """It is there to be written."""
        return True

    def write(self, data: Any, /) -> int:
        """Append bytes; a discarded draft takes them and keeps nothing.

        pyarrow writes a footer when its writer is collected, also after a failure.
        """
        if self._discarded:
            return len(data)
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    @property
    def sha256(self) -> str:
        """Digest of what was written."""
        return self._digest.hexdigest()

    def settle(self) -> None:
        """Everything is written: flush it to the file."""
        self._file.close()

    def take_place(self) -> None:
        """Give the file its name; one that was there before is replaced."""
        self._draft.replace(self._place)

    def discard(self) -> None:
        """Leave nothing behind, unless the file has its name already."""
        self._discarded = True
        try:
            self._file.close()
        finally:
            self._draft.unlink(missing_ok=True)


@contextmanager
def replacing(target: Path) -> Iterator[Draft]:
    """A draft that takes its place when the block ends, and leaves nothing behind if the block fails.

    Raises:
        InputError: The target is no plain file.
        OSError: The file cannot be written.
    """
    draft = Draft(target)
    try:
        yield draft
        draft.settle()
        draft.take_place()
    finally:
        draft.discard()


def _json(row: Mapping[str, Any], *, indent: bool = False) -> bytes:
    try:
        text = orjson.dumps(row, option=orjson.OPT_INDENT_2 if indent else 0)
    except TypeError:  # a seed of more than 64 bits
        text = json.dumps(row, ensure_ascii=False, indent=2 if indent else None).encode()
    for raw, escaped in _ESCAPES:
        if raw in text:
            text = text.replace(raw, escaped)
    return text
