"""Turns pydantic's findings about a persona into errors a person can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from reprlib import repr as shortened
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from counselgraph.errors import InputError
from counselgraph.personas.persona import Persona


def explain(error: ValidationError, *, file: str, record: int) -> Iterator[InputError]:
    """One `InputError` per finding: file, record, dotted field and what to do about it."""
    for detail in error.errors():
        problem, fix = _words(detail)
        yield InputError(problem, file=file, record=record, field=_field(detail) or None, fix=fix)


def _field(detail: ErrorDetails) -> str:
    """Dotted name, list items counted from 1; a number may also be a key that should have been text."""
    *parents, last = detail["loc"] or ("",)
    if last == _KEY or detail["type"] == "invalid_key":
        return ".".join(str(part) for part in detail["loc"] if part != _KEY)
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in (*parents, last))


_KEY = "[key]"
_FIXES = {
    "invalid_key": ("a field name must be text, got {given}.", "put quotes around the name."),
    "missing": ("this field is missing.", "add it."),
    "string_type": ("text was expected, got {given}.", "put quotes around the value."),
    "tuple_type": ("a list was expected, got {given}.", "write one item a line, each after a dash."),
    "model_type": ("a mapping was expected, got {given}.", "write `key: value` lines under it."),
    "dict_type": ("a mapping was expected, got {given}.", "write `key: value` lines under it."),
    "string_too_short": ("it is empty.", "write something or leave the field out."),
}


def _words(detail: ErrorDetails) -> tuple[str, str]:
    given = shortened(detail["input"])
    if detail["type"] == "extra_forbidden":
        return "there is no such field.", _did_you_mean(detail["loc"])
    if detail["type"] == "string_pattern_mismatch":
        return f"{given} has the wrong form.", _pattern_fix(detail["loc"])
    problem, fix = _FIXES.get(detail["type"], (f"{detail['msg']}, got {{given}}.", "change the value."))
    return problem.format(given=given), fix


def _pattern_fix(loc: Sequence[int | str]) -> str:
    if loc[-1] == "id":
        return "use lower-case letters, digits, dots and dashes, such as `maya-okafor`."
    return "use a language code such as `en`, `es` or `zh-CN`."


def _did_you_mean(loc: Sequence[int | str]) -> str:
    known = _fields_at(loc[:-1])
    close = get_close_matches(str(loc[-1]), known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(known)}."


def _fields_at(loc: Sequence[int | str]) -> list[str]:
    model: type[BaseModel] = Persona
    for part in loc:
        if isinstance(part, str):
            fields = {info.alias or name: info for name, info in model.model_fields.items()}
            model = _model_in(fields[part].annotation) or model
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, Union, UnionType}:
        return next((model for arg in get_args(annotation) if (model := _model_in(arg))), None)
    return None
