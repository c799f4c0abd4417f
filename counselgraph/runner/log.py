"""The event log: one JSON line an event, append-only, one file a session. Versioned; docs/log-format.md is its page."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from counselgraph.errors import InputError

SCHEMA_VERSION = 1
NOTICE = "Simulated counseling dialogue for research and training. Not care, not clinical data."
REHEARSAL_NOTICE = "Rehearsal material: written by a rule-based simulator, not by a language model."

Event = dict[str, Any]
_PLAYED_AGAIN = frozenset({"cancelled", "infrastructure_error"})
_TAIL = 64 * 1024  # bytes; an `end` event is far shorter


class SessionLog:
    """Writes the log of one session.

    Use as a context manager; a log that is left without `end` counts as unfinished and is written anew on resume.

    Args:
        file: The session's file; an unfinished one is replaced.
        texts: Folder for content-addressed prompts.
        on_event: Called with every event after it was written.
    """

    def __init__(self, file: Path, texts: Path, *, on_event: Callable[[Event], None] | None = None) -> None:
        self._file, self._texts, self._on_event = file, texts, on_event
        self._session, self._seq, self.exchange = file.stem, 0, 0
        self._stored: set[str] = set()
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        # Unbuffered: one system call a line, and nothing half-written stays in this process.
        self._stream = self._file.open("wb", buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def write(self, event: Mapping[str, Any]) -> None:
        """Append one event; `seq`, `at`, `session` and, where missing, `exchange` are added."""
        if self._stream is None:
            raise ValueError(f"The log {self._file} is not open.")
        body = {key: value for key, value in event.items() if key not in {"event", "system"}}
        if "system" in event:
            body["system"] = self._address(event["system"])
        head = {
            "event": event["event"],
            "seq": self._seq,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "session": self._session,
            "exchange": event.get("exchange", self.exchange),
        }
        line = {**head, **body}
        data = _line(line)
        if self._stream.write(data) != len(data):
            raise OSError(errno.ENOSPC, "the disk is full", str(self._file))
        self._seq += 1
        if self._on_event is not None:
            self._on_event(line)

    def _address(self, text: str) -> str:
        """Store a prompt once under its hash and give the hash back."""
        address = hashlib.sha256(text.encode()).hexdigest()[:32]
        if address not in self._stored:
            file = self._texts / f"{address}.txt"
            if not file.exists():
                draft = file.with_suffix(f".{self._session}.part")
                draft.write_text(text, encoding="utf-8")
                draft.replace(file)
            self._stored.add(address)
        return address


def _line(event: Event) -> bytes:
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # an integer of more than 64 bits, or half a surrogate pair
        return f"{json.dumps(event)}\n".encode()


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as read back from its log.

    Attributes:
        file: Where it was read from.
        events: Every event, oldest first, migrated to the current schema version.
    """

    file: Path
    events: tuple[Event, ...] = field(repr=False)

    @property
    def header(self) -> Event:
        """The first event: who, with which models, from which seed."""
        return self.events[0]

    @property
    def end(self) -> Event | None:
        """The last event if the session ended, else None."""
        return self.events[-1] if self.events[-1]["event"] == "end" else None

    @property
    def id(self) -> str:
        """Session id."""
        return str(self.header["session"])

    def of(self, *kinds: str) -> list[Event]:
        """Events of the given kinds, oldest first."""
        return [event for event in self.events if event["event"] in kinds]

    @property
    def turns(self) -> list[Event]:
        """The transcript: `role`, `text`, `exchange`."""
        return self.of("turn")

    def prompt(self, call: Event) -> str:
        """The whole prompt of one `model_call`, put together again from its parts.

        The dialogue part is the transcript up to the call, named by speaker; the log keeps no second copy of it.
        """
        texts = self.file.parent.parent / "texts"
        system = (texts / f"{call['system']}.txt").read_text(encoding="utf-8")
        said = [f"{turn['role']}: {turn['text']}" for turn in self.turns[: call["turns"]]]
        said = said[call.get("left_out", 0) :]
        card = [f"[{call['card']}]"] if call["card"] else []
        repair = [message["content"] for message in call.get("repair", ())]
        return "\n\n".join([system, *said, *card, *repair])


def read_session(file: str | Path) -> SessionRecord:
    """Read one session log, of this schema version or an older one; a torn last line is left out.

    Raises:
        InputError: The file is missing, holds no header, has a broken line before its last, or is of a newer version.
    """
    path = Path(file)
    try:
        lines = path.read_bytes().rstrip(b"\n").split(b"\n")  # a kill may have torn the last line inside a letter
    except OSError as error:
        raise InputError(f"cannot be read: {error}", file=str(path), fix="give a session's .jsonl file") from error
    events = tuple(_parsed(lines, path))
    if not events or events[0]["event"] != "header":
        raise InputError("does not start with a `header` event.", file=str(path), fix="give a counselgraph session log")
    return SessionRecord(path, tuple(migrated(events, path)))


def migrated(events: Iterable[Event], path: Path) -> Iterator[Event]:
    """Events of an older schema version brought to the current one."""
    events = iter(events)
    header = next(events)
    version = header.get("schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise InputError(
            f"has schema version {version!r}; this version reads 1 to {SCHEMA_VERSION}.",
            file=str(path),
            field="schema_version",
            fix="upgrade counselgraph",
        )
    steps = [_MIGRATIONS[number] for number in range(version, SCHEMA_VERSION)]
    for event in (header, *events):
        for step in steps:
            event = step(event)  # noqa: PLW2901 - each step takes what the one before gave
        yield event


def read_run(folder: str | Path) -> Iterator[SessionRecord]:
    """Every session of a run that has at least begun, by id.

    Raises:
        InputError: The folder is no run folder, or one of its logs cannot be read.
    """
    sessions = Path(folder) / "sessions"
    if not sessions.is_dir():
        raise InputError("is no run folder.", file=str(folder), fix="give the folder named by `--out`")
    for file in sorted(sessions.glob("*.jsonl")):
        if _has_begun(file):
            yield read_session(file)


def find_records(path: str | Path) -> list[SessionRecord]:
    """The sessions a path names: a run folder, DIR/SESSION, or one session log.

    Raises:
        InputError: The path names none of them.
    """
    place = Path(path)
    if place.is_dir():
        return list(read_run(place))
    inside = place.parent / "sessions" / f"{place.name.removesuffix('.jsonl')}.jsonl"
    if inside.is_file():
        return [read_session(inside)]
    if not place.exists():
        sessions = sorted(file.stem for file in inside.parent.glob("*.jsonl"))
        fix = f"give one of: {', '.join(sessions)}" if sessions else "give a run folder, or DIR/SESSION"
        raise InputError("there is no such run or session.", file=str(path), fix=fix)
    if place.suffix != ".jsonl":
        raise InputError("is no session log.", file=str(path), fix="give a run folder, DIR/SESSION, or a .jsonl log")
    return [read_session(place)]


def last_event(file: Path) -> Event | None:
    """The last whole event of a log, read from its tail; None if there is none."""
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - _TAIL))
        line = stream.read().rstrip(b"\n").rpartition(b"\n")[2]
    try:
        event: Event = json.loads(line)
    except ValueError:
        return None
    return event


def has_ended(file: Path) -> bool:
    """Whether a session is done: its last line is an `end` event, and not that of a cancelled session."""
    event = last_event(file)
    return event is not None and event.get("event") == "end" and event.get("stop") != "cancelled"


def is_settled(file: Path) -> bool:
    """Whether resume leaves a session as it is: it has ended, and not by an outage, which is no result."""
    event = last_event(file)
    return event is not None and event.get("event") == "end" and event.get("stop") not in _PLAYED_AGAIN


def _has_begun(file: Path) -> bool:
    """Whether a log holds its header; a run killed a moment after it opened the log leaves less."""
    with file.open("rb") as stream:
        return stream.readline().endswith(b"\n")


def _parsed(lines: list[bytes], path: Path) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            # A header may hold a seed of more than 64 bits, which only `json` reads as it was written.
            yield json.loads(line) if number == 1 else orjson.loads(line)
        except ValueError as error:  # no JSON, or no UTF-8
            if number == len(lines):
                return
            fix = "remove the broken line, or resume the run"
            raise InputError(f"line {number} is no JSON: {error}.", file=str(path), record=number, fix=fix) from error


_MIGRATIONS: dict[int, Callable[[Event], Event]] = {}
"""Schema version to the step that brings one of its events to the next version."""
