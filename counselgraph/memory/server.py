"""A Chroma server for one memory folder, for runs in which several processes remember.

The server is a process of its own that serves on 127.0.0.1 until its standard input closes, so it ends with whoever
started it, SIGKILL included. It holds the folder's lock: while it lives, nobody else opens the folder.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from counselgraph.errors import ConfigError, CounselgraphError, InfrastructureError
from counselgraph.memory.lock import FolderLock

HOST = "127.0.0.1"
_START_S, _END_S = 60.0, 10.0
LEFTOVER_S = 10.0
_PAUSE_S = 0.01
_QUIET = {"RUST_LOG": "error", "OTEL_SDK_DISABLED": "true"}


@contextmanager
def serving(folder: Path, *, patience_s: float = LEFTOVER_S) -> Iterator[str]:
    """Serve a memory folder while the block lasts. Blocking, about 0.5 s at the start.

    Args:
        folder: Made if it is not there.
        patience_s: How long to wait for another holder of the folder, such as what a killed run left behind.

    Yields:
        The server's URL, for `MemoryStore.open` in any number of processes of this machine.

    Raises:
        ConfigError: The folder cannot be made or written, or another process has it open.
        InfrastructureError: The server did not start.
    """
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - this very module
            [sys.executable, "-m", __name__, str(folder), str(patience_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, **_QUIET, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
            start_new_session=True,  # out of reach of Ctrl-C: sessions that are drained still remember
        )
        try:
            yield f"http://{HOST}:{_port(process, complaints)}"
        finally:
            _end(process)


def _port(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> int:
    """The port the server says it listens on."""
    assert process.stdout is not None
    late = threading.Timer(_START_S, process.kill)
    late.start()
    try:
        line = process.stdout.readline()  # empty if it ends without a word
    finally:
        late.cancel()
    told: dict[str, Any] = json.loads(line) if line else {}
    if "port" in told:
        return int(told["port"])
    if "refused" in told:
        raise ConfigError(told["refused"])
    complaints.seek(0)
    last = complaints.read().decode(errors="replace").strip()[-500:] or "it said nothing"
    raise InfrastructureError(f"the memory server did not start: {told.get('failed', last)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def main() -> None:
    """Serve the folder named on the command line; says on standard output, in one line of JSON, how it went."""
    folder, answer = Path(sys.argv[1]), _own_output()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(folder, patience_s=float(sys.argv[2]))
    except OSError as error:
        _tell(answer, refused=f"memory folder {str(folder)!r} cannot be made ({error.strerror}). Fix: choose another.")
    except CounselgraphError as error:
        _tell(answer, **{"refused" if isinstance(error, ConfigError) else "failed": str(error)})
    else:
        port = _free_port()
        threading.Thread(target=_say_when_ready, args=(port, answer), daemon=True).start()
        threading.Thread(target=_end_with_input, daemon=True).start()
        _run_chroma(folder, port)
        lock.release()


def _run_chroma(folder: Path, port: int) -> None:
    # What the command `chroma` calls; the command itself may not be on the path. Lets other threads run.
    import_module("chromadb_rust_bindings").cli(
        ["chroma", "run", "--path", str(folder), "--host", HOST, "--port", str(port)]
    )


def _own_output() -> IO[str]:
    """Standard output for us alone: Chroma greets and logs there."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return own


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def _say_when_ready(port: int, answer: IO[str]) -> None:
    while not _answers(port):
        time.sleep(_PAUSE_S)
    _tell(answer, port=port)


def _answers(port: int) -> bool:
    asking = http.client.HTTPConnection(HOST, port, timeout=_END_S)
    try:
        asking.request("GET", "/api/v2/heartbeat")
        return asking.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        asking.close()


def _tell(answer: IO[str], **line: Any) -> None:
    answer.write(json.dumps(line) + "\n")
    answer.flush()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    signal.raise_signal(signal.SIGTERM)  # Chroma finishes what it is at
    time.sleep(_END_S / 2)
    os._exit(1)


if __name__ == "__main__":
    main()
