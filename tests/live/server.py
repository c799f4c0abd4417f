"""`counselgraph serve-model` in a process of its own, and what its servers say of themselves."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from counselgraph.models.serving.processes import group, send
from counselgraph.models.serving.record import Replica, read_record
from tests.e2e.helpers import COMMAND, environment
from tests.fakes.vllm import free_ports

READY_S = 240
ENDED_S = 60
_NUMBER = re.compile(r"^(?P<name>vllm:\w+)\{.*\} (?P<value>\S+)$", re.MULTILINE)


class ServeModel:
    """The command that serves a model; start it, end it, start it again on the same ports.

    Attributes:
        replicas: The servers of the last start.
        said: What the last start has printed.
    """

    def __init__(self, model: Path, python: str, place: Path, *, replicas: int = 1) -> None:
        self.place = place
        self.log = place / "log"
        self.replicas: tuple[Replica, ...] = ()
        self.said = ""
        self._flags = ("--port", str(free_ports(replicas)), "--replicas", str(replicas), "--python", python)
        self._model = model
        self._process: subprocess.Popen[str] | None = None

    @property
    def runs(self) -> bool:
        """Whether the command runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def base_url(self) -> str:
        """Addresses as `--base-url` takes them."""
        return ",".join(replica.base_url for replica in self.replicas)

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags that let every role of a run think with the model."""
        return ("--model", "vllm/tiny", "--base-url", self.base_url)

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        with (self.place / "said").open("w") as said:
            self._process = subprocess.Popen(
                [COMMAND, "serve-model", self._model, "--cpu", "--log", self.log, *self._flags],
                cwd=self.place,
                env=environment(VLLM_CPU_KVCACHE_SPACE="1"),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
            )
        deadline = time.monotonic() + READY_S
        while "Ready after" not in self._read():
            assert self.runs, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.2)
        record = read_record(self.log)
        assert record is not None
        self.replicas = record.replicas

    def stop(self) -> int:
        """Ask it to stop, and wait; its exit code, 0 if it does not run."""
        return self.signal(signal.SIGTERM) if self.runs else 0

    def signal(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end; its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def kill_replicas(self) -> None:
        """End the servers, as a crash would: the command still runs, and has to notice."""
        send([replica.pgid for replica in self.replicas], signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the end of the command; its exit code."""
        assert self._process is not None
        code = self._process.wait(ENDED_S)
        self._read()
        return code

    @property
    def left(self) -> int:
        """Processes of the servers that run."""
        return sum(len(group(replica.pgid)) for replica in self.replicas)

    def counted(self, name: str) -> list[float]:
        """What a counter of every server stands at."""
        found = []
        for replica in self.replicas:
            with urllib.request.urlopen(f"{replica.base_url.removesuffix('/v1')}/metrics") as page:
                values = _NUMBER.finditer(page.read().decode())
            found.append(sum(float(each["value"]) for each in values if each["name"] == name))
        return found

    def _read(self) -> str:
        self.said = (self.place / "said").read_text(encoding="utf-8")
        return self.said
