"""The program: every command, and what it says when something is wrong."""

from __future__ import annotations

import sys

# Each module adds its commands to `app`, in the order of --help.
# isort: off
from counselgraph.cli import run
from counselgraph.cli import fork
from counselgraph.cli import show
from counselgraph.cli import safety
from counselgraph.cli import export
from counselgraph.cli import personas
from counselgraph.cli import screen
from counselgraph.cli import memory
from counselgraph.cli import doctor
from counselgraph.cli import serve_model

# isort: on
from counselgraph.cli.app import BAD_INPUT, DRAINED, SOME_FAILED, app, err
from counselgraph.errors import ConfigError, CounselgraphError, InputError

__all__ = [
    "app",
    "doctor",
    "export",
    "fork",
    "main",
    "memory",
    "personas",
    "run",
    "safety",
    "screen",
    "serve_model",
    "show",
]


def main() -> None:
    """Entry point: errors of ours become one clear line and an exit code."""
    try:
        app()
    except CounselgraphError as error:
        sys.exit(_explain(error))
    except BaseExceptionGroup as group:
        ours, others = group.split(CounselgraphError)
        if ours is None or others is not None:
            raise
        sys.exit(_explain(_first(ours)))
    except KeyboardInterrupt:
        sys.exit(DRAINED)


def _explain(error: BaseException) -> int:
    """Say what went wrong in one clear line; the exit code tells the user's mistakes from the machine's."""
    err.print(f"error: {error}", markup=False, style="red")
    return BAD_INPUT if isinstance(error, InputError | ConfigError) else SOME_FAILED


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
