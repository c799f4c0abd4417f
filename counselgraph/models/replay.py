"""`replay/<run dir>`: the answers of an earlier run, played again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from counselgraph.errors import ConfigError, ModelError
from counselgraph.models.base import Answer, Request, Usage
from counselgraph.models.journal import Entry, read

JOURNALS = "journal"


class Replay:
    """Answers a role's call with what was answered in the same session, role, exchange and call of a recorded run.

    Prompts are not compared: a replay shows what was said then, even where prompts have changed since. Where a place
    was answered more than once, the last answer counts.

    Args:
        run: Folder of the run; its answers are `journal/<session>.jsonl`.
        name: Name of the model; `replay/<run>` by default.

    Raises:
        ConfigError: The folder holds no journal.
    """

    def __init__(self, run: str | Path, *, name: str | None = None) -> None:
        self.name = name or f"replay/{run}"
        self._folder = Path(run) / JOURNALS
        self._sessions: dict[str, dict[tuple[str, int, int], Entry]] = {}
        if not self._folder.is_dir():
            raise ConfigError(f"`{self.name}`: there is no folder {self._folder}; name the folder of a finished run.")

    async def answer(self, request: Request) -> Answer:
        """The recorded answer; it costs nothing, since nobody is asked.

        Raises:
            ConfigError: The run has no such session.
            ModelError: The session has no answer at this place.
        """
        if request.session not in self._sessions:
            self._sessions[request.session] = await asyncio.to_thread(self._load, request.session)
        entry = self._sessions[request.session].get((request.role, request.exchange, request.call))
        if entry is None:
            raise ModelError(
                f"`{self.name}`: session {request.session} holds no answer of role `{request.role}` in exchange "
                f"{request.exchange}, call {request.call}."
            )
        return entry.answer().model_copy(update={"usage": Usage()})

    def _load(self, session: str) -> dict[tuple[str, int, int], Entry]:
        path = self._folder / f"{session}.jsonl"
        if not path.is_file():
            raise ConfigError(f"`{self.name}`: session {session} was not recorded; there is no {path}.")
        return {(entry.role, entry.exchange, entry.call): entry for entry in read(path)}
