"""One file to read, or standard input, with a look ahead for those who have to recognise it."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from counselgraph.dialogues.fields import loads
from counselgraph.errors import InputError

JSON_LINES = frozenset({".jsonl", ".ndjson"})
_AHEAD = 20


class Source:
    """The lines of one file, read as they are needed.

    Args:
        name: What to call it in an error message.
        lines: Its lines with their ends; split at line feeds only.
        stem: Id of its dialogue, where it holds only one; empty for standard input.
        suffix: Its ending, such as ".json".
    """

    def __init__(self, name: str, lines: Iterable[bytes], *, stem: str = "", suffix: str = "") -> None:
        self.name, self.stem, self.suffix = name, stem, suffix
        self._rest = _without_mark(lines)
        self._held: list[bytes] = []

    @classmethod
    def of(cls, path: Path, lines: Iterable[bytes], stem: str | None = None) -> Source:
        """A file whose lines are these."""
        return cls(str(path), lines, stem=path.stem if stem is None else stem, suffix=path.suffix.lower())

    def raw(self) -> Iterator[bytes]:
        """Every line with its end."""
        yield from self._held
        yield from self._rest

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Lines that are not blank, each with its number from 1, without their ends."""
        for number, line in enumerate(self.raw(), 1):
            if bare := line.strip():
                yield number, bare

    def ahead(self, count: int = _AHEAD) -> list[bytes]:
        """The first lines that are not blank, without their ends; they are read again later."""
        found = [bare for line in self._held if (bare := line.rstrip())]
        while len(found) < count and (line := next(self._rest, None)) is not None:
            self._held.append(line)
            if bare := line.rstrip():
                found.append(bare)
        return found[:count]

    @cached_property
    def document(self) -> Any:
        """The whole file as one JSON value.

        Raises:
            InputError: It is none.
        """
        return loads(b"".join(self.raw()))

    @cached_property
    def is_lines(self) -> bool:
        """Whether it holds one JSON value a line, and not one value over all of them."""
        if self.suffix in JSON_LINES:
            return True
        (first,) = self.ahead(1)
        if self.suffix == ".json" or first.lstrip().startswith(b"["):
            return is_json(first) and len(self.ahead(2)) > 1
        return is_json(first) or any(line.startswith(b"{") and is_json(line) for line in self.ahead())


def is_json(line: bytes) -> bool:
    """Whether a line is a JSON mapping or list by itself."""
    if not line.lstrip().startswith((b"{", b"[")):
        return False
    try:
        loads(line)
    except InputError:
        return False
    return True


def decoded(line: bytes) -> str:
    """A line as text.

    Raises:
        InputError: It is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text.", fix="save the file as UTF-8.") from None


def _without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    try:
        for number, line in enumerate(lines):
            yield line.removeprefix(codecs.BOM_UTF8) if number == 0 else line
    except OSError as error:
        fix = "check the file and the disk it is on."
        raise InputError(f"it cannot be read to its end: {error.strerror}.", fix=fix) from None
