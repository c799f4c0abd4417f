"""The servers that share a model's calls: who answers which session, and which of them is out of order."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

from counselgraph.models.events import emit
from counselgraph.models.retry import Failure, failure_of

_PROBE_DEADLINE_S = 5.0
_MOST_DOUBLINGS = 4
_SESSIONS_KEPT = 50_000
_SERVER_ERROR = 500


class Connection(Protocol):
    """What a pool needs of the connections to a server."""

    async def models(self) -> list[dict[str, Any]]:
        """What the server says it serves."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(slots=True, eq=False)
class Server:
    """One server, as the calls of one event loop see it.

    Attributes:
        address: Its address without credentials.
        connection: The way there.
        gate: Limits its calls in flight.
        load: Calls in flight or waiting at the gate.
        homes: Sessions that live here.
        failed_at: Loop time of its last failure while it is ejected, else None.
        strikes: Ejections since it last answered a call.
    """

    address: str
    connection: Any
    gate: asyncio.Semaphore
    load: int = 0
    homes: int = 0
    failed_at: float | None = None
    strikes: int = 0


class Pool:
    """Servers with the same models; belongs to the event loop it was made in.

    A session lives at one server, because the server keeps the session's prompts in its prefix cache. The rule:

    - A new session goes to the healthy server with the fewest calls in flight or waiting, of equals to the one where
      the fewest sessions live.
    - It stays there. When its home has more than `margin` calls above the least loaded healthy server, the session
      moves there with its next call: an eighth of `max_calls`, at least 2, is worth a cold prefix cache.
    - A server that cannot be reached, breaks off or misses the deadline is ejected: its sessions move, calls that wait
      at its gate go elsewhere, and it is asked for its models in the background until it answers. Each ejection without
      an answered call in between doubles the time to the first question. HTTP errors eject nobody.
    - Another try of a failed call goes to a server that has not failed it, if a healthy one is left.
    - With every server ejected calls are still tried, the one that failed longest ago first. A single server is never
      ejected.

    Args:
        servers: The servers, at least one.
        max_calls: Calls in flight per server.
        probe_s: Seconds before an ejected server is asked for the first time, and between questions.
    """

    def __init__(self, servers: Sequence[Server], *, max_calls: int, probe_s: float = 1.0) -> None:
        self.servers = tuple(servers)
        self.margin = max(max_calls // 8, 2)
        self._probe_s = probe_s
        self._homes: OrderedDict[str, Server] = OrderedDict()
        self._probes: dict[Server, asyncio.Task[None]] = {}

    def pick(self, session: str, failed: Sequence[Server] = ()) -> Server:
        """The server for a call; see the class.

        Args:
            session: Session id; "" for a call that belongs to none.
            failed: Servers that failed this call before.
        """
        if len(self.servers) == 1:
            return self.servers[0]
        healthy = [server for server in self.servers if server.failed_at is None]
        if not healthy:
            return min(self.servers, key=lambda server: server.failed_at or 0.0)
        home = self._homes.get(session)
        fresh = [server for server in healthy if server not in failed] or healthy
        least = min(fresh, key=lambda server: (server.load, server.homes))
        if home in fresh and home.load <= least.load + self.margin:
            self._homes.move_to_end(session)
            return home
        if session and (home is None or home not in healthy or home in fresh):
            self._settle(session, least)
        return least

    def has_healthy(self) -> bool:
        """Whether any server is not ejected."""
        return any(server.failed_at is None for server in self.servers)

    def eject(self, server: Server, failure: Failure, model: str) -> None:
        """Send no more calls to a server until it answers again; emits a "limit" event."""
        if len(self.servers) == 1:
            return
        newly = server.failed_at is None
        server.failed_at = asyncio.get_running_loop().time()
        if not newly:
            return
        server.strikes += 1
        emit("limit", limit="endpoint", model=model, address=server.address, problem=failure.problem)
        if server not in self._probes:
            # In a context of its own: the probe outlives the call, whose events it must not take.
            probe = asyncio.get_running_loop().create_task(self._probe(server), context=Context())
            self._probes[server] = probe
            probe.add_done_callback(lambda _: self._probes.pop(server, None))

    def answered(self, server: Server) -> None:
        """A call was answered, so the server is in order."""
        server.strikes = 0
        server.failed_at = None

    async def aclose(self) -> None:
        """Stop asking after ejected servers and close every connection."""
        probes = list(self._probes.values())
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)
        for server in self.servers:
            await server.connection.aclose()

    def _settle(self, session: str, server: Server) -> None:
        old = self._homes.pop(session, None)
        if old is not None:
            old.homes -= 1
        self._homes[session] = server
        server.homes += 1
        if len(self._homes) > _SESSIONS_KEPT:
            _, forgotten = self._homes.popitem(last=False)
            forgotten.homes -= 1

    async def _probe(self, server: Server) -> None:
        wait_s = self._probe_s * 2 ** min(server.strikes - 1, _MOST_DOUBLINGS)
        while server.failed_at is not None:
            await asyncio.sleep(wait_s)
            if await _answers(server):
                server.failed_at = None


@dataclass(slots=True)
class Turn:
    """A call's place at a server, entered anew for every try; a gate for `with_retries`.

    Args:
        pool: The servers.
        session: Session the call belongs to, "" for none.
        model: Name of the model, for events.
        deadline_s: Deadline of one try, for events.

    Attributes:
        server: Where the try in flight goes; not set before the first.
    """

    pool: Pool
    session: str
    model: str
    deadline_s: float
    server: Server = field(init=False)
    _failed: tuple[Server, ...] = ()

    async def __aenter__(self) -> Server:
        while True:
            server = self.pool.pick(self.session, self._failed)
            server.load += 1
            try:
                await server.gate.acquire()
            except BaseException:
                server.load -= 1
                raise
            # The server may have been ejected while the call waited at its gate.
            if server.failed_at is None or not self.pool.has_healthy():
                self.server = server
                return server
            self._leave(server)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server = self.server
        self._leave(server)
        if error is None:
            self.pool.answered(server)
            return
        failure = failure_of(error, self.deadline_s) if isinstance(error, Exception) else None
        if failure is not None:
            self._failed = (*self._failed, server)
            if failure.lost:
                self.pool.eject(server, failure, self.model)

    def _leave(self, server: Server) -> None:
        server.load -= 1
        server.gate.release()


async def _answers(server: Server) -> bool:
    """Whether a server answers at all; a refusal is an answer."""
    try:
        async with asyncio.timeout(_PROBE_DEADLINE_S):
            await server.connection.models()
    except Exception as error:
        failure = failure_of(error, _PROBE_DEADLINE_S)
        if failure is None:
            raise
        return failure.status is not None and failure.status < _SERVER_ERROR
    return True
