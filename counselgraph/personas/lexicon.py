"""The words by which a client takes a counselor's turn and names its own emotion; they are in `signs.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from counselgraph.yaml_text import load_yaml



@lru_cache(maxsize=1)
def lexicon() -> Mapping[str, Any]:
    """The file as read, once. Blocking the first time."""
    raw: Mapping[str, Any] = load_yaml((Path(__file__).parent / "signs.yaml").read_text(encoding="utf-8"))
    return raw


@lru_cache(maxsize=1)
def small_words() -> frozenset[str]:
    """Words that carry no topic."""
    return frozenset(lexicon()["small_words"].split())


@lru_cache(maxsize=1)
def sign_cues() -> Mapping[str, re.Pattern[str]]:
    """Name of a sign to what it is told by."""
    cues: Mapping[str, list[str]] = lexicon()["signs"]
    return {name: re.compile("|".join(found), re.IGNORECASE) for name, found in cues.items()}


@lru_cache(maxsize=1)
def emotion_words() -> Mapping[str, tuple[float, float]]:
    """Noun for an emotion to its valence (-1 to 1) and arousal (0 to 1)."""
    return {word: (valence, arousal) for word, (valence, arousal) in lexicon()["emotions"].items()}


def lexicon_is_read() -> bool:
    """Whether the file has been read."""
    return lexicon.cache_info().currsize > 0
