"""Sessions to fork, and what was said in them, for the tests of forks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from counselgraph import (
    Answer,
    ModelError,
    Request,
    RunSpec,
    SessionRecord,
    read_run,
    run_sync,
)
from counselgraph.models.rehearsal.model import Rehearsal
from counselgraph.runner.fork import fork_sync

RISKY = "I have decided to kill myself tonight."
CRISIS = "nadia-kowalska"
TALLY = "tests.unit.runner.fork_roles:tally"
Said = list[tuple[str, int, str, str]]


def only(folder: Path) -> SessionRecord:
    (record,) = read_run(folder)
    return record


def said(record: SessionRecord) -> Said:
    return [(turn["role"], turn["exchange"], turn["kind"], turn["text"]) for turn in record.turns]


def up_to(turns: Said, exchange: int) -> Said:
    return [turn for turn in turns if turn[1] <= exchange]


def played(out: Path, persona: str = "claire-moreau", **fields: Any) -> Path:
    """A session in a run of its own, as DIR/SESSION."""
    run_sync(RunSpec(personas=f"builtin/{persona}", memory="none", **{"seed": 3, **fields}, out=out))
    return out / persona


def forked(parent: Path, at: int, out: Path, **options: Any) -> SessionRecord:
    fork_sync(parent, at, out=out, **options)
    return only(out)


class Listening:
    """Rehearsal that keeps every request, and may fail at one."""

    name = "mine"

    def __init__(self, fails: Callable[[Request], bool] = lambda _request: False) -> None:
        self.requests: list[Request] = []
        self._fails, self._inner = fails, Rehearsal()

    async def answer(self, request: Request) -> Answer:
        if self._fails(request):
            raise ModelError("nonsense")
        self.requests.append(request)
        return await self._inner.answer(request)

    def prompts(self, role: str) -> list[str]:
        return [str(request.messages) for request in self.requests if request.role == role]

    def told(self, role: str) -> list[str]:
        """Instructions of a role, without the dialogue, in which a client may well speak of its life."""
        return [str(request.messages[0]) for request in self.requests if request.role == role]
