"""Reading what a user points at, with errors that name the file and the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from counselgraph.errors import InputError


def read_text(path: Path) -> str:
    """The whole file as text, without a byte order mark.

    Raises:
        InputError: The file is missing, unreadable, empty or not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("there is no such file.", file=str(path), fix="check the path.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"this is not UTF-8 text (byte {error.start}).", file=str(path), fix="save the file as UTF-8."
        ) from None
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.", file=str(path), fix="check the permissions."
        ) from None
    if not text.strip():
        raise InputError("the file is empty.", file=str(path), fix="put at least one persona into it.")
    return text


def read_records(path: Path) -> list[Any]:
    """The records of a JSON file that holds a list.

    Raises:
        InputError: Not readable, not valid JSON (with the line), not a list, or an empty list.
    """
    data = read_json(path)
    if not isinstance(data, list):
        raise InputError(
            f"a list of records was expected, not {kind(data)}.", file=str(path), fix="put the record into [ and ]."
        )
    return data


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        InputError: Not readable, not valid JSON (with the line), or an empty list.
    """
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}.",
            file=str(path),
            fix=f"correct line {error.lineno}.",
        ) from None
    except RecursionError:
        raise InputError("this JSON is nested too deeply.", file=str(path), fix="use a flat list of records.") from None
    if data == []:
        raise InputError("the list is empty.", file=str(path), fix="put at least one record into it.")
    return data


def kind(value: object) -> str:
    """What a JSON or YAML value is, in words for an error message."""
    names: dict[type, str] = {
        dict: "a mapping",
        list: "a list",
        str: "text",
        bool: "true or false",
        type(None): "nothing",
    }
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
