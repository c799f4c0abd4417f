"""The error tree: everything this package raises on purpose is one of these classes."""

from __future__ import annotations


class CounselgraphError(RuntimeError):
    """Base class of every error raised on purpose by counselgraph.

    A RuntimeError, because LangGraph's server hides the message of every exception that is not one of Python's own.
    """


class InputError(CounselgraphError):
    """A file, record or field given by the user cannot be used.

    The message names the place, the field and the fix, in that order.

    Args:
        problem: What is wrong, in one sentence.
        file: File the input came from, if any.
        record: 1-based record number inside the file, if any.
        field: Dotted name of the offending field, if any.
        fix: What the user can do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        record: int | None = None,
        field: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.record = record
        self.field = field
        self.fix = fix
        super().__init__(problem)

    def __str__(self) -> str:
        place = [] if self.file is None else [self.file]
        if self.record is not None:
            place.append(f"record {self.record}")
        if self.field is not None:
            place.append(f"field `{self.field}`")
        head = f"{', '.join(place)}: " if place else ""
        if not self.fix:
            return f"{head}{self.problem}"
        stop = "" if self.problem.endswith((".", "!", "?", "\n")) else "."
        return f"{head}{self.problem}{stop} Fix: {self.fix}"


class ConfigError(CounselgraphError):
    """A run, role or model was put together in a way that cannot work."""


class ModelError(CounselgraphError):
    """A model answered, but its answer cannot be used (empty, cut, not valid against its schema)."""


class InfrastructureError(CounselgraphError):
    """A model or store could not be reached or failed for reasons of its own; not a result."""


class ContextTooLong(InfrastructureError):  # noqa: N818 - says what happened, as `TimeoutError` would not
    """A prompt does not fit into the model's context; the message names the role and the session."""
