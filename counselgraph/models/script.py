"""`script/<file>`: a role that says prepared lines, one a turn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from counselgraph.errors import InputError
from counselgraph.models.base import Answer, Request, Usage
from counselgraph.transcript import said_by
from counselgraph.yaml_text import load_yaml

ENDED = "the script has no more lines"


class Script:
    """Says the lines of a file in order.

    Which line is next follows from how often the role has spoken, so a script holds no state: a resumed, forked or
    repeated turn says the same line again. A role asked for typed output has no turns and gets the exchange's line.

    A `.txt` file holds one turn per line; blank lines and lines that begin with `#` are left out. A `.yaml` file holds
    a list of lines, or a mapping from role to such a list.

    Args:
        path: The file, read at once.
        name: Name of the model; `script/<path>` by default.

    Raises:
        InputError: The file is missing, empty or of another shape.
    """

    def __init__(self, path: str | Path, *, name: str | None = None) -> None:
        self._path = Path(path)
        self.name = name or f"script/{path}"
        self._lines = _read(self._path)

    def lines(self, role: str) -> tuple[str, ...]:
        """The lines of one role, in order.

        Raises:
            InputError: The file has no lines for the role.
        """
        if not isinstance(self._lines, dict):
            return self._lines
        if role not in self._lines:
            known = ", ".join(f"`{name}`" for name in self._lines)
            raise InputError(
                f"there are no lines for role `{role}`, only for {known}.",
                file=str(self._path),
                fix=f"Add `{role}:` with a list of lines.",
            )
        return self._lines[role]

    async def answer(self, request: Request) -> Answer:
        """The next line, or an empty answer with `end` after the last one."""
        lines = self.lines(request.role)
        index = _index(request)
        if index >= len(lines):
            return Answer(text="", end=ENDED, usage=Usage())
        return Answer(text=lines[index], usage=Usage())


def _index(request: Request) -> int:
    if request.output is not None:
        return max(request.exchange - 1, 0)
    return len(said_by(request.view.get("messages", ()), request.role))


def _read(path: Path) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the script cannot be read ({error}).", file=str(path), fix="Name an existing UTF-8 .txt or .yaml file."
        ) from error
    if path.suffix not in {".yaml", ".yml"}:
        return _checked([line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")], path)
    try:
        content = load_yaml(text)
    except yaml.YAMLError as error:
        raise InputError(f"the script is not valid YAML ({error}).", file=str(path)) from error
    if isinstance(content, Mapping):
        return {str(role): _checked(lines, path, role=str(role)) for role, lines in content.items()}
    return _checked(content, path)


def _checked(lines: Any, path: Path, *, role: str | None = None) -> tuple[str, ...]:
    if not isinstance(lines, list):
        raise InputError(
            "expected a list of lines.", file=str(path), field=role, fix="Write one line of speech per list item."
        )
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, str):
            raise InputError(
                f"line is {line!r}, not text.", file=str(path), record=number, field=role, fix="Put it in quotes."
            )
    kept = tuple(line.strip() for line in lines if line.strip())
    if not kept:
        raise InputError("there is no line to say.", file=str(path), field=role, fix="Add at least one line.")
    return kept
