"""Taking values out of JSON, with errors that name the field and the fix."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from counselgraph.dialogues.dialogue import SILENT, role_of
from counselgraph.errors import InputError
from counselgraph.said import Said


class Keys(NamedTuple):
    """Under which names a turn has its speaker and its words; the first one that is there counts."""

    role: tuple[str, ...] = ("role", "speaker")
    words: tuple[str, ...] = ("text", "content", "message")


def loads(raw: bytes) -> Any:
    """A JSON value; half a surrogate pair in it becomes a replacement character.

    Raises:
        InputError: Not JSON, or nested too deeply.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        value = _repaired(raw)
        if value is not None:
            return value
        place = f", line {error.lineno}" if b"\n" in raw else ""
        fix = "correct it, or name the format if it is another."
        raise InputError(f"this is not valid JSON: {error.msg}{place}.", fix=fix) from None


def _repaired(raw: bytes) -> Any:
    """What Python's own parser makes of it, if that can be written as UTF-8; None if nothing can be made of it."""
    try:
        text = json.dumps(json.loads(raw), ensure_ascii=False)
        return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return None


def kind(value: object) -> str:
    """What a JSON value is, in words for an error message."""
    names: dict[type, str] = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
    if value is None:
        return "nothing"
    return names.get(type(value), "a number")


def said_in(items: Any, field: str, keys: Keys) -> tuple[Said, ...]:
    """The turns of a list of mappings.

    Args:
        items: The list.
        field: What it is called, for errors; turns are counted from 1 there.
        keys: What a turn calls its speaker and its words.

    Raises:
        InputError: It is no list of such turns, or an empty one.
    """
    if not isinstance(items, list):
        raise InputError(f"a list of turns was expected, not {kind(items)}.", field=field, fix="write it as [ ... ].")
    turns = tuple(_spoken(items, field, keys))
    if not turns:
        raise InputError("nobody says anything.", field=field, fix="give at least one turn, or leave the record out.")
    return turns


def _spoken(items: list[Any], field: str, keys: Keys) -> Iterator[Said]:
    for number, item in enumerate(items, 1):
        place = f"{field}.{number}"
        if not isinstance(item, Mapping):
            fix = f"write it as {{ ... }} with `{keys.role[0]}` and `{keys.words[0]}`."
            raise InputError(f"a turn was expected, not {kind(item)}.", field=place, fix=fix)
        role = role_of(text_in(item, keys.role, place))
        if not role:
            raise InputError("it is empty.", field=f"{place}.{keys.role[0]}", fix="say who speaks.")
        if role not in SILENT:
            yield Said(role, text_in(item, keys.words, place))


def text_in(item: Mapping[str, Any], names: tuple[str, ...], place: str) -> str:
    """The text under the first of several names that is there.

    Raises:
        InputError: None of them is there, or it is no text.
    """
    for name in names:
        value = item.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            problem = f"text was expected, not {kind(value)}."
            raise InputError(problem, field=f"{place}.{name}", fix="put quotes around it.")
    raise InputError("it is missing.", field=f"{place}.{names[0]}", fix="add it.")
