"""Running servers: started together, watched together, stopped together."""

from __future__ import annotations

import http.client
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from counselgraph.errors import InfrastructureError, InputError
from counselgraph.models.serving.preflight import gpus_of
from counselgraph.models.serving.processes import end_groups, process
from counselgraph.models.serving.record import Record, Replica, check_unserved, forget, still_there
from counselgraph.models.serving.spec import HOST, ServerSpec

GRACE_S = 15.0
READY_S = 900.0

_POLL_S = 0.25
_ASK_S = 5.0
_SERVER_ERROR = 500
_SHOWN_LINES = 15


class Halt:
    """Whether somebody has asked to stop, and how often."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._hurried = threading.Event()

    def ask(self) -> None:
        """Ask to stop; a second time, to stop at once."""
        (self._hurried if self._asked.is_set() else self._asked).set()

    def hurried(self) -> bool:
        """Whether it was asked twice."""
        return self._hurried.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is asked, at most so long; whether it was."""
        return self._asked.wait(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[Self]:
        """Let SIGINT, SIGTERM and SIGHUP ask. Main thread only."""

        def take(_number: int, _frame: FrameType | None) -> None:
            self.ask()

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, take) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Servers:
    """The replicas of one model, as a context manager: entering starts them, leaving ends their process groups.

    Run `insist(preflight(spec))` first; here a server that lacks something just dies, and its log says of what.

    Args:
        spec: What to serve.
        folder: Where logs and the record of running servers go.
        halt: Lets somebody else stop the waiting.

    Raises:
        ConfigError: On entering: servers of this folder run already.
        InputError: On entering: the folder cannot be written.
    """

    def __init__(self, spec: ServerSpec, folder: Path, *, halt: Halt | None = None) -> None:
        self.spec = spec
        self.folder = folder
        self.halt = halt or Halt()
        self._started: list[tuple[subprocess.Popen[bytes], Replica]] = []

    def __enter__(self) -> Self:
        check_unserved(self.folder)
        gpus = gpus_of(self.spec)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for port in self.spec.ports:
                self._start(port, gpus)
        except OSError as error:
            self.stop()
            fix = "give a --log that can be written"
            raise InputError(f"no server can be started: {error}.", file=str(self.folder), fix=fix) from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """What was started, in the order of the ports."""
        return tuple(replica for _, replica in self._started)

    def wait_ready(self, timeout_s: float = READY_S) -> bool:
        """Wait until every replica answers; False if somebody asked to stop first.

        Raises:
            InfrastructureError: One died, with the last lines of its log; or not all answered in time.
        """
        waiting = {replica.port: replica for replica in self.replicas}
        deadline = time.monotonic() + timeout_s
        while waiting:
            self._check_alive()
            waiting = {port: replica for port, replica in waiting.items() if not _answers(port)}
            if waiting and time.monotonic() > deadline:
                raise InfrastructureError(_too_slow(next(iter(waiting.values())), timeout_s))
            if waiting and self.halt.wait(_POLL_S):
                return False
        return True

    def watch(self) -> None:
        """Wait until somebody asks to stop.

        Raises:
            InfrastructureError: A replica died.
        """
        while not self.halt.wait(_POLL_S):
            self._check_alive()

    def stop(self, grace_s: float = GRACE_S) -> None:
        """End every replica with all its processes; asking once more cuts the grace short."""
        running = [replica.pgid for replica in self.replicas if still_there(replica)]
        end_groups(running, grace_s, hurried=self.halt.hurried)
        for child, _ in self._started:
            child.wait()
        self._started.clear()
        forget(self.folder)

    def _start(self, port: int, gpus: list[str]) -> None:
        command, log = self.spec.command(port), self.folder / f"server-{port}.log"
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 (the interpreter that the user named)
                command,
                env=self.spec.environment(port, gpus),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        seen = process(child.pid)
        replica = Replica(
            pid=child.pid,
            pgid=child.pid,
            started=seen.started if seen else "",
            port=port,
            base_url=f"http://{HOST}:{port}/v1",
            command=tuple(command),
            log=log.absolute(),
        )
        self._started.append((child, replica))
        Record(name=self.spec.served_name, replicas=self.replicas).write(self.folder)

    def _check_alive(self) -> None:
        for child, replica in self._started:
            if child.poll() is not None:
                raise InfrastructureError(_died(replica, child.returncode))


def _answers(port: int) -> bool:
    """Whether the server lists its models; one that wants a key first answers, too."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ASK_S)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status < _SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _died(replica: Replica, code: int) -> str:
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"The server on port {replica.port} {how}. The end of {replica.log}:\n{_tail(replica.log)}"


def _too_slow(replica: Replica, timeout_s: float) -> str:
    said = f"The server on port {replica.port} did not answer within {timeout_s:g} s"
    return f"{said}; give more time with --ready. The end of {replica.log}:\n{_tail(replica.log)}"


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"  (cannot be read: {error})"
    return "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:]) or "  (it is empty)"
