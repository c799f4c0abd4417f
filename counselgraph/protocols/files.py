"""Reading protocol files, with errors that name the file, the field and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from counselgraph.errors import InputError
from counselgraph.protocols.technique import TECHNIQUES, ApproachName, Phase
from counselgraph.yaml_text import load_yaml

PACKAGE = Path(__file__).parent
_SHARED = PACKAGE / "hearing.yaml"
"""How an answer is heard, where a protocol says nothing of its own about it."""
_CLOSES_WITH = ("summary", "homework", "farewell")
"""What every session ends with; the counselor's cards and the graph know these three by name."""
_M = TypeVar("_M", bound=BaseModel)


def read_protocol_file(path: Path, kind: type[_M]) -> _M:
    """A protocol file as the given type, checked as a whole.

    Args:
        path: The YAML file.
        kind: The `Protocol` class.

    Raises:
        InputError: Not readable, not YAML, a field is missing, unknown or wrong, or a cue is no regular expression.
    """
    raw = _mapping(path)
    raw.setdefault("cues", _mapping(_SHARED)["cues"])
    for problem in _problems(raw):
        raise InputError(problem[1], file=path.name, field=problem[0], fix=problem[2])
    try:
        return kind.model_validate(_with_phases(raw))
    except ValidationError as error:
        raise _explained(error.errors()[0], path) from None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or all of them."""
    names = [str(one) for one in known]
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(map(repr, names))}"


def _mapping(path: Path) -> dict[str, Any]:
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"it cannot be read: {error}.", file=path.name, fix="check the path.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "the file"
        raise InputError(f"this is not valid YAML: {line}.", file=path.name, fix=f"correct {line}.") from None
    if not isinstance(raw, dict):
        raise InputError("a mapping was expected.", file=path.name, fix="begin with `protocol: NAME`.")
    return raw


def _with_phases(raw: dict[str, Any]) -> dict[str, Any]:
    """The file's content with each step told which phase it belongs to, and the approach told its name."""
    phases = {phase: [step | {"phase": phase} for step in steps] for phase, steps in raw["phases"].items()}
    techniques = {
        name: way | {"steps": [step | {"phase": Phase.INTERVENTION} for step in way["steps"]]}
        for name, way in raw["techniques"].items()
    }
    approach = raw["approach"] | {"name": raw["protocol"]}
    return raw | {"phases": phases, "techniques": techniques, "approach": approach}


def _problems(raw: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Field, problem and fix of everything that the types cannot tell."""
    yield from _missing(raw)
    known = TECHNIQUES[ApproachName(raw["protocol"])]
    for name in raw["techniques"]:
        if name not in list(known):
            yield f"techniques.{name}", "this approach has no such technique.", did_you_mean(str(name), known)
    for name in known:
        if name not in raw["techniques"]:
            yield f"techniques.{name}", "this technique is missing.", "add it, or take it off the closed list."
    yield from _bad_steps(raw)
    yield from _bad_cues(raw, "")


def _missing(raw: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for field in ("phases", "techniques", "approach"):
        if not isinstance(raw.get(field), dict):
            yield field, "this field is missing or no mapping.", "write `key: value` lines under it."
    if raw.get("protocol") not in list(ApproachName):
        yield (
            "protocol",
            f"{raw.get('protocol')!r} is no approach.",
            did_you_mean(str(raw.get("protocol")), ApproachName),
        )
    for phase in (Phase.AGENDA, Phase.EXPLORATION, Phase.CLOSING):
        if not raw["phases"].get(phase):
            yield f"phases.{phase}", "this phase has no steps.", "give it at least one step."
    for name, way in raw["techniques"].items():
        if not isinstance(way, dict) or not way.get("steps"):
            yield f"techniques.{name}.steps", "this technique has no steps.", "give it at least one step."


def _bad_steps(raw: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    lists = {f"phases.{phase}": steps for phase, steps in raw["phases"].items()}
    lists |= {f"techniques.{name}.steps": way["steps"] for name, way in raw["techniques"].items()}
    places: dict[str, str] = {}
    for field, steps in lists.items():
        for number, step in enumerate(steps, 1):
            if not isinstance(step, dict) or not step.get("id"):
                yield f"{field}.{number}", "this step has no id.", "write `- id: NAME` and `aim: ...` under it."
                return
            if step["id"] in places:
                yield f"{field}.{number}", f"the id `{step['id']}` stands in {places[step['id']]} too.", "rename one."
            places[step["id"]] = field
    last = tuple(step["id"] for step in raw["phases"][Phase.CLOSING])
    if last != _CLOSES_WITH:
        yield "phases.closing", f"it has the steps {', '.join(last)}.", f"use {', '.join(_CLOSES_WITH)}, in this order."


def _bad_cues(value: Any, field: str) -> Iterator[tuple[str, str, str]]:
    """Every regular expression under a key `cues`, wherever it stands, must compile."""
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    ):
        place = f"{field}.{key}".lstrip(".")
        if key == "cues":
            for cue in _strings(inner):
                try:
                    re.compile(cue)
                except re.error as error:
                    yield place, f"{cue!r} is no regular expression: {error}.", "correct or quote it."
        else:
            yield from _bad_cues(inner, place)


def _strings(value: Any) -> Iterator[str]:
    """Cues are list items, or keys that carry a weight; the keys above them are languages and kinds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (_strings(inner) if isinstance(inner, dict | list) else _strings(str(key)))


def _explained(detail: ErrorDetails, path: Path) -> InputError:
    field = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return InputError("this field is missing.", file=path.name, field=field, fix="add it.")
    if detail["type"] == "extra_forbidden":
        return InputError(
            "there is no such field.", file=path.name, field=field, fix="take it out or correct its name."
        )
    return InputError(f"{detail['msg']}.", file=path.name, field=field, fix="change the value.")
