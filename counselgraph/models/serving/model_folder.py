"""A model on disk: where it lies and what its files say of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.gguf")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "spiece.model")
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "tekken.json")


def find_model(model: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Folder of a model given as a folder, or by its name in the Hugging Face cache; None if there is none."""
    folder = Path(model).expanduser()
    return folder if folder.is_dir() else _cached(model, environment)


def config_of(folder: Path) -> dict[str, Any]:
    """What `config.json` holds.

    Raises:
        OSError: It is missing or cannot be read.
        ValueError: It is no JSON object.
    """
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("config.json holds no JSON object")  # noqa: TRY004 (the file's fault, not the caller's)
    return found


def trained_context(folder: Path) -> int | None:
    """Tokens the model was trained for, None if its config does not say."""
    try:
        config = config_of(folder)
    except (OSError, ValueError):
        return None
    text = config.get("text_config")
    length = {**config, **text}.get("max_position_embeddings") if isinstance(text, dict) else None
    length = length or config.get("max_position_embeddings")
    return length if isinstance(length, int) else None


def has_weights(folder: Path) -> bool:
    """Whether there are weights."""
    return any(next(folder.glob(pattern), None) for pattern in _WEIGHTS)


def has_tokenizer(folder: Path) -> bool:
    """Whether there is a tokenizer."""
    return any((folder / name).is_file() for name in _TOKENIZERS)


def has_chat_template(folder: Path) -> bool:
    """Whether the tokenizer knows how to lay out a conversation."""
    if any((folder / name).is_file() for name in _TEMPLATES):
        return True
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and bool(config.get("chat_template"))


def _cached(name: str, environment: Mapping[str, str]) -> Path | None:
    home = Path(environment.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    hub = Path(environment.get("HF_HUB_CACHE") or home / "hub")
    entry = hub / f"models--{name.replace('/', '--')}"
    try:
        revision = (entry / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = entry / "snapshots" / revision
    return folder if folder.is_dir() else None
