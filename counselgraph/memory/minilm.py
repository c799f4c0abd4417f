"""MiniLM sentence embedder on onnxruntime: optional, local files only, no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from counselgraph.errors import ConfigError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

_MODEL = "model.onnx"
_TOKENIZER = "tokenizer.json"
_MAX_TOKENS = 256
_BATCH = 64


class MiniLMEmbedder:
    """Embed texts with a MiniLM sentence encoder.

    A batch is padded to its own longest text, and texts are batched by length, so that short memories stay cheap.

    Args:
        folder: Folder with `model.onnx` (inputs `input_ids`, `attention_mask`, `token_type_ids`; first output of
            shape (batch, tokens, dimension)) and `tokenizer.json`.
        threads: CPU threads that one call may use.

    Attributes:
        name: Identity of the vectors, with the dimension and a hash of both files: "minilm-v1-384-0123abcd".

    Raises:
        ConfigError: A file or a package is missing, or a file cannot be read as what it should be.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        _require_files(folder)
        self._tokenizer, self._model = _load(folder, threads)
        self._dimension = int(self._encode([""]).shape[1])
        self.name = f"minilm-v1-{self._dimension}-{_fingerprint(folder)}"

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed texts.

        Returns:
            Array of shape (len(texts), dimension); rows have length 1. A text is read up to its 256th token.
        """
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(by_length), _BATCH):
            rows = by_length[start : start + _BATCH]
            vectors[rows] = self._encode([texts[row] for row in rows])
        return vectors

    def _encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = np.asarray(self._model.run(None, inputs)[0])
        weights = mask[:, :, None].astype(np.float32)
        means = (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        unit: npt.NDArray[np.float32] = (means / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        return unit


def _require_files(folder: Path) -> None:
    missing = [f"`{name}`" for name in (_MODEL, _TOKENIZER) if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"embedder `minilm`: {' and '.join(missing)} not found in {str(folder)!r}. Fix: export a MiniLM sentence "
            f"encoder to ONNX into that folder, or use the embedder `lexical`, which needs no files."
        )


def _load(folder: Path, threads: int) -> tuple[Tokenizer, InferenceSession]:
    try:
        import onnxruntime  # noqa: PLC0415 - optional extra, 100 ms to import
        import tokenizers  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"embedder `minilm` needs the package {error.name!r}. Fix: pip install 'counselgraph[minilm]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / _TOKENIZER))
        model = onnxruntime.InferenceSession(str(folder / _MODEL), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise classes of their own, without a common base
        raise ConfigError(
            f"embedder `minilm`: the files in {str(folder)!r} cannot be loaded: {error}. Fix: export the model again."
        ) from error
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer, model


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (_MODEL, _TOKENIZER):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:8]
