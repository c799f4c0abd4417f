"""An advisory lock on a folder: one process at a time, let go by the system when that process dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from counselgraph.errors import ConfigError, InfrastructureError

LOCK_FILE = "counselgraph.lock"
_PAUSE_S = 0.05

if sys.platform == "win32":
    import msvcrt

    # Past the end of the file, because Windows forbids others to read the locked byte and they read the process id.
    _BYTE = 1 << 30

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """Hold a folder for this process until `release` or the end of the process, SIGKILL included.

    Args:
        folder: An existing folder; a small lock file is made in it and stays there.
        what: What the folder is, for messages.
        harm: What two processes on one such folder would do, for messages.
        fix: What to do about it, for messages.
        patience_s: How long to wait for another holder. Blocking.

    Raises:
        ConfigError: Another process holds the folder, or it cannot be written to.
        InfrastructureError: The file system does not support locks.
    """

    def __init__(
        self,
        folder: Path,
        *,
        what: str = "memory folder",
        harm: str = "would read stale memories",
        fix: str = "end that process, serve the folder (docs/scaling.md), or give each process a folder of its own",
        patience_s: float = 0,
    ) -> None:
        path = folder / LOCK_FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ConfigError(
                f"{what} {str(folder)!r} is not writable ({error.strerror}). Fix: choose another folder or "
                "change its permissions."
            ) from error
        try:
            _wait_for(self._descriptor, patience_s)
            self._sign()
        except OSError as error:
            os.close(self._descriptor)
            raise _refusal(f"{what} {str(folder)!r}", harm, fix, path, error) from error

    def _sign(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def release(self) -> None:
        """Let the folder go. The file stays: removing it could take away a lock that somebody else just got."""
        os.close(self._descriptor)


def hold_file(file: Path) -> int:
    """Hold a file, made if missing, until the descriptor given back is closed or this process ends.

    Raises:
        BlockingIOError: Another process holds it, or this one.
        OSError: It cannot be opened or the file system does not support locks.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor)
    except PermissionError as error:  # what Windows says
        os.close(descriptor)
        raise BlockingIOError(*error.args) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _wait_for(descriptor: int, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _lock(descriptor)
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_S)


def _refusal(folder: str, harm: str, fix: str, path: Path, error: OSError) -> ConfigError | InfrastructureError:
    if not isinstance(error, BlockingIOError | PermissionError):
        return InfrastructureError(f"{folder} cannot be locked: {error.strerror}")
    holder = path.read_text(encoding="utf-8").strip() or "unknown"
    return ConfigError(
        f"{folder} is already open in process {holder}, and two processes on one folder {harm}. Fix: {fix}."
    )
