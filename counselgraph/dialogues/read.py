"""From a file, a folder or standard input to dialogues; the format is recognised by what is inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from counselgraph.dialogues.dialogue import Dialogue
from counselgraph.dialogues.fields import loads
from counselgraph.dialogues.formats import FORMATS, JSON_FORMATS, TABLES
from counselgraph.dialogues.formats.form import Format, error_at
from counselgraph.dialogues.formats.jsonl import JSONL
from counselgraph.dialogues.formats.text import TEXT
from counselgraph.dialogues.source import JSON_LINES, Source, is_json
from counselgraph.errors import InputError

Place = str | Path | IO[bytes]

_JSON = frozenset({".json", *JSON_LINES})
_TABLE = frozenset({".csv", ".tsv"})
_SUFFIXES = frozenset({".txt", *_JSON, *_TABLE})
_LOOKS_LIKE_JSON = re.compile(rb"\s*[\[{]\s*(?:$|[\"\[{\]}])")
_STANDARD_INPUT = "standard input"


def read_dialogues(
    place: Place,
    format: str | None = None,  # noqa: A002 - the word on the command line
    *,
    on_bad: Callable[[InputError], None] | None = None,
) -> Iterator[Dialogue]:
    """The dialogues of a place, in order; files of lines are read as they are needed.

    Args:
        place: A file, a run folder, a folder of files, or an open binary stream.
        format: Name of the format; recognised from the content where left out.
        on_bad: Told of every record that cannot be used, which is then left out; without it the first one is raised.

    Raises:
        InputError: A file cannot be read, its format is not known, or a record cannot be used.
    """
    form = None if format is None else _named(format)
    if not isinstance(place, str | Path):
        yield from _read(Source(_STANDARD_INPUT, place), form, on_bad)
        return
    path = Path(place).expanduser()
    folder = path if path.is_dir() else None
    for file in files_in(folder) if folder else [path]:
        yield from _read_file(file, folder, form, on_bad)


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that are read: those of a run its session logs, others by their endings.

    Raises:
        InputError: There are none.
    """
    found = list(_walk(folder))
    if not found:
        fix = f"put files named {', '.join(f'*{suffix}' for suffix in sorted(_SUFFIXES))} into it."
        raise InputError("the folder holds no dialogues.", file=str(folder), fix=fix)
    return found


def format_names() -> tuple[str, ...]:
    """What `format` may be."""
    return tuple(form.name for form in FORMATS)


def _walk(folder: Path) -> Iterator[Path]:
    if (folder / "run.yaml").is_file() and (folder / "sessions").is_dir():
        yield from sorted((folder / "sessions").glob("*.jsonl"))
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif entry.is_file() and entry.suffix.lower() in _SUFFIXES:
            yield entry


def _read_file(
    file: Path, folder: Path | None, form: Format | None, on_bad: Callable[[InputError], None] | None
) -> Iterator[Dialogue]:
    try:
        stream = file.open("rb")
    except OSError as error:
        fix = "check the path and the permissions."
        raise InputError(f"it cannot be read: {error.strerror}.", file=str(file), fix=fix) from None
    with stream:
        source = Source.of(file, stream, None if folder is None else _stem(file, folder))
        for dialogue in _read(source, form, on_bad):
            yield dialogue if folder is None else _within(dialogue, source, file)


def _stem(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _within(dialogue: Dialogue, source: Source, file: Path) -> Dialogue:
    """The dialogue under an id that no other file of the folder has; a session log has its own."""
    if dialogue.id in {source.stem, file.stem}:
        return dialogue
    return Dialogue(f"{source.stem}/{dialogue.id}", dialogue.turns)


def _read(source: Source, form: Format | None, on_bad: Callable[[InputError], None] | None) -> Iterator[Dialogue]:
    for item in _items(source, form):
        if isinstance(item, Dialogue):
            yield item
        elif on_bad is None:
            raise item
        else:
            on_bad(item)


def _items(source: Source, form: Format | None) -> Iterator[Dialogue | InputError]:
    try:
        yield from _form_of(source, form).read(source)
    except InputError as error:
        yield error if error.file else error_at(error, source, record=error.record)


def _form_of(source: Source, form: Format | None) -> Format:
    if not source.ahead(1):
        raise InputError("there is nothing in it.", fix="put at least one dialogue or line into it.")
    return form or _detect(source)


def _named(name: str) -> Format:
    by_name = {form.name: form for form in FORMATS}
    if name not in by_name:
        raise InputError(f"there is no format {name!r}.", field="format", fix=f"use one of {', '.join(by_name)}.")
    return by_name[name]


def _detect(source: Source) -> Format:
    (first,) = source.ahead(1)
    if source.suffix in _JSON or _LOOKS_LIKE_JSON.match(first) or is_json(first):
        return _of_json(source)
    head = first.decode(errors="replace")
    table = next((form for form in TABLES if form.fits(head)), None)
    if table is None and source.suffix in _TABLE:
        fix = f"give a table of {', '.join(form.name for form in TABLES)}, or write JSON Lines with `id` and `content`."
        raise InputError("a table with these columns is not known.", fix=fix)
    return table or TEXT


def _of_json(source: Source) -> Format:
    for record in _first_records(source):
        for form in JSON_FORMATS:
            if form.fits(record):
                return form
    if source.is_lines:
        return JSONL  # it tells line by line what is wrong with each
    if source.document == []:
        raise InputError("there is nothing in it.", fix="put at least one dialogue or line into it.")
    names = ", ".join(form.name for form in JSON_FORMATS)
    problem = "it is missing, and the record is of no other format that is known."
    raise InputError(problem, record=1, field="content", fix=f"add it, or name a format: {names}.")


def _first_records(source: Source) -> Iterator[object]:
    if source.is_lines:
        yield from (loads(line) for line in source.ahead() if is_json(line))
        return
    document = source.document
    yield document
    if isinstance(document, list):
        yield from document[:1]
