"""Embedder of an OpenAI-compatible server (`/v1/embeddings`), for whoever names one: texts leave this process.

Nothing is sent when the embedder is made. Blocking; the memory store calls it in threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import orjson

from counselgraph.errors import ConfigError, InfrastructureError

KEY = "COUNSELGRAPH_EMBEDDING_KEY"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BATCH = 64
_TRIES, _PAUSE_S = 3, 0.5
_OK, _NO_ANSWER = 200, 0
_PASSING = frozenset({_NO_ANSWER, 408, 409, 425, 429, 500, 502, 503, 504})


class EndpointEmbedder:
    """Embed texts with a model behind `/v1/embeddings`.

    Refusals that may pass (overload, a server error, no connection) are tried three times in all.

    Args:
        model: Model as the server calls it.
        base_url: URL up to and with `/v1`.
        timeout_s: Seconds that one request may take.

    Attributes:
        name: Identity of the vectors: the model. Two servers of one model are taken to give equal vectors.

    Raises:
        ConfigError: The URL names no host or carries a password.
    """

    def __init__(self, model: str, base_url: str, *, timeout_s: float = 30.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(
                f"embedder `endpoint`: {base_url!r} is no URL. Fix: write `endpoint:MODEL@http://HOST/v1`."
            )
        if parts.username is not None or parts.password is not None:
            raise ConfigError(f"the URL of the embedding server carries a password. Fix: put the key into {KEY}.")
        self.name = f"endpoint-v1-{model}"
        self._model = model
        self._url = f"{base_url.rstrip('/')}/embeddings"
        self._local = parts.hostname in _LOOPBACK
        self._timeout_s = timeout_s

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed texts.

        Returns:
            Array of shape (len(texts), dimension); rows have length 1, or 0 if the server gives a zero vector.

        Raises:
            InfrastructureError: The server does not answer, or what it answers is not one vector per text.
        """
        parts = [self._ask(list(texts[start : start + _BATCH])) for start in range(0, len(texts), _BATCH)]
        if not parts:
            return np.zeros((0, 0), np.float32)
        vectors = np.concatenate(parts)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: npt.NDArray[np.float32] = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        return unit

    def _ask(self, texts: list[str]) -> npt.NDArray[np.float64]:
        for tried in range(1, _TRIES + 1):
            status, told = self._post(texts)
            if status == _OK:
                return self._vectors(told, len(texts))
            if status not in _PASSING or tried == _TRIES:
                break
            time.sleep(_PAUSE_S * 2 ** (tried - 1))
        problem = told.decode("utf-8", "replace")[:200]
        raise InfrastructureError(
            f"the embedding server {self._url!r} failed after {tried} tries ({status}): {problem}"
        )

    def _post(self, texts: list[str]) -> tuple[int, bytes]:
        """Status and body of the answer; status 0 if there is none."""
        import httpx  # noqa: PLC0415 - comes with Chroma, and only this embedder needs it

        key = os.environ.get(KEY)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = {"model": self._model, "input": texts}
        try:
            # A proxy from the environment must not see what is meant for this machine.
            with httpx.Client(timeout=self._timeout_s, trust_env=not self._local, headers=headers) as client:
                answer = client.post(self._url, json=body)
        except httpx.TransportError as error:
            return _NO_ANSWER, f"{type(error).__name__} {error}".encode()
        return answer.status_code, answer.content

    def _vectors(self, body: bytes, count: int) -> npt.NDArray[np.float64]:
        try:
            items: list[dict[str, Any]] = sorted(orjson.loads(body)["data"], key=lambda item: int(item["index"]))
            vectors = np.array([item["embedding"] for item in items], np.float64)
        except (ValueError, KeyError, TypeError) as error:
            raise InfrastructureError(f"the embedding server {self._url!r} answered no embeddings: {error}") from error
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():  # noqa: PLR2004 - a table
            raise InfrastructureError(
                f"the embedding server {self._url!r} answered {count} texts with an array of shape {vectors.shape}"
            )
        return vectors
