"""Personas by name: the built-in library, files, folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from counselgraph.errors import InputError
from counselgraph.personas.files import read_records, read_text
from counselgraph.personas.importers import IMPORTERS, Importer
from counselgraph.personas.loss import Report, merge
from counselgraph.personas.persona import Persona, Source

BUILTIN = "builtin"
LIBRARY = Path(__file__).parent / "library"
_HEAD = 100_000
"""Characters of a file that an importer may look at to recognise its format."""

Item = tuple[str, Persona | InputError]


@dataclass(frozen=True)
class Personas:
    """What a source holds.

    Attributes:
        personas: The usable personas, in order, ids unique.
        bad: One error for each finding; empty unless bad records were to be skipped.
    """

    personas: tuple[Persona, ...]
    bad: tuple[InputError, ...] = ()

    @property
    def reports(self) -> dict[str, Report]:
        """What was made of the records, format by format; formats that are kept as they are have no report."""
        found: dict[str, list[Report]] = {}
        for source in (persona.source for persona in self.personas):
            if source is not None and source.report is not None:
                found.setdefault(source.format, []).append(source.report)
        return {name: merge(reports) for name, reports in found.items()}


def load_personas(
    source: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the word on the command line
    limit: int | None = None,
    skip_bad: bool = False,
) -> Personas:
    """The personas of a source, every record checked before any is used.

    Args:
        source: "builtin", "builtin/<id>", a file of a known format, or a folder of such files.
        format: Importer to use ("yaml", "cactus", "anna-agent", ...); recognised from the file where left out.
        limit: Number of personas to load, from the front; records after them are not read.
        skip_bad: Return what is wrong in `bad` and go on with the rest, instead of raising.

    Raises:
        InputError: The source cannot be read, or holds bad records; all of them are listed in one message.
    """
    if limit is not None and limit < 1:
        raise InputError(f"the limit is {limit}.", field="limit", fix="load at least one persona.")
    good, bad = _sort(_items(source, format), limit)
    if bad and not skip_bad:
        raise bad[0] if len(bad) == 1 else InputError(_listing(bad))
    return Personas(tuple(good), tuple(bad))


def _sort(items: Iterator[Item], limit: int | None) -> tuple[list[Persona], list[InputError]]:
    good: list[Persona] = []
    bad: list[InputError] = []
    places: dict[str, str] = {}
    for file, item in items:
        if isinstance(item, InputError):
            bad.append(item)
        elif item.id in places:
            bad.append(_duplicate(item, file, places[item.id]))
        else:
            good.append(item)
            places[item.id] = f"{file}, record {_record(item)}"
        if len(good) == limit:
            break
    return good, bad


def _items(source: str | Path, format_name: str | None) -> Iterator[Item]:
    builtin, _, wanted = str(source).partition("/")
    if builtin == BUILTIN and not isinstance(source, Path):
        for path in _library_files(wanted):
            for item in _importer("yaml").read(path):
                yield str(path), _as_builtin(item, path)
        return
    path = Path(source).expanduser()
    importer = None if format_name is None else _importer(format_name)
    for file in _folder_files(path, importer) if path.is_dir() else [path]:
        for item in (importer or _detect(file)).read(file):
            yield str(file), item


def _library_files(wanted: str) -> list[Path]:
    files = {path.stem: path for path in sorted(LIBRARY.glob("*.yaml"))}
    if not wanted:
        return list(files.values())
    if wanted not in files:
        close = get_close_matches(wanted, files, n=1)
        fix = f"did you mean `{BUILTIN}/{close[0]}`?" if close else f"use one of {', '.join(files)}."
        raise InputError(f"the library has no persona `{wanted}`.", fix=fix)
    return [files[wanted]]


def _as_builtin(item: Persona | InputError, path: Path) -> Persona | InputError:
    if isinstance(item, InputError):
        return item
    data = item.source.data if item.source else {}
    return item.model_copy(update={"source": Source(format=BUILTIN, file=path.name, data=data)})


def _folder_files(folder: Path, importer: Importer | None) -> Sequence[Path]:
    suffixes = {suffix for known in ([importer] if importer else IMPORTERS) for suffix in known.SUFFIXES}
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in suffixes)
    if not files:
        endings = ", ".join(f"*{suffix}" for suffix in sorted(suffixes))
        raise InputError("the folder holds no personas.", file=str(folder), fix=f"put files named {endings} into it.")
    return files


def _importer(name: str) -> Importer:
    by_name = {importer.NAME: importer for importer in IMPORTERS}
    if name in by_name:
        return by_name[name]
    raise InputError(f"there is no format `{name}`.", field="format", fix=f"use one of {_format_names()}.")


def _detect(path: Path) -> Importer:
    head = read_text(path)[:_HEAD]
    for importer in IMPORTERS:
        if importer.detect(path, head):
            return importer
    if path.suffix.lower() == ".json":
        read_records(path)
    raise InputError(
        "the format is not known.",
        file=str(path),
        fix=f"use a file in one of the formats {_format_names()}, or name one.",
    )


def _format_names() -> str:
    return ", ".join(importer.NAME for importer in IMPORTERS)


def _record(persona: Persona) -> int:
    return persona.source.record if persona.source else 1


def _duplicate(persona: Persona, file: str, first: str) -> InputError:
    return InputError(
        f"the id `{persona.id}` is taken by {first}.",
        file=file,
        record=_record(persona),
        field="id",
        fix="give every persona an id of its own, or load the files one at a time.",
    )


def _listing(bad: Sequence[InputError]) -> str:
    return "\n".join([f"{len(bad)} things are wrong, nothing was run:", *(f"- {error}" for error in bad)])
