"""A worker process from inside: orders come in on standard input, messages go out on standard output, both pickled.

It ends by itself when its input closes, which also happens when its parent is killed.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.crew import Failed, Message, Ready
from counselgraph.runner.executors.performer import Setup, performing
from counselgraph.runner.executors.player import Player
from counselgraph.runner.job import Job

MODULE = "counselgraph.runner.executors"


@dataclass(frozen=True, slots=True)
class Drain:
    """Stop every session after its current step."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more is to be played: close everything and go."""


Order = Job | Drain | End
_Tell = Callable[[Message], None]


def main() -> None:
    """Work until the parent says that it is enough, or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent gets them too and drains its workers
    output = _own_output()

    def tell(message: Message) -> None:
        pickle.dump(message, output)
        output.flush()

    setup: Setup = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    try:
        asyncio.run(_work(setup, tell))
    except Exception as error:  # noqa: BLE001 - the parent raises it
        tell(Failed.of(error))


async def _work(setup: Setup, tell: _Tell) -> None:
    orders: asyncio.Queue[Order] = asyncio.Queue()
    _listen(orders)
    controls = Controls()
    async with performing(setup, controls) as player:
        tell(Ready())
        async with asyncio.TaskGroup() as sessions:
            while not isinstance(order := await orders.get(), End):
                if isinstance(order, Drain):
                    controls.drain()
                else:
                    sessions.create_task(_play(player, order, tell, listens=setup.listens))


async def _play(player: Player, job: Job, tell: _Tell, *, listens: bool) -> None:
    tell(await player.play(job, tell, tell if listens else None))


def _listen(orders: asyncio.Queue[Order]) -> None:
    loop = asyncio.get_running_loop()

    def read() -> None:
        order: Order | None = None
        while not isinstance(order, End):
            try:
                order = pickle.load(sys.stdin.buffer)  # noqa: S301 - see `main`
            except (EOFError, pickle.UnpicklingError):
                os._exit(1)  # the parent is gone; journals and logs are written line by line, nothing is lost
            loop.call_soon_threadsafe(orders.put_nowait, order)

    threading.Thread(target=read, name="orders", daemon=True).start()


def _own_output() -> IO[bytes]:
    """Standard output for messages alone; whatever prints goes to standard error."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own
