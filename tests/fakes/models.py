"""Models for graph tests: real rehearsal underneath, with single roles overruled and every request recorded."""

from __future__ import annotations

from collections.abc import Callable

from counselgraph.graphs.context import Context
from counselgraph.models.base import Answer, Model, Request
from counselgraph.models.rehearsal.model import Rehearsal

Say = Callable[[Request], str | Answer]


class Recording:
    """A casting in which rehearsal plays every role, except those given a line of their own.

    Args:
        says: Role to a function from its request to its words.
    """

    def __init__(self, **says: Say) -> None:
        self.requests: list[Request] = []
        self._says = says
        self._rehearsal = Rehearsal()

    name = "recording"

    async def __call__(self, _role: str, _context: Context) -> Model:
        return self

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.role not in self._says:
            return await self._rehearsal.answer(request)
        said = self._says[request.role](request)
        return said if isinstance(said, Answer) else Answer(text=said)

    def prompts(self, role: str) -> list[str]:
        """Every prompt a role was asked with, as one text each."""
        return ["\n".join(m["content"] for m in request.messages) for request in self.requests if request.role == role]
