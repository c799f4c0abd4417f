"""Names to models: the only place that knows which names there are."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel

from counselgraph.errors import ConfigError
from counselgraph.models.base import Model
from counselgraph.models.chat import ChatModel
from counselgraph.models.endpoint import ClientKind, Endpoint
from counselgraph.models.human import Human
from counselgraph.models.replay import Replay
from counselgraph.models.script import Script
from counselgraph.models.structured import StructuredMode
from counselgraph.models.wire import public

VLLM_URL = "http://127.0.0.1:8000/v1"
NO_KEY = "EMPTY"  # what a server without authentication expects in place of a key

FORMS = {
    "rehearsal": "rehearsal",
    "openai": "openai/<model>",
    "vllm": "vllm/<model>",
    "human": "human",
    "script": "script/<file>",
    "replay": "replay/<run folder>",
    "llamacpp": "llamacpp/<file.gguf>",
}
_KEYS = {"openai": "OPENAI_API_KEY", "vllm": "VLLM_API_KEY"}


class ModelName(NamedTuple):
    """A model name taken apart.

    Attributes:
        kind: One of the keys of `FORMS`.
        rest: Model, file or folder; "" where the form has none.
        base_url: Address given in the name itself, as in `vllm/qwen@http://127.0.0.1:8001/v1`; several with commas
            between them.
    """

    kind: str
    rest: str
    base_url: str | None


def check_model_name(name: str) -> ModelName:
    """Check the form of a name without opening anything.

    Raises:
        ConfigError: The name has none of the known forms.
    """
    kind, slash, rest = name.partition("/")
    if kind not in FORMS:
        raise ConfigError(f"There is no model `{name}`.{_did_you_mean(kind)} Models are: {', '.join(FORMS.values())}.")
    wants_rest = "/" in FORMS[kind]
    if bool(rest) != wants_rest or bool(slash) != wants_rest:
        raise ConfigError(f"Model `{name}` should have the form `{FORMS[kind]}`.")
    if kind not in _KEYS:
        return ModelName(kind, rest, None)
    model, at, address = rest.partition("@http")
    if not model:
        raise ConfigError(f"Model `{name}` names an address but no model; it should have the form `{FORMS[kind]}`.")
    base_url = f"http{address}" if at else None
    if base_url is not None and any(urlsplit(one).username is not None for one in addresses(base_url)):
        raise ConfigError(f"Model `{kind}/{model}` carries a password in its address; names are written to logs.")
    return ModelName(kind, model, base_url)


def addresses(base_url: str | Sequence[str]) -> tuple[str, ...]:
    """The addresses in a text with commas between them, or in a sequence; each once, in the order given.

    Raises:
        ConfigError: One does not begin with http:// or https://, or there is none.
    """
    given = base_url.split(",") if isinstance(base_url, str) else base_url
    found = tuple(dict.fromkeys(one.strip().rstrip("/") for one in given if one.strip()))
    for one in found:
        if not one.startswith(("http://", "https://")):
            raise ConfigError(f"The address `{public(one)}` should begin with http:// or https://.")
    if not found:
        raise ConfigError("An empty address was given for the model server.")
    return found


class Models:
    """The models of one run, made on first use and shared by name.

    Use it as an async context manager, or call `aclose`: it owns HTTP connections.

    Args:
        base_url: Address of the OpenAI-compatible server for `openai/` and `vllm/` names that carry none; the
            environment variable OPENAI_BASE_URL by default. `vllm/` falls back to `VLLM_URL`; `openai/` has no
            fallback, so nothing leaves the machine unless an address was named. Several addresses, in a sequence or
            with commas between them, share the calls, see `Pool`.
        api_key: Key for the server; by default OPENAI_API_KEY for `openai/` names and VLLM_API_KEY for `vllm/` names.
        overrides: Models of your own by name, `Model`s or LangChain chat models; they come before every form.
        max_calls: Calls in flight per server.
        timeout_s: Deadline of one call in seconds, queueing here not counted.
        structured: How a server is asked for typed output, see `StructuredMode`.
        client: What carries the calls to servers, "fast" or "stock", see `ClientKind`.
    """

    def __init__(
        self,
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        *,
        overrides: Mapping[str, Model | BaseChatModel] | None = None,
        max_calls: int = 64,
        timeout_s: float = 120,
        structured: StructuredMode = "json_schema",
        client: ClientKind = "fast",
    ) -> None:
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        self._api_key = api_key
        self._overrides = dict(overrides or {})
        self._max_calls = max_calls
        self._timeout_s = timeout_s
        self._structured: StructuredMode = structured
        self._client: ClientKind = client
        self._models: dict[str, Model] = {}
        self._served: set[tuple[str, str | None]] = set()
        self._endpoints: dict[tuple[tuple[str, ...], str], Endpoint] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection of the running event loop; a later call opens new ones."""
        for endpoint in self._endpoints.values():
            await endpoint.aclose()

    def get(self, name: str, *, role: str | None = None) -> Model:
        """The model of a name. Reads files, so call it outside the event loop or in a thread.

        Args:
            name: One of `FORMS`, or a name from `overrides`.
            role: Role that will use it, if known: a script without lines for it is refused here and not mid-session.

        Raises:
            ConfigError: No such model, or no address for it.
            InputError: A script cannot be used.
        """
        if name not in self._models:
            self._models[name] = self._make(name)
        model = self._models[name]
        if role is not None and isinstance(model, Script):
            model.lines(role)
        return model

    async def aget(self, name: str, *, role: str | None = None) -> Model:
        """`get` for an event loop: a model that is not made yet is made in a thread."""
        known = (name, role) in self._served
        self._served.add((name, role))
        return self.get(name, role=role) if known else await asyncio.to_thread(self.get, name, role=role)

    async def describe(self, name: str) -> dict[str, Any]:
        """What a model is, as plain JSON values for a run's record; every server is asked what it serves.

        A server that lists nothing is taken at its word when it is asked.

        Returns:
            `name` and `kind`; for a server also `base_url` (without credentials), `served` (ids), `model` (the server's
            entry, None if it lists none), `context_tokens` (the least of all servers, None if unknown) and, for several
            servers, `servers`, a record of each.

        Raises:
            ConfigError: No such model, or a server serves others.
            InfrastructureError: A server could not be reached or refused to say.
        """
        if name in self._overrides:
            return {"name": name, "kind": type(self._overrides[name]).__name__}
        parts = check_model_name(name)
        known = {"name": name, "kind": parts.kind}
        return known | await self._endpoint(parts).describe(parts.rest, name) if parts.kind in _KEYS else known

    def chat(self, name: str) -> BaseChatModel:
        """The LangChain chat model of an `openai/` or `vllm/` name, for chains of your own; see `Endpoint.chat`.

        Slow on the first call, so call it outside the event loop or in a thread. It shares the connections and the
        limit of calls with every other model of its server.

        Raises:
            ConfigError: The name is of another kind, or no address is known for it.
        """
        parts = check_model_name(name)
        if parts.kind not in _KEYS:
            raise ConfigError(f"Model `{name}` has no server; LangChain chat models are for openai/ and vllm/ names.")
        return self._endpoint(parts).chat(parts.rest)

    def _make(self, name: str) -> Model:
        if name in self._overrides:
            own = self._overrides[name]
            return ChatModel(own, name, timeout_s=self._timeout_s) if isinstance(own, BaseChatModel) else own
        parts = check_model_name(name)
        match parts.kind:
            case "rehearsal":
                return _rehearsal()
            case "human":
                return Human()
            case "script":
                return Script(parts.rest)
            case "replay":
                return Replay(parts.rest)
            case "llamacpp":
                return _llamacpp(parts.rest, name)
            case _:
                return self._endpoint(parts).model(parts.rest, name)

    def _endpoint(self, parts: ModelName) -> Endpoint:
        base_url = parts.base_url or self._base_url or (VLLM_URL if parts.kind == "vllm" else None)
        if base_url is None:
            raise ConfigError(
                f"Model `{parts.kind}/{parts.rest}` needs the address of its server: give --base-url or set "
                "OPENAI_BASE_URL."
            )
        api_key = self._api_key or os.environ.get(_KEYS[parts.kind]) or NO_KEY
        key = (addresses(base_url), api_key)
        if key not in self._endpoints:
            self._endpoints[key] = Endpoint(
                *key,
                client=self._client,
                max_calls=self._max_calls,
                timeout_s=self._timeout_s,
                structured=self._structured,
            )
        return self._endpoints[key]


def _rehearsal() -> Model:
    # Imported on use: it loads its phrase files, which a run on other models does not need.
    from counselgraph.models.rehearsal.model import Rehearsal  # noqa: PLC0415

    return Rehearsal()


def _llamacpp(file: str, name: str) -> Model:
    # Imported on use: its libraries are an extra.
    from counselgraph.models.llamacpp import load_llamacpp  # noqa: PLC0415

    return load_llamacpp(file, name)


def _did_you_mean(kind: str) -> str:
    close = difflib.get_close_matches(kind, FORMS, n=1)
    return f" Did you mean `{FORMS[close[0]]}`?" if close else ""
