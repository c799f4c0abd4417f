"""What a fork may change: the client's persona and the fields of the spec that still decide about anything."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.personas.invalid import explain
from counselgraph.personas.persona import Persona
from counselgraph.runner.spec import RunSpec, merged

PERSONA = "persona"

_CLIENT = "the client of a fork is its parent's; change a part of it with persona.FIELD=VALUE"
_FIXED = {
    "personas": _CLIENT,
    "format": _CLIENT,
    "limit": _CLIENT,
    "skip_bad": _CLIENT,
    "replicates": "use -n for more than one session",
    "opens": "the session has been opened; fork it at another exchange",
    "language": "the session is under way in its language; run a new one",
    "out": "use --out",
}
_KEPT = {
    "id": "it says who the client is; change other fields",
    "language": "the session is under way in its language; run a new one",
    "source": "it says where the persona came from; change other fields",
}


def changed_persona(persona: Persona, changes: Mapping[str, Any]) -> Persona:
    """A persona with those of the changes that are for it, named `persona.FIELD`, dotted for a field in a part.

    Raises:
        InputError: There is no such field, its value does not fit, or it is no field that a fork can change.
    """
    values = persona.model_dump(mode="json")
    for name, value in changes.items():
        head, _, path = name.partition(".")
        if head == PERSONA:
            _put(values, path, value)
    try:
        return Persona.model_validate(values)
    except ValidationError as error:
        first = next(explain(error, file="", record=1))
        raise InputError(first.problem, field=f"{PERSONA}.{first.field}", fix=first.fix) from error


def changed_spec(spec: RunSpec, changes: Mapping[str, Any]) -> RunSpec:
    """A spec with those of the changes that are for it; a dotted name is one entry of a mapping.

    Raises:
        InputError: There is no such field, its value does not fit, or it is no field that a fork can change.
    """
    values = spec.dump()
    for name, value in changes.items():
        head, dot, entry = name.partition(".")
        if head == PERSONA:
            continue
        if head in _FIXED:
            raise InputError("is nothing that a fork can change.", field=name, fix=_FIXED[head])
        if head not in RunSpec.model_fields:
            raise InputError("is nothing that a fork can change.", field=name, fix=_near(head))
        values = merged(values, {head: {entry: value} if dot else value})
    return RunSpec.of(values)


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set a field of a persona in place; whether there is such a field is for the persona to say."""
    first = path.partition(".")[0]
    if not first or first in _KEPT:
        fix = _KEPT.get(first, f"name a field of it, such as {PERSONA}.attitude=negative")
        raise InputError("is nothing that a fork can change.", field=f"{PERSONA}.{path}".rstrip("."), fix=fix)
    *parts, last = path.split(".")
    place = values
    for depth, part in enumerate(parts, 1):
        inner = place.get(part)
        if inner is not None and not isinstance(inner, dict):
            field = ".".join((PERSONA, *parts[:depth]))
            raise InputError(f"has no parts, such as `{path}`.", field=field, fix=f"set {field} as a whole")
        place[part] = place = {} if inner is None else inner
    place[last] = value


def _near(name: str) -> str:
    known = [PERSONA, *(field for field in RunSpec.model_fields if field not in _FIXED)]
    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"use one of: {', '.join(known)}"
