"""The journal: every model answer of a session, so that a run that was killed asks nothing twice.

One line of JSON per answer, appended when it arrives. To resume is to run again with the journal in front.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from counselgraph.errors import InfrastructureError, InputError
from counselgraph.models.base import Answer, Around, ChatMessage, Model, Request, Usage


class Entry(BaseModel):
    """One line of a journal.

    Attributes:
        key: Fingerprint of the question, see `key_of`.
        model: Name of the model that answered.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    role: str
    exchange: int
    call: int
    model: str
    text: str
    end: str | None = None
    usage: Usage = Usage()

    def answer(self) -> Answer:
        """The recorded answer, marked as journaled; its usage is what it cost when it was asked."""
        return Answer(text=self.text, end=self.end, usage=self.usage, journaled=True)


class Journal:
    """An append-only file of answers, opened for one session.

    A line goes to the operating system in one unbuffered write, without a disk sync: an answer survives the death of
    the process, not of the machine. One process at a time may hold a journal; any number of tasks in it may share it.
    Opening reads the file, so open it outside the event loop or in a thread.

    Args:
        path: The file; created with its folder if missing. A torn last line is cut off.

    Raises:
        InputError: A line other than the last is damaged.
        InfrastructureError: The file cannot be made or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            entries, self._size = _load(self.path)
            # Unbuffered append: one system call a line, and nothing half-written stays in this process.
            self._file = self.path.open("ab", buffering=0)
            if self._file.tell() > self._size:  # a file cut back, be it by nothing, is written out when it is closed
                self._file.truncate(self._size)
        except OSError as error:
            raise InfrastructureError(f"{self.path}: the journal cannot be opened ({error}).") from error
        self._answers: dict[str, Answer] = {}
        for entry in entries:
            self._answers.setdefault(entry.key, entry.answer())

    def __len__(self) -> int:
        return len(self._answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; answers stay readable."""
        self._file.close()

    def get(self, key: str) -> Answer | None:
        """The answer recorded under a key, if any."""
        return self._answers.get(key)

    def add(self, entry: Entry) -> None:
        """Append an answer. The first answer under a key stands; a second is not recorded.

        Raises:
            InfrastructureError: The line could not be written.
        """
        if entry.key in self._answers:
            return
        self._append(entry.model_dump_json().encode() + b"\n")
        self._answers[entry.key] = entry.answer()

    def _append(self, line: bytes) -> None:
        try:
            written = self._file.write(line)
            if written != len(line):
                self._file.truncate(self._size)
                raise InfrastructureError(f"{self.path}: only {written} of {len(line)} bytes could be written.")
        except OSError as error:
            raise InfrastructureError(f"{self.path}: the answer could not be recorded ({error}).") from error
        self._size += len(line)


class Journaled(Around):
    """A model behind a journal; see `journaled`."""

    def __init__(self, model: Model, journal: Journal) -> None:
        super().__init__(model)
        self._journal = journal

    async def answer(self, request: Request) -> Answer:
        """The recorded answer if there is one, otherwise the model's, recorded before it is returned."""
        key = key_of(request, self.name)
        known = self._journal.get(key)
        if known is not None:
            return known
        answer = await self._model.answer(request)
        self._journal.add(_entry(key, request, self.name, answer))
        # Of two tasks that asked the same question at once, both must go on with the answer that was recorded.
        recorded = self._journal.get(key)
        return answer if recorded is None or recorded.text == answer.text else recorded


def journaled(model: Model, journal: Journal) -> Model:
    """Put a journal in front of a model: look up first, otherwise ask and append.

    Errors are not recorded. A person's answers are, like any model's: a chat that was left is resumed from them.
    """
    return Journaled(model, journal)


def key_of(request: Request, model_name: str) -> str:
    """Fingerprint of a question, the same in every process.

    Covers the model's name, role, exchange, call, seed, language, locale, messages, output type and params; not the
    session (a journal belongs to one) and not the view (the messages are made from it).
    """
    parts = (
        model_name,
        request.role,
        request.exchange,
        request.call,
        request.seed,
        request.language,
        request.locale,
        None if request.output is None else _schema_hash(request.output),
        request.params,
    )
    return hashlib.sha256(b"%b\n%b" % (_dumps(parts).encode(), _prompt(request.messages))).hexdigest()


def read(path: str | Path) -> list[Entry]:
    """The whole entries of a journal, oldest first; a torn last line is left out.

    Raises:
        InputError: The file is missing, or a line other than the last is damaged.
    """
    return _load(Path(path))[0]


def _entry(key: str, request: Request, model: str, answer: Answer) -> Entry:
    return Entry(
        key=key,
        role=request.role,
        exchange=request.exchange,
        call=request.call,
        model=model,
        text=answer.text,
        end=answer.end,
        usage=answer.usage,
    )


@cache
def _schema_hash(output: type[BaseModel]) -> str:
    schema = _dumps(output.model_json_schema())
    return f"{output.__name__}:{hashlib.sha256(schema.encode()).hexdigest()}"


def _prompt(messages: tuple[ChatMessage, ...]) -> bytes:
    try:
        return orjson.dumps(messages)
    except TypeError:  # half a surrogate pair, which JSON of bytes cannot hold
        return json.dumps(messages, separators=(",", ":")).encode()


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)


def _load(path: Path) -> tuple[list[Entry], int]:
    """Entries and the length in bytes of the part that holds them."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise InputError(f"the journal cannot be read ({error}).", file=str(path)) from error
    entries: list[Entry] = []
    size = 0
    for number, line in enumerate(lines, start=1):
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError as error:
            if number == len(lines):
                break
            raise InputError(
                "the line is damaged.", file=str(path), record=number, fix="Delete the line; its call is asked again."
            ) from error
        if not line.endswith(b"\n"):
            break
        entries.append(entry)
        size += len(line)
    return entries, size
