"""What every model is asked and answers: the seam between a role and whoever thinks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from typing_extensions import TypedDict


class ChatMessage(TypedDict):
    """One message of a prompt in the form every chat endpoint takes."""

    role: Literal["system", "user", "assistant"]
    content: str


class Request(BaseModel):
    """One question to a model.

    Attributes:
        role: Name of the role that asks ("client", "counselor", "planner", ...).
        messages: The rendered prompt: system first, then the dialogue, the turn card last.
        card: The turn card by itself; `messages` ends with it.
        view: The role's own View, as values. Rehearsal and people read this; endpoints read `messages`.
        output: Type the answer must parse to as JSON, or None for plain text.
        session: Session id.
        exchange: Exchange the answer belongs to, 0 for the opening.
        call: 0 for the first call of this role in this exchange, 1 for the next.
        seed: 63-bit seed derived from run seed, persona, replicate, exchange, role and call.
        language: Language the answer should be in.
        locale: Country whose crisis resources may be named.
        params: Sampling parameters (temperature, max_tokens, ...).
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    role: str
    messages: SkipValidation[tuple[ChatMessage, ...]]  # checking would copy every message of every call
    card: str = ""
    view: Mapping[str, Any] = Field(default_factory=dict, repr=False)
    output: type[BaseModel] | None = None
    session: str = ""
    exchange: int = 0
    call: int = 0
    seed: int = 0
    language: str = "en"
    locale: str = "US"
    params: Mapping[str, Any] = Field(default_factory=dict)


class Usage(BaseModel):
    """Tokens and calls. Adds up with `+`; a model that reports no tokens leaves them 0."""

    model_config = ConfigDict(frozen=True)

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class Answer(BaseModel):
    """What a model answered.

    Attributes:
        text: The words, or JSON text when the request named an output type.
        end: If the speaker ends the session with this turn: the reason, in a few words.
        usage: What the call cost.
        journaled: True if the answer came out of a journal instead of a model.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    end: str | None = None
    usage: Usage = Usage(calls=1)
    journaled: bool = False


def context_of(model: Model) -> int | None:
    """Tokens a model takes, prompt and answer together; None if it does not say."""
    found: int | None = getattr(model, "context_tokens", None)
    return found


class Model(Protocol):
    """Whatever fills a role: an endpoint, the rehearsal simulator, a person, a script, a replay.

    `answer` raises `ModelError` for an unusable answer and `InfrastructureError` when nothing could be reached.
    """

    @property
    def name(self) -> str:
        """Name as given in a RunSpec, such as "vllm/Qwen3-8B"."""
        ...

    async def answer(self, request: Request) -> Answer:
        """Answer one request."""
        ...


class Around:
    """What every model around another one shares: its name and its window are that one's."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self._model.name

    @property
    def context_tokens(self) -> int | None:
        """Tokens the model inside takes, None if unknown."""
        return context_of(self._model)
