"""An advisory lock on a folder: one process at a time, let go by the system when that process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from counselgraph.errors import ConfigError, InfrastructureError

LOCK_FILE = "counselgraph.lock"

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

    Raises:
        ConfigError: Another process holds the folder, or it cannot be written to.
        InfrastructureError: The file system does not support locks.
    """

    def __init__(self, folder: Path, *, what: str = "memory folder", harm: str = "would read stale memories") -> None:
        path = folder / LOCK_FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ConfigError(
                f"{what} {str(folder)!r} is not writable ({error.strerror}). Fix: choose another folder or "
                "change its permissions."
            ) from error
        try:
            _lock(self._descriptor)
            self._sign()
        except OSError as error:
            os.close(self._descriptor)
            raise _refusal(f"{what} {str(folder)!r}", harm, path, error) from error

    def _sign(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def release(self) -> None:
        """Let the folder go. The file stays: removing it could take away a lock that somebody else just got."""
        os.close(self._descriptor)


def _refusal(folder: str, harm: str, path: Path, error: OSError) -> ConfigError | InfrastructureError:
    if not isinstance(error, BlockingIOError | PermissionError):
        return InfrastructureError(f"{folder} cannot be locked: {error.strerror}")
    holder = path.read_text(encoding="utf-8").strip() or "unknown"
    return ConfigError(
        f"{folder} is already open in process {holder}, and two processes on one folder {harm}. "
        "Fix: end that process, or give each process a folder of its own."
    )
