"""Our own format: personas as YAML (or JSON), one a file, a list, or several documents."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.personas.files import kind, read_text
from counselgraph.personas.invalid import explain
from counselgraph.personas.persona import Persona, Source

NAME = "yaml"
SUFFIXES: tuple[str, ...] = (".yaml", ".yml", ".json")


def detect(path: Path, head: str) -> bool:
    """A YAML file, or a JSON file with the two fields no persona of ours is without."""
    if path.suffix.lower() == ".json":
        return '"presenting_problem"' in head and '"statement"' in head
    return path.suffix.lower() in SUFFIXES


def read(path: Path) -> Iterator[Persona | InputError]:
    """The personas of a YAML file, in order.

    Raises:
        InputError: Not readable or not valid YAML (with the line).
    """
    for number, record in enumerate(_records(path), start=1):
        if not isinstance(record, dict):
            yield InputError(
                f"a persona was expected, not {kind(record)}.",
                file=str(path),
                record=number,
                fix="write `key: value` lines, beginning with `id:`.",
            )
            continue
        given = (
            record if "source" in record else record | {"source": Source(format=NAME, file=path.name, record=number)}
        )
        try:
            yield Persona.model_validate(given)
        except ValidationError as error:
            yield from explain(error, file=str(path), record=number)


def dump_persona(persona: Persona) -> str:
    """The persona as YAML that loads back equal.

    Args:
        persona: Any persona; what it leaves at its default is left out, except the source.
    """
    fields = json.loads(persona.model_dump_json(exclude_defaults=True))
    fields["source"] = None if persona.source is None else fields["source"]
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=120)


def _records(path: Path) -> list[Any]:
    text = read_text(path)
    try:
        documents = [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        raise _bad_yaml(error, path) from None
    except RecursionError:
        raise InputError("this YAML is nested too deeply.", file=str(path), fix="flatten it.") from None
    records = [record for document in documents for record in (document if isinstance(document, list) else [document])]
    if not records:
        raise InputError("the file holds no persona.", file=str(path), fix="put at least one persona into it.")
    return records


def _bad_yaml(error: yaml.YAMLError, path: Path) -> InputError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    fix = f"correct line {mark.line + 1}; put quotes around text that holds `: ` or `#`." if mark else "remove it."
    return InputError(f"this is not valid YAML: {problem}{where}.", file=str(path), fix=fix)


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where PyYAML has it


class _Loader(_Base):  # type: ignore[misc]  # chosen at run time
    """Refuses a key given twice, where YAML would keep the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{key.value}` stands here twice", key.start_mark
                )
            seen.add(str(key.value))
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found
