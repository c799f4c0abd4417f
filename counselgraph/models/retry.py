"""The one retry layer: which failures are worth another try, and how long to wait before it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from langchain_core.exceptions import ContextOverflowError, ModelTimeoutError

from counselgraph.errors import ConfigError, CounselgraphError, InfrastructureError
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
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_TRANSIENT = {408, 425, _TOO_MANY_REQUESTS}
_CONFIG = {401, 403, 404}
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
    """

    problem: str
    status: int | None = None
    retry: bool = True
    asked_s: float | None = None


async def with_retries(
    call: Callable[[], Awaitable[T]],
    *,
    name: str,
    policy: RetryPolicy,
    deadline_s: float,
    seed: int = 0,
    gate: AbstractAsyncContextManager[None] | None = None,
) -> T:
    """Await `call()` until it succeeds or the policy gives up. Every further try emits a "retry" event.

    Args:
        call: Makes one try.
        name: Name of the model, for messages.
        policy: How often, how patiently.
        deadline_s: Seconds one try may take, waiting at the gate not counted.
        seed: Makes the jitter of the waits deterministic.
        gate: Limits tries in flight; not held while waiting for the next try.

    Raises:
        ConfigError: The server refused the request for good: key, model name, prompt length, a parameter.
        InfrastructureError: Unreachable, overloaded, failing or too slow after every try.
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
                raise _final(name, failure, attempt) from error
        wait_s = policy.wait(attempt, seed, failure.asked_s)
        emit("retry", model=name, attempt=attempt, problem=failure.problem, status=failure.status, wait_s=wait_s)
        await asyncio.sleep(wait_s)
    raise ConfigError(f"`{name}`: a retry policy needs at least one try.")


def failure_of(error: Exception, deadline_s: float) -> Failure | None:
    """What a failed call means; None for an error that is not the server's or the network's."""
    status = getattr(error, "status_code", None)
    if isinstance(error, ContextOverflowError) or (status is not None and _names_context(error)):
        return Failure(f"the prompt is longer than the model's context ({_said(error)})", status, retry=False)
    if status is not None:
        transient = status in _TRANSIENT or status >= _SERVER_ERROR
        return Failure(f"HTTP {status}: {_said(error)}", status, transient, _asked(error))
    if isinstance(error, TimeoutError | ModelTimeoutError):
        return Failure(f"no answer within {deadline_s:g} s")
    if isinstance(error, json.JSONDecodeError):
        return Failure("the reply was not JSON")
    return Failure(_said(error)) if _is_transport(error) else None


def _final(name: str, failure: Failure, tries: int) -> CounselgraphError:
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
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(float(headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


def _is_transport(error: Exception) -> bool:
    if isinstance(error, OSError) or getattr(error, "is_retryable", False):
        return True
    # By name: providers bring HTTP clients of their own, and an SDK's bare APIError is an error event in a stream.
    return any(kind.__name__ in {"TransportError", "APIError"} for kind in type(error).__mro__)
