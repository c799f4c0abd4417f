"""Workers as actors of a Ray cluster, or of a Ray that is started on this machine for the run."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

from counselgraph.errors import ConfigError
from counselgraph.memory.connect import is_url
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.crew import Failed, Lost, Message, Ready, Tell
from counselgraph.runner.executors.performer import Setup, performing
from counselgraph.runner.executors.player import Player
from counselgraph.runner.job import Job
from counselgraph.runner.spec import RunSpec

ADDRESS = "RAY_ADDRESS"
_END_S = 30.0
_OBJECTS = 100 * 2**20  # bytes; what passes through Ray is small
_LOCAL = {
    # The only switch that keeps every port of a local Ray on 127.0.0.1; read when `ray` is imported.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}


def check_cluster(spec: RunSpec) -> None:
    """Make sure that what the workers of a spec share can be reached from another machine.

    Raises:
        ConfigError: The run's memory would be on this machine alone.
    """
    if os.environ.get(ADDRESS, "local") != "local" and spec.memory != "none" and not is_url(spec.memory):
        raise ConfigError(
            f"{ADDRESS} names a cluster, whose workers cannot reach a memory folder of this machine. Fix: start a "
            "Chroma server that they can reach and give --memory http://host:port, or --memory none."
        )


@contextmanager
def connected(workers: int) -> Iterator[None]:
    """Be connected to the cluster of `RAY_ADDRESS`, or to a Ray of our own with a CPU for each worker. Blocking.

    A Ray that this process is connected to already is used, and left as it is. The thread that enters must live as
    long as the block: Ray's processes end with the thread that started them.
    """
    local = os.environ.get(ADDRESS, "local") == "local"
    os.environ.update(_QUIET | _LOCAL if local else _QUIET)
    import ray  # noqa: PLC0415 - an optional extra, and the environment comes first

    if ray.is_initialized():
        yield
        return
    own = {"num_cpus": workers, "object_store_memory": _OBJECTS, "include_dashboard": False}
    given: dict[str, Any] = {"address": "local", **own} if local else {"address": os.environ[ADDRESS]}
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **given)
    try:
        yield
    finally:
        ray.shutdown()


class Performance:
    """What an actor is: a player that is opened and closed by calls."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._controls, self._open = setup, Controls(), AsyncExitStack()
        self._player: Player | None = None

    async def open(self) -> Message:
        """Open models and memory."""
        try:
            self._player = await self._open.enter_async_context(performing(self._setup, self._controls))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            return Failed.of(error)
        return Ready()

    async def play(self, job: Job) -> AsyncIterator[Message]:
        """Play a session: its pulse, its events if somebody listens, then its outcome."""
        assert self._player is not None
        told: asyncio.Queue[Message] = asyncio.Queue()
        playing = asyncio.create_task(
            self._player.play(job, told.put_nowait, told.put_nowait if self._setup.listens else None)
        )
        playing.add_done_callback(lambda _: told.put_nowait(Ready()))  # wakes the loop below for the last time
        while not isinstance(message := await told.get(), Ready):
            yield message
        yield await playing

    async def drain(self) -> None:
        """Stop every session after its current step."""
        self._controls.drain()

    async def close(self) -> None:
        """Close models and memory."""
        await self._open.aclose()


class RayWorker:
    """An actor.

    Args:
        setup: What it gets first.
        tell: Where its messages go, on the running event loop.
    """

    def __init__(self, setup: Setup, tell: Tell) -> None:
        import ray  # noqa: PLC0415 - see `connected`

        self.slots = setup.spec.concurrency
        self._tell, self._ray, self._lost = tell, ray, False
        self._tasks: set[asyncio.Task[None]] = set()
        # Room for its sessions, a drain and a close at the same time.
        actor: Any = ray.remote(Performance).options(num_cpus=1, max_concurrency=self.slots + 2)
        self._actor = actor.remote(setup)
        self.name = f"Ray worker {self._actor._actor_id.hex()[:8]}"  # noqa: SLF001 - the id Ray's own messages use
        self._start(self._open())

    def give(self, job: Job) -> None:
        """See `Worker.give`."""
        self._start(self._play(job))

    def drain(self) -> None:
        """See `Worker.drain`."""
        self._actor.drain.remote()

    async def dismiss(self, *, at_once: bool) -> None:
        """See `Worker.dismiss`."""
        if not at_once:
            with suppress(self._ray.exceptions.RayError, TimeoutError):  # it is killed in any case
                await asyncio.wait_for(_result(self._actor.close.remote()), _END_S)
        self._lost = True  # what happens from here on is our doing
        self._ray.kill(self._actor)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except self._ray.exceptions.RayActorError as error:
            if not self._lost:
                self._lost = True
                self._tell(self, Lost(f"died ({_last_words(error)})"))
        except self._ray.exceptions.RayError as error:
            self._tell(self, Failed.of(error))

    async def _open(self) -> None:
        self._tell(self, await _result(self._actor.open.remote()))

    async def _play(self, job: Job) -> None:
        async for reference in self._actor.play.options(num_returns="streaming").remote(job):
            self._tell(self, await reference)


async def _result(reference: Any) -> Any:
    return await reference


def _last_words(error: Exception) -> str:
    """Ray's message is a page; its last sentence but one says how the process ended."""
    told = str(error).partition("Worker exit detail:")[2] or str(error)
    return told.strip().partition(". ")[0]
