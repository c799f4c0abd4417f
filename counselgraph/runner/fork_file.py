"""What a fork takes along: everything of its parent that its sessions need, in one file of their own run folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from counselgraph.errors import InputError
from counselgraph.graphs.context import Context
from counselgraph.memory.lock import LOCK_FILE
from counselgraph.memory.record import MemoryRecord
from counselgraph.models.journal import Entry
from counselgraph.personas.persona import Persona
from counselgraph.runner.spec import RunSpec

FORK_FILE = "fork.json"
FORKED = "fork/"
"""How the `personas` of a fork's spec begin; the digest of its file follows."""

_DIGITS = 32


class Part(BaseModel):
    """Base of what the file is made of: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(Part):
    """A turn as somebody else would have had it.

    Attributes:
        role: Whose turn it is.
        text: What is said in its place.
    """

    role: Literal["client", "counselor"]
    text: str


class Said(Part):
    """One turn of the parent, as its log has it."""

    role: str
    exchange: int
    text: str


class Origin(Part):
    """How a session was played, up to where others go on from it; it can be played again from this without a model.

    Attributes:
        persona: Its persona.
        context: Its context.
        roles: The roles of its spec.
        recalled: Owner to what that role recalled when the session began.
        answers: What its models answered.
        unusable: Role and exchange of answers that could not be used, of which a journal need not hold any.
        fork: Where it came from itself, if it was a fork.
    """

    persona: Persona
    context: Context
    roles: tuple[str, ...] = ()
    recalled: dict[str, tuple[MemoryRecord, ...]] = {}
    answers: tuple[Entry, ...] = ()
    unusable: tuple[tuple[str, int], ...] = ()
    fork: Fork | None = None


class Fork(Part):
    """Where the sessions of a run go on from, and what is changed there.

    Attributes:
        run: Run of the parent.
        session: Session id of the parent.
        at: The exchange after which they go on; with a line, the exchange that the line is said in.
        line: The line that takes the place of the last turn before; None if nothing is said anew.
        changes: Fields that differ from the parent's, by dotted name.
        persona: The client from here on.
        rehearsed: Whether the parent holds rehearsal material.
        turns: The parent's turns before the fork.
        origin: How to get there.
    """

    run: str
    session: str
    at: int
    line: Line | None = None
    changes: dict[str, Any] = {}
    persona: Persona
    rehearsed: bool
    turns: tuple[Said, ...]
    origin: Origin

    def link(self) -> dict[str, Any]:
        """What a log says of the fork: `run`, `session`, `at`, and `changes`, a line said anew among them."""
        said = {} if self.line is None else {f"say.{self.line.role}": self.line.text}
        return {"run": self.run, "session": self.session, "at": self.at, "changes": {**said, **self.changes}}

    def precedes(self, at: int, line: Line | None) -> bool:
        """Whether a point of the forked session lies in what it has taken over from its parent."""
        if at != self.at or self.line is None:
            return at <= self.at
        return line is not None and self.line.role in {line.role, "counselor"}


Origin.model_rebuild()


def write_fork(fork: Fork, out: Path) -> str:
    """Put a fork into the folder of its sessions, made if missing; the same one may be there already.

    Returns:
        What the spec of these sessions says for `personas`.

    Raises:
        InputError: The folder cannot be written, or holds something else.
    """
    text = fork.model_dump_json(exclude_defaults=True).encode()
    file, named = out / FORK_FILE, FORKED + _digest(text)
    try:
        if out.exists() and any(out.iterdir()) and (not file.exists() or file.read_bytes() != text):
            raise InputError("holds something else than this fork.", file=str(out), fix="give another --out")
        out.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part")
        draft.write_bytes(text)
        draft.replace(file)
    except OSError as error:
        raise InputError(f"cannot be written: {error}.", file=str(out), fix="give a writable --out") from error
    return named


def discard_fork(out: Path) -> None:
    """Take a fork back out of a folder in which no run has begun. Blocking."""
    if not (out / "run.yaml").exists():
        for name in (FORK_FILE, LOCK_FILE):
            (out / name).unlink(missing_ok=True)
        out.rmdir()


def fork_of(spec: RunSpec) -> Fork | None:
    """Where the sessions of a spec go on from; None for sessions that start at their beginning.

    Raises:
        InputError: The run folder does not hold the fork that the spec names.
    """
    if not spec.personas.startswith(FORKED):
        return None
    file = spec.out / FORK_FILE
    try:
        text = file.read_bytes()
        fork = Fork.model_validate_json(text)
    except (OSError, ValidationError) as error:
        fix = "put the file back, or fork anew into another folder"
        raise InputError("is no fork that can be gone on from.", file=str(file), fix=fix) from error
    if FORKED + _digest(text) != spec.personas:
        raise InputError("has changed since the fork was made.", file=str(file), fix="put it back as it was")
    return fork


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_DIGITS]
