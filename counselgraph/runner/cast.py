"""The casting of a batch: every model behind the journal of the session that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counselgraph.graphs.context import Context
from counselgraph.models.base import Model
from counselgraph.models.journal import Journal, journaled
from counselgraph.models.load import Models


class JournaledCast:
    """A casting that puts each session's journal in front of its models."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._journals: dict[str, Journal] = {}

    async def __call__(self, role: str, context: Context) -> Model:
        """The model of a role, behind the journal of the session."""
        model = await self._models.aget(context.model_for(role), role=role)
        return journaled(model, self._journals[context.session])

    @contextmanager
    def session(self, name: str, file: Path) -> Iterator[None]:
        """Keep the journal of one session open."""
        with Journal(file) as journal:
            self._journals[name] = journal
            try:
                yield
            finally:
                del self._journals[name]
