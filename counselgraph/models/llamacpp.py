"""A GGUF file in this process: llama.cpp through LangChain's chat model, an optional extra."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import ValidationError

from counselgraph.errors import ConfigError, ContextTooLong, InfrastructureError
from counselgraph.models.base import Answer, Request
from counselgraph.models.chat import answer_from, reply_of, to_langchain
from counselgraph.models.retry import caller_of
from counselgraph.models.structured import wire_schema

CONTEXT = 8192
MAX_TOKENS = 1024

_SEEDS = 2**32 - 1  # llama.cpp takes 32 bits, and the highest value asks for a seed by chance
_TOO_LONG = "exceed context window"  # how llama-cpp-python says it
_BATCH = 512
_EVERY_LAYER = -1
_OURS = {"self", "messages", "stream", "seed", "response_format"}


class LlamaCpp:
    """One GGUF file, one call at a time.

    Calls block, so they run in a thread of their own, in the order they were made. They have no deadline: a call
    cannot be broken off, and the same call again would take the same time; `max_tokens` bounds it. Typed output is
    held to its schema by llama.cpp's grammar.

    Args:
        chat: LangChain's `ChatLlamaCpp`, not streaming.
        name: Name of the model.
        context_tokens: Tokens that prompt and answer may have together, None if not known.
    """

    def __init__(self, chat: BaseChatModel, name: str, *, context_tokens: int | None = None) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self._chat = chat
        self._takes = frozenset(inspect.signature(cast("Any", chat).client.create_chat_completion).parameters)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llama.cpp")

    async def answer(self, request: Request) -> Answer:
        """Ask; text comes back without reasoning blocks and code fences, "" if empty.

        Raises:
            ModelError: The answer to a request for typed output was cut off.
            ConfigError: llama.cpp does not take a parameter of the request.
            ContextTooLong: The prompt does not fit into the model's context.
            InfrastructureError: llama.cpp failed.
        """
        call = partial(self._chat.invoke, to_langchain(request.messages), **self._settings(request))
        try:
            reply = await asyncio.get_running_loop().run_in_executor(self._worker, call)
        except (ValueError, RuntimeError, OSError) as error:
            kind = ContextTooLong if _TOO_LONG in str(error) else InfrastructureError
            raise kind(f"`{self.name}`: {caller_of(request)}: {error}") from error
        return answer_from(reply_of(_with_usage(reply)), request, self.name)

    def _settings(self, request: Request) -> dict[str, Any]:
        """What goes to llama.cpp beside the messages."""
        if unknown := sorted(set(request.params) - (self._takes - _OURS)):
            known = ", ".join(sorted(self._takes - _OURS))
            raise ConfigError(f"`{self.name}` takes no parameter {', '.join(unknown)}. Parameters: {known}.")
        settings: dict[str, Any] = {"seed": request.seed % _SEEDS, **request.params}
        if request.output is not None:
            settings["response_format"] = {"type": "json_object", "schema": wire_schema(request.output)}
        return settings


def load_llamacpp(file: str | Path, name: str) -> LlamaCpp:
    """Load a GGUF file. Blocking: reads the whole file.

    The context is `CONTEXT` tokens and an answer at most `MAX_TOKENS`; for other settings make a `ChatLlamaCpp` of
    your own and pass it to `Models(overrides=...)`.

    Args:
        file: The GGUF file.
        name: Name of the model.

    Raises:
        ConfigError: The file is not there or cannot be loaded, or llama.cpp is not installed.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise ConfigError(f"Model `{name}`: there is no file {path}.")
    try:
        import llama_cpp  # noqa: F401, PLC0415 (an extra, looked for before LangChain hides that it is missing)
        from langchain_community.chat_models import ChatLlamaCpp  # noqa: PLC0415 (an extra)
    except ImportError as error:
        fix = "pip install 'counselgraph[llamacpp]'"
        raise ConfigError(f"Model `{name}` needs llama.cpp, which is not installed ({error}): {fix}") from error
    try:
        return LlamaCpp(ChatLlamaCpp(model_path=str(path), **_settings()), name, context_tokens=CONTEXT)
    except ValidationError as error:
        raise ConfigError(f"Model `{name}` cannot be loaded: {error.errors()[0]['msg']}.") from error


def _settings() -> Mapping[str, Any]:
    return {
        "n_ctx": CONTEXT,
        "max_tokens": MAX_TOKENS,
        "n_batch": _BATCH,
        "n_gpu_layers": _EVERY_LAYER,
        "repeat_penalty": 1.0,
        "streaming": False,  # a stream reports no tokens
        "verbose": False,
    }


def _with_usage(reply: AIMessage) -> AIMessage:
    """The reply with its tokens where LangChain's other chat models put them."""
    tokens = reply.response_metadata.get("token_usage")
    if not tokens:
        return reply
    usage = UsageMetadata(
        input_tokens=tokens["prompt_tokens"],
        output_tokens=tokens["completion_tokens"],
        total_tokens=tokens["total_tokens"],
    )
    return reply.model_copy(update={"usage_metadata": usage})
