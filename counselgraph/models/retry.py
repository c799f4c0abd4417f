"""The one retry layer: which failures are worth another try, and how long to wait before it."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from langchain_core.exceptions import ContextOverflowError, ModelConnectionError, ModelTimeoutError

from counselgraph.errors import ConfigError, ContextTooLong, CounselgraphError, InfrastructureError
from counselgraph.models.base import Request
from counselgraph.models.events import emit

T = TypeVar("T")

_TOO_LONG = (
    "context length",
    "context_length",
    "context window",
    "context size",
    "maximum model length",
    "prompt is too long",
)
_SERVER_ERROR = 500
_TRANSIENT = {408, 425, 429}
_CONFIG = {301, 302, 303, 307, 308, 401, 403, 404}
_SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently.

    Attributes:
        tries: Tries in all, the first included.
        base_s: Seconds before the second try; doubles with every further one, plus up to half of it by chance.
        cap_s: Longest wait in seconds, also when the server asks for more.
    """

    tries: int = 3
    base_s: float = 0.5
    cap_s: float = 20.0

    def wait(self, attempt: int, seed: int, asked_s: float | None) -> float:
        """Seconds to wait after failed try `attempt` (1-based); deterministic in `seed`."""
        if asked_s is not None:
            return min(asked_s, self.cap_s)
        jitter = random.Random(seed + attempt).uniform(1.0, 1.5)
        return min(self.base_s * 2.0 ** (attempt - 1) * jitter, self.cap_s)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call in our words.

    Attributes:
        problem: What happened, short.
        status: HTTP status, if a server answered.
        retry: Whether another try may succeed.
        asked_s: Seconds the server asked to wait, if it did.
        too_long: Whether the prompt does not fit into the model's context.
        lost: Whether the server could not be reached, broke off or gave no answer in time.
    """

    problem: str
    status: int | None = None
    retry: bool = True
    asked_s: float | None = None
    too_long: bool = False
    lost: bool = False


async def with_retries(
    call: Callable[[], Awaitable[T]],
    *,
    name: str,
    policy: RetryPolicy,
    deadline_s: float,
    seed: int = 0,
    gate: AbstractAsyncContextManager[object] | None = None,
    caller: str = "",
) -> T:
    """Await `call()` until it succeeds or the policy gives up. Every further try emits a "retry" event.

    Args:
        call: Makes one try.
        name: Name of the model, for messages.
        policy: How often, how patiently.
        deadline_s: Seconds one try may take, waiting at the gate not counted.
        seed: Makes the jitter of the waits deterministic.
        gate: Entered for every try; limits tries in flight and is not held while waiting for the next one.
        caller: Whose call it is, for the message of a prompt that is too long; see `caller_of`.

    Raises:
        ConfigError: The server refuses every request like this one: key, model name, address.
        ContextTooLong: The prompt does not fit into the model's context.
        InfrastructureError: Refused for another reason, or unreachable, overloaded, failing or too slow after every
            try.
    """
    for attempt in range(1, policy.tries + 1):
        try:
            async with gate or nullcontext(), asyncio.timeout(deadline_s):
                return await call()
        except Exception as error:
            failure = failure_of(error, deadline_s)
            if failure is None:
                raise
            if not failure.retry or attempt == policy.tries:
                raise final(name, failure, attempt, caller) from error
        wait_s = policy.wait(attempt, seed, failure.asked_s)
        emit("retry", model=name, attempt=attempt, problem=failure.problem, status=failure.status, wait_s=wait_s)
        await asyncio.sleep(wait_s)
    raise ConfigError(f"`{name}`: a retry policy needs at least one try.")


def caller_of(request: Request) -> str:
    """Whose call it is, in words."""
    return f"role `{request.role}` of session `{request.session}`"


def failure_of(error: Exception, deadline_s: float) -> Failure | None:
    """What a failed call means; None for an error that is not the server's or the network's."""
    status = getattr(error, "status_code", None)
    if isinstance(error, ContextOverflowError) or (status is not None and _names_context(error)):
        problem = f"the prompt is longer than the model's context ({_said(error)})"
        return Failure(problem, status, retry=False, too_long=True)
    if status is not None:
        transient = status in _TRANSIENT or status >= _SERVER_ERROR
        return Failure(f"HTTP {status}: {_said(error)}", status, transient, _asked(error))
    if isinstance(error, TimeoutError | ModelTimeoutError):
        return Failure(f"no answer within {deadline_s:g} s", lost=True)
    if isinstance(error, json.JSONDecodeError):
        return Failure("the reply was not JSON")
    if _is_lost(error):
        return Failure(_said(error), lost=True)
    return Failure(_said(error)) if _may_pass(error) else None


def final(name: str, failure: Failure, tries: int = 1, caller: str = "") -> CounselgraphError:
    """The error that ends a call after a failure; arguments as for `with_retries`."""
    if failure.too_long:
        return ContextTooLong(f"`{name}`: {caller}{': ' if caller else ''}{failure.problem}")
    # A wrong key or model name fails every session alike; a refused prompt fails this one.
    if not failure.retry:
        kind = ConfigError if failure.status in _CONFIG else InfrastructureError
        return kind(f"`{name}`: {failure.problem}")
    return InfrastructureError(f"`{name}`: gave up after {tries} tries: {failure.problem}")


def _names_context(error: Exception) -> bool:
    said = str(error).lower()
    return any(sign in said for sign in _TOO_LONG)


def _said(error: BaseException) -> str:
    """The server's own message if there is one, otherwise the error's and its first cause's, on one line."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    texts = [str(message)] if message else dict.fromkeys((str(error), str(cause)))
    text = " ".join(" / ".join(text for text in texts if text).split()) or type(cause).__name__
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _asked(error: Exception) -> float | None:
    headers = getattr(error, "headers", None) or getattr(getattr(error, "response", None), "headers", {})
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


# By name: providers bring HTTP clients of their own.
def _is_lost(error: Exception) -> bool:
    return isinstance(error, OSError | ModelConnectionError) or _is_called(error, "TransportError")


def _may_pass(error: Exception) -> bool:
    # An SDK's bare APIError is an error event in a stream.
    return bool(getattr(error, "is_retryable", False)) or _is_called(error, "APIError")


def _is_called(error: Exception, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
