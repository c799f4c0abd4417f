"""From flags to a RunSpec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counselgraph.errors import InputError
from counselgraph.personas.load import BUILTIN
from counselgraph.runner.spec import RunSpec, merged
from counselgraph.yaml_text import load_yaml


def spec_of(
    file: Path | None, flags: Mapping[str, Any], models: Mapping[str, str | None], settings: list[str] | None
) -> RunSpec:
    """A spec file with flags over it: first those of fields, then models of roles, then `--set`.

    Raises:
        InputError: A flag or the file cannot be used.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    named = {key: value for key, value in models.items() if value is not None}
    overrides = merged({**given, "models": named}, _settings(settings))
    spec = RunSpec.of(overrides) if file is None else RunSpec.load(file, **overrides)
    _refuse_idle(spec, given)
    return spec


def _refuse_idle(spec: RunSpec, given: Mapping[str, Any]) -> None:
    """A flag that would change nothing is a mistake, and silence would hide it."""
    if "sessions_per_client" in given and not spec.is_course:
        problem = f"the recipe {spec.recipe!r} plays single sessions."
        raise InputError(problem, field="--sessions-per-client", fix="add --recipe course, or leave the flag out")
    if "format" in given and spec.personas.partition("/")[0] == BUILTIN:
        problem = "the built-in personas are in no outside format."
        raise InputError(problem, field="--format", fix="name a file in --personas, or leave the flag out")


def _settings(items: list[str] | None) -> dict[str, Any]:
    """Fields of a RunSpec out of KEY=VALUE, a dotted key for one entry of a mapping."""
    found: dict[str, Any] = {}
    for key, value in settings_of(items).items():
        name, dot, entry = key.partition(".")
        found = merged(found, {name: {entry: value} if dot else value})
    return found


def settings_of(items: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE as a mapping, keys as they were written, values in YAML.

    Raises:
        InputError: An item is no such setting.
    """
    import yaml

    found: dict[str, Any] = {}
    for item in items or ():
        key, equals, text = item.partition("=")
        if not (key and equals):
            raise InputError(f"{item!r} is no setting.", field="--set", fix="write KEY=VALUE")
        try:
            found[key] = load_yaml(text)
        except yaml.YAMLError as error:
            raise InputError(f"the value of {item!r} is no YAML.", field="--set", fix="put it in quotes") from error
    return found


def pairs(items: list[str] | None) -> dict[str, str]:
    """ROLE=MODEL as a mapping.

    Raises:
        InputError: An item is no such pair.
    """
    found = {}
    for item in items or ():
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise InputError(f"{item!r} is no pair.", field="--role-model", fix="write ROLE=MODEL")
        found[name] = value
    return found
