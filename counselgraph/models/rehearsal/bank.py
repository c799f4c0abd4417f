"""Phrase banks: what the rehearsal model says, as data."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from counselgraph.errors import ConfigError


@lru_cache(maxsize=32)
def bank(name: str) -> dict[str, Any]:
    """Read a phrase bank from the folder `phrases`; callers must not change it.

    Raises:
        ConfigError: There is no bank of that name.
    """
    path = files("counselgraph.models.rehearsal") / "phrases" / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"The rehearsal model has no phrase bank named {name!r}.")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
