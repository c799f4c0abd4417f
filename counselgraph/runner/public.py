"""What of a run may be shown to others: names without the folders and addresses they lie behind."""

from __future__ import annotations

import re
from typing import Any

_OF_FILES = frozenset({"script", "replay"})
_ROOTED = re.compile(r"(?:[/~.\\]|[A-Za-z]:[\\/])")
_PATH = re.compile(r"(?<![\w.:/<])((?:script|replay)/)?/(?:[^\s/`'\"():,;]+/)+([^\s/`'\"():,;]+)")


def public_model(name: str) -> str:
    """A model's name without the folders of its file and without the address of its server."""
    kind, slash, rest = name.partition("/")
    rest = rest.partition("@http")[0]
    return f"{kind}{slash}{last_part(rest) if kind in _OF_FILES or _ROOTED.match(rest) else rest}"


def last_part(path: str) -> str:
    """The last name of a path of any system."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def without_paths(text: str) -> str:
    """A message with every absolute path in it cut down to its last name."""
    return _PATH.sub(lambda found: f"{found[1] or ''}{found[2]}", text)


def public_value(value: Any) -> Any:
    """A plain value, however deep, in which every text that is a path is cut down to its last name."""
    if isinstance(value, dict):
        return {key: public_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [public_value(inner) for inner in value]
    return last_part(value) if isinstance(value, str) and _ROOTED.match(value) and "/" in value else value
