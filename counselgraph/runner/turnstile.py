"""The turnstile of a process: hardly more than one session at a time goes on with the answer it got.

Sessions that start together get their answers together. If they all went on side by side, each would take as long as
all of them, their next calls would leave together as well, and the server would stand idle in between, again and again.
One after the other, the first call leaves at once and the others follow it a few milliseconds apart; from then on the
answers come a few milliseconds apart too, and hardly anybody waits. For the same reason they begin in groups: the first
calls leave while the other sessions have yet to open their files.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from counselgraph.models.base import Answer, Around, Model, Request


class Turnstile:
    """Lets sessions through in the order in which their answers came, a few abreast.

    A session is through until it asks its next question or ends, or until the processor was idle for half of
    `patience_s` while others waited: then it waits for something else itself, and holds nobody up. Where a session has
    several calls in flight, its last answer counts. Belongs to one event loop and its thread.

    Args:
        abreast: Sessions that may be through. Two share the event loop's rounds and hold each other up little.
        patience_s: How often to look whether the processor is idle.
        beginners: Sessions that may be between their beginning and their first question.
    """

    def __init__(self, *, abreast: int = 2, patience_s: float = 0.002, beginners: int = 64) -> None:
        self._patience_s = patience_s
        self._door = asyncio.Semaphore(beginners)
        self._beginning: set[str] = set()
        self._abreast = abreast
        self._through: set[str] = set()
        self._asking: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._looked = (0.0, 0.0)

    @asynccontextmanager
    async def session(self, session: str) -> AsyncIterator[None]:
        """Be a session from its beginning, for which it may have to wait, to its end."""
        await self._door.acquire()
        self._beginning.add(session)
        try:
            yield
        finally:
            self._begun(session)
            self.leave(session)

    async def ask(self, model: Model, request: Request) -> Answer:
        """The model's answer, once it is this session's turn to go on with it; at once, if the answer comes at once."""
        session = request.session
        self._begun(session)
        # Who need not wait for the answer does not leave: the event loop comes to this only while a call is under way.
        leaving = asyncio.get_running_loop().call_soon(self.leave, session)
        self._asking[session] += 1
        try:
            answer = await model.answer(request)
        finally:
            self._asking[session] -= 1
            last = not self._asking[session]
            if last:
                del self._asking[session]
        leaving.cancel()
        if last and session not in self._through:
            await self._enter(session)
        return answer

    def leave(self, session: str) -> None:
        """Let the next one through, if this session is: it asks, has ended, or needs little more."""
        if session in self._through:
            self._through.discard(session)
            self._admit()

    def _begun(self, session: str) -> None:
        if session in self._beginning:
            self._beginning.discard(session)
            self._door.release()

    async def _enter(self, session: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((session, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            self.leave(session)
            raise

    def _admit(self) -> None:
        while self._waiting and len(self._through) < self._abreast:
            session, turn = self._waiting.popleft()
            if not turn.done():
                self._through.add(session)
                turn.set_result(None)
        if self._waiting and self._timer is None:
            self._watch()

    def _watch(self) -> None:
        self._looked = (time.monotonic(), time.thread_time())
        self._timer = asyncio.get_running_loop().call_later(self._patience_s, self._look)

    def _look(self) -> None:
        since, spent = self._looked
        self._timer = None
        if time.thread_time() - spent < (time.monotonic() - since) / 2:
            self._through.clear()
        self._admit()


class Patient(Around):
    """A model whose answers come through a turnstile."""

    def __init__(self, model: Model, turnstile: Turnstile) -> None:
        super().__init__(model)
        self._turnstile = turnstile

    async def answer(self, request: Request) -> Answer:
        """The model's answer, once it is this session's turn."""
        return await self._turnstile.ask(self._model, request)
