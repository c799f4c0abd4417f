"""Workers as processes of this machine, each a fresh interpreter that is talked to over its standard streams."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import Any

from counselgraph.runner.executors.crew import Lost, Message, Tell
from counselgraph.runner.executors.performer import Setup
from counselgraph.runner.executors.worker import MODULE, Drain, End
from counselgraph.runner.job import Job

_END_S = 30.0


class ProcessWorker:
    """A worker process.

    Not a fork, because a forked Chroma client hangs; and not a spawn of multiprocessing, which would import the
    caller's main module once more. In a session of its own, so that Ctrl-C reaches the parent alone, which drains it.

    Args:
        setup: What it gets first.
        tell: Where its messages go, on the running event loop.
    """

    def __init__(self, setup: Setup, tell: Tell) -> None:
        self.slots = setup.spec.concurrency
        self._loop, self._tell = asyncio.get_running_loop(), tell
        # `-P` and the whole path: it finds the same modules as its parent, and none that lie in the current folder.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
            start_new_session=True,
        )
        self.name = f"worker process {self._process.pid}"
        self._send(setup)
        self._listener = threading.Thread(target=self._listen, name=self.name, daemon=True)
        self._listener.start()

    def give(self, job: Job) -> None:
        """See `Worker.give`."""
        self._send(job)

    def drain(self) -> None:
        """See `Worker.drain`."""
        self._send(Drain())

    async def dismiss(self, *, at_once: bool) -> None:
        """See `Worker.dismiss`."""
        if at_once:
            self._process.kill()
        else:
            self._send(End())
        try:
            await asyncio.to_thread(self._process.wait, _END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        await asyncio.to_thread(self._listener.join)
        self._close()

    def _send(self, order: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is dead, as its listener says in a moment
            pickle.dump(order, self._process.stdin)
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError, pickle.UnpicklingError):  # it ended, or died in the middle of a message
            while True:
                self._post(pickle.load(self._process.stdout))  # noqa: S301 - from a process of ours
        self._post(Lost(_how_it_ended(self._process.wait())))

    def _post(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._tell, self, message)

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):  # what could not be sent to a dead process
                stream.close()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by signal {signal.Signals(-code).name}"
