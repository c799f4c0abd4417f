"""Phrase banks: what the rehearsal model says, as data."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any

from counselgraph.errors import ConfigError
from counselgraph.yaml_text import load_yaml

LANGUAGES = frozenset({"en"})
"""Languages the phrase banks speak."""


@lru_cache(maxsize=64)
def bank(name: str) -> dict[str, Any]:
    """Read a phrase bank from the folder `phrases`; callers must not change it.

    Raises:
        ConfigError: There is no bank of that name.
    """
    path = files("counselgraph.models.rehearsal") / "phrases" / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"The rehearsal model has no phrase bank named {name!r}.")
    return dict(load_yaml(path.read_text(encoding="utf-8")))


def read_all_banks() -> None:
    """Read every phrase bank, so that none is read later in an event loop. Blocking."""
    with as_file(files("counselgraph.models.rehearsal") / "phrases") as folder:
        for path in folder.rglob("*.yaml"):
            bank(path.relative_to(folder).with_suffix("").as_posix())
