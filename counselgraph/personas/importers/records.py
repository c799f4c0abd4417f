"""Formats that are JSON records: how a file of them is recognised and read, whatever the fields are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from counselgraph.errors import InputError
from counselgraph.personas.files import read_json
from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.leaves import Pattern
from counselgraph.personas.invalid import explain
from counselgraph.personas.persona import Attitude, Persona, Source
from counselgraph.personas.sentences import slug

_NAMELESS = {"zh": "来访者"}
_OLDEST = 120
_AGE = re.compile(r"(?P<years>\d{1,3})\s*(?:-?\s*years?(?:[ -]old)?|周?岁)?\.?", re.IGNORECASE)
RECEPTIVITY = {Attitude.POSITIVE: 0.8, Attitude.NEUTRAL: 0.5, Attitude.NEGATIVE: 0.2}


@dataclass(eq=False)
class RecordFormat:
    """A format of JSON records.

    Attributes:
        NAME: Format name, as written in `format=`.
        fill: Takes what a record holds into a draft; raises `InputError` naming the field that cannot be used.
        keys: JSON keys by which a file is recognised; all of them must occur.
        needs: Fields a record must have, dotted.
        notes: What a user should know of the format.
        shape: Recognises files that have no telling keys, by how they begin.
        SUFFIXES: File name endings.
    """

    NAME: str
    fill: Callable[[Draft], None]
    keys: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shape: re.Pattern[str] | None = None
    SUFFIXES: tuple[str, ...] = (".json",)

    def detect(self, path: Path, head: str) -> bool:
        """Whether the file, which begins with `head`, looks like this format."""
        if path.suffix.lower() not in self.SUFFIXES:
            return False
        if self.shape is not None:
            return self.shape.match(head) is not None
        return all(f'"{key}"' in head for key in self.keys)

    def read(self, path: Path) -> Iterator[Persona | InputError]:
        """The clients of the file, in order.

        Raises:
            InputError: Not readable, not JSON, or an empty list.
        """
        data = read_json(path)
        for number, record in enumerate(data if isinstance(data, list) else [data], start=1):
            try:
                yield self._persona(record, path, number)
            except InputError as error:
                yield InputError(error.problem, file=str(path), record=number, field=error.field, fix=error.fix)
            except ValidationError as error:
                yield from explain(error, file=str(path), record=number)

    def _persona(self, record: Any, path: Path, number: int) -> Persona:
        if isinstance(record, dict) == (self.shape is _STRINGS):
            wanted = "text" if self.shape is _STRINGS else "a mapping"
            raise InputError(f"a record of this format is {wanted}.", fix="correct the record or name another format.")
        draft = Draft(record)
        draft.need(*self.needs)
        self.fill(draft)
        return build(draft, self, Source(format=self.NAME, file=path.name, record=number, data=_data(record)))


_STRINGS = re.compile(r"\s*\[\s*\"")
STRINGS = _STRINGS
"""How a JSON list of texts begins."""


def build(draft: Draft, form: RecordFormat, source: Source) -> Persona:
    """The persona a filled draft describes.

    Raises:
        InputError: Nothing says what troubles the client.
        pydantic.ValidationError: A field cannot hold what was put there.
    """
    language = draft.language()
    if not draft.fields.get("presenting_problem.statement"):
        field = form.needs[0] if form.needs else None
        raise InputError("nothing in it says what troubles the client.", field=field, fix="fill the field in.")
    name = draft.fields.pop("name", "") or _NAMELESS.get(language, "Client")
    return Persona.model_validate(
        {
            "id": f"{form.NAME}-{source.record:03d}-{slug(name)}",
            "name": name,
            "language": language,
            "other": draft.other,
            "disclosures": tuple(draft.disclosures),
            "source": source.model_copy(update={"report": draft.report(form.notes)}),
            **_nested(draft.fields),
        }
    )


def take_person(draft: Draft, prefix: str = "", **keys: str) -> None:
    """Take name, age and the other facts of a head; `keys` gives the record's word where it is not ours.

    An age that is not one number is kept in `other`.
    """
    facts = {"name": "name", "age": "age", "gender": "gender", "occupation": "occupation"}
    for field, key in (facts | keys).items():
        path = f"{prefix}{key}"
        if field == "age":
            draft.read("demographics.age", path, age_of)
        else:
            draft.take("name" if field == "name" else f"demographics.{field}", path)


def age_of(value: Any) -> int | None:
    """The age in years; None for what is not one number from 0 to 120."""
    match = _AGE.fullmatch(str(value).strip())
    years = int(match["years"]) if match else _OLDEST + 1
    return years if years <= _OLDEST else None


def take_attitude(draft: Draft, pattern: Pattern, attitude: Attitude | None) -> None:
    """Set attitude and receptivity from a value that was understood; one that was not is kept in `other`."""
    if draft.read("attitude", pattern, lambda _: attitude) is not None and attitude is not None:
        draft.fields["receptivity"] = RECEPTIVITY[attitude]


def _data(record: Any) -> dict[str, Any]:
    return record if isinstance(record, dict) else {"record": record}


def _nested(fields: dict[str, Any]) -> dict[str, Any]:
    """Dotted names as nested mappings."""
    found: dict[str, Any] = {}
    for target, value in fields.items():
        *parents, last = target.split(".")
        part = found
        for parent in parents:
            part = part.setdefault(parent, {})
        part[last] = value
    return found
