"""Embedders: what turns texts into vectors for the memory store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from counselgraph.errors import ConfigError
from counselgraph.memory.endpoint import EndpointEmbedder
from counselgraph.memory.lexical import LexicalEmbedder
from counselgraph.memory.minilm import MiniLMEmbedder


class Embedder(Protocol):
    """Anything that turns texts into unit vectors.

    Attributes:
        name: Identity of the vectors: kind, version and dimension. Two embedders of one name give equal vectors; a
            store refuses an embedder whose name is not the one it was made with.
    """

    name: str

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return an array of shape (len(texts), dimension); rows have length 1, or 0 for a text without content."""
        ...


def load_embedder(name: str = "lexical") -> Embedder:
    """Make the embedder of a name.

    Args:
        name: "lexical" (built in, needs nothing), "minilm:<folder>" (a folder with `model.onnx` and
            `tokenizer.json`; needs the extra `counselgraph[minilm]`) or "endpoint:<model>@<URL>" (an OpenAI-compatible
            server, which is sent every text; the URL ends in `/v1`).

    Raises:
        ConfigError: The name is unknown, or files or packages it needs are missing.
    """
    kind, _, argument = name.partition(":")
    match kind:
        case "lexical" if not argument:
            return LexicalEmbedder()
        case "minilm" if argument:
            return MiniLMEmbedder(Path(argument))
        case "minilm":
            raise ConfigError("embedder `minilm` needs the folder of its model. Fix: write `minilm:<folder>`.")
        case "endpoint":
            return _endpoint(argument)
        case _:
            raise ConfigError(
                f"unknown embedder {name!r}. Fix: use `lexical`, `minilm:<folder>` or `endpoint:<model>@<URL>`."
            )


def _endpoint(argument: str) -> EndpointEmbedder:
    model, at, url = argument.rpartition("@http")
    if not model:
        raise ConfigError(
            "embedder `endpoint` needs a model and a URL. Fix: write `endpoint:MODEL@http://HOST:PORT/v1`."
        )
    return EndpointEmbedder(model, f"{at.removeprefix('@')}{url}")
