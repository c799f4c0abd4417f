"""Exports: the sessions of a run as a file that other tools read, one session after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from counselgraph.errors import InputError
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.formats import FORMATS, SEATS, Options, provenance
from counselgraph.runner.log import SessionRecord, has_ended, read_session
from counselgraph.runner.report import FAILED

# JSON allows these line ends inside a string, but tools that split text into lines do not.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote and what it left out.

    Attributes:
        written: Sessions in the file.
        unfinished: Sessions left out because they have no end yet.
        failed: Sessions left out because an error ended them.
    """

    written: int
    unfinished: int
    failed: int


def export(
    run: str | Path, to: str, out: str | Path, *, private: bool = False, failed: bool = False, seat: str = "counselor"
) -> Exported:
    """Write the ended sessions of a run to one file.

    One session is in memory at a time. The file appears when it is whole; one that was there before is replaced.

    Args:
        run: A run folder.
        to: "cactus" (a JSON list of session objects), or "chatml", "sharegpt" or "jsonl" (one line a session).
        out: The file to write; its folder must be there.
        private: Include what only one role knew: in "chatml" and "sharegpt" the seat's own instruction with its case
            card, in "jsonl" notes, memories, risk assessments, instructions, whole plans and the reason of the end.
        failed: Include sessions that an error ended.
        seat: Whose turns are the assistant's in "chatml" and "sharegpt": "counselor" or "client".

    Raises:
        InputError: The format or seat is unknown, the run or one of its logs cannot be read, or the file cannot be
            written.
    """
    _known(to, FORMATS, "to", "export format")
    _known(seat, SEATS, "seat", "seat")
    folder, target = RunFolder(Path(run)), Path(out)
    manifest, options = folder.read(), Options(private=private, seat=seat)
    counts = {"written": 0, "unfinished": 0, "failed": 0}
    with _replacing(target) as stream:
        rows = (
            {**FORMATS[to].row(record, options), **provenance(record, manifest)}
            for record in _wanted(folder, counts, failed=failed)
        )
        write = _write_list if FORMATS[to].one_list else _write_lines
        write(stream, rows)
    return Exported(**counts)


def _known(value: str, known: Mapping[str, Any], field: str, what: str) -> None:
    if value not in known:
        raise InputError(f"{value!r} is no {what}.", field=field, fix=f"use one of: {', '.join(sorted(known))}")


def _wanted(folder: RunFolder, counts: dict[str, int], *, failed: bool) -> Iterator[SessionRecord]:
    for file in sorted(folder.sessions.glob("*.jsonl")):
        if not has_ended(file):
            counts["unfinished"] += 1
            continue
        record = read_session(file)
        if not failed and record.events[-1]["stop"] in FAILED:
            counts["failed"] += 1
            continue
        counts["written"] += 1
        yield record


@contextmanager
def _replacing(target: Path) -> Iterator[IO[str]]:
    """A stream whose text takes the place of `target` once it is whole; nothing is left behind when it is not."""
    draft = target.with_name(f"{target.name}.part")
    if target.is_dir() or not target.parent.is_dir():
        problem = "is a folder." if target.is_dir() else "lies in a folder that is not there."
        raise InputError(problem, file=str(target), field="out", fix="give a file in a folder that is there")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        draft.replace(target)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error}.", file=str(target), field="out", fix="give another file"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _write_lines(stream: IO[str], rows: Iterator[dict[str, Any]]) -> None:
    for row in rows:
        stream.write(f"{_json(row)}\n")


def _write_list(stream: IO[str], rows: Iterator[dict[str, Any]]) -> None:
    stream.write("[")
    for number, row in enumerate(rows):
        stream.write(f"{',' if number else ''}\n{_json(row, indent=2)}")
    stream.write("\n]\n")


def _json(row: Mapping[str, Any], indent: int | None = None) -> str:
    return json.dumps(row, ensure_ascii=False, indent=indent).translate(_LINE_ENDS)
