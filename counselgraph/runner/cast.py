"""The casting of a batch: every model behind the journal of the session that asks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from counselgraph.graphs.context import Context
from counselgraph.models.base import Model
from counselgraph.models.journal import Journal, journaled
from counselgraph.models.load import Models
from counselgraph.runner.turnstile import Patient, Turnstile


class JournaledCast:
    """A casting that puts each session's journal in front of its models, and the turnstile in front of the journal."""

    def __init__(self, models: Models, turnstile: Turnstile) -> None:
        self._models = models
        self._turnstile = turnstile
        self._journals: dict[str, Journal] = {}

    async def __call__(self, role: str, context: Context) -> Model:
        """The model of a role, behind the journal of the session."""
        model = await self._models.aget(context.model_for(role), role=role)
        # The journal first: an answer that has come is kept, however long its session waits for its turn.
        return Patient(journaled(model, self._journals[context.session]), self._turnstile)

    @asynccontextmanager
    async def session(self, name: str, file: Path) -> AsyncIterator[None]:
        """Keep the journal of one session open.

        Raises:
            InputError: The journal is damaged.
            InfrastructureError: It cannot be written.
        """
        with await asyncio.to_thread(Journal, file) as journal:
            self._journals[name] = journal
            try:
                yield
            finally:
                del self._journals[name]
