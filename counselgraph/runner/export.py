"""Exports: the sessions of runs as files that other tools read, one session after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from counselgraph.errors import InputError
from counselgraph.runner.card import Export, card
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.formats import FORMATS, SEATS, Options, provenance
from counselgraph.runner.log import SessionRecord, has_ended, read_session
from counselgraph.runner.report import FAILED
from counselgraph.runner.splits import Splits, client_of
from counselgraph.runner.tally import Part, Tally
from counselgraph.runner.writers import Draft

Runs = list[tuple[RunFolder, dict[str, Any]]]
"""Run folders, each with its manifest."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote and what it left out.

    Attributes:
        written: Sessions in the files.
        unfinished: Sessions left out because they have no end yet.
        failed: Sessions left out because an error ended them.
        files: Each file with its sessions; one a split.
        card: The data card.
    """

    written: int
    unfinished: int
    failed: int
    files: Mapping[Path, int]
    card: Path


def export(
    runs: str | Path | Sequence[str | Path],
    to: str,
    out: str | Path,
    *,
    private: bool = False,
    failed: bool = False,
    seat: str = "counselor",
    split: Mapping[str, float] | None = None,
    split_seed: int = 0,
) -> Exported:
    """Write the ended sessions of runs to one file, or to one a split, with a data card beside it.

    One session is in memory at a time. The files appear when all are whole; those that were there before are replaced.

    Args:
        runs: A run folder, or several.
        to: "cactus" (a JSON list of session objects), "parquet" (a row a session; needs `counselgraph[parquet]`), or
            "chatml", "sharegpt" or "jsonl" (one line a session).
        out: The file to write; its folder must be there. With splits the files are `name.<split>.suffix`; the card is
            `<out>.card.md`.
        private: Include what only one role knew: in "chatml", "sharegpt" and "parquet" the seat's own instruction with
            its case card, in "jsonl" notes, memories, risk assessments, instructions, whole plans and the reason of the
            end.
        failed: Include sessions that an error ended.
        seat: Whose turns are the assistant's in "chatml", "sharegpt" and "parquet": "counselor" or "client".
        split: Name to share; the shares add up to 1. A client is in one split only.
        split_seed: Deals clients out to splits anew.

    Raises:
        InputError: The format, seat or a split is unknown, a run or one of its logs cannot be read, a run is given
            twice, or a file cannot be written.
        ConfigError: What the format needs is not installed.
    """
    _known(to, FORMATS, "to", "export format")
    _known(seat, SEATS, "seat", "seat")
    target, splits = Path(out), Splits.of(split, split_seed)
    found = _opened([runs] if isinstance(runs, str | Path) else runs)
    tally = Tally(parts={name: Part() for name in splits.shares})
    beside = target.with_name(f"{target.name}.card.md")
    with _drafts([*(_file_of(target, name) for name in splits.shares), beside]) as drafts:
        files, options = dict(zip(splits.shares, drafts, strict=False)), Options(private=private, seat=seat)
        _write(found, to, files, options, splits, tally, failed=failed)
        manifests = [manifest for _, manifest in found]
        drafts[-1].write(card(Export(target, to, options, failed, splits, files, manifests, tally)).encode())
    written = {file.target: tally.parts[name].sessions for name, file in files.items()}
    return Exported(tally.sessions, tally.unfinished, tally.failed.total(), written, beside)


def _known(value: str, known: Mapping[str, Any], field: str, what: str) -> None:
    if value not in known:
        raise InputError(f"{value!r} is no {what}.", field=field, fix=f"use one of: {', '.join(sorted(known))}")


def _opened(folders: Sequence[str | Path]) -> Runs:
    found, seen = [], dict[str, Path]()
    for place in map(Path, folders):
        manifest = RunFolder(place).read()
        run = str(manifest.get("run") or place.resolve())
        if run in seen:
            fix = "give each run once"
            raise InputError(f"holds the same run as {seen[run]}.", file=str(place), field="run", fix=fix)
        seen[run] = place
        found.append((RunFolder(place), manifest))
    if not found:
        raise InputError("no run was given.", field="run", fix="give a run folder")
    return found


def _file_of(target: Path, split: str) -> Path:
    return target.with_name(f"{target.stem}.{split}{target.suffix}") if split else target


def _write(
    runs: Runs, to: str, files: Mapping[str, Draft], options: Options, splits: Splits, tally: Tally, *, failed: bool
) -> None:
    form = FORMATS[to]
    writers = {name: form.writer(cast("IO[bytes]", file)) for name, file in files.items()}
    for folder, manifest in runs:
        for record in _wanted(folder, tally, failed=failed):
            row = {**form.row(record, options), **provenance(record, manifest)}
            split = splits.name_for(client_of(record.header))
            writers[split].write(row)
            tally.add(record, row, split)
    for name, writer in writers.items():
        writer.finish()
        files[name].settle()


def _wanted(folder: RunFolder, tally: Tally, *, failed: bool) -> Iterator[SessionRecord]:
    for file in folder.logs():
        if not has_ended(file):
            tally.unfinished += 1
            continue
        record = read_session(file)
        stop = record.events[-1]["stop"]
        if stop in FAILED and not failed:
            tally.failed[stop] += 1
            continue
        yield record


@contextmanager
def _drafts(targets: Sequence[Path]) -> Iterator[list[Draft]]:
    """Files that take their places together once all are whole; nothing is left behind when they are not."""
    for target in targets:
        if target.is_dir() or not target.parent.is_dir():
            problem = "is a folder." if target.is_dir() else "lies in a folder that is not there."
            raise InputError(problem, file=str(target), field="out", fix="give a file in a folder that is there")
    try:
        with ExitStack() as stack:
            drafts = []
            for target in targets:
                drafts.append(Draft(target))
                stack.callback(drafts[-1].discard)
            yield drafts
            for draft in drafts:
                draft.settle()
            for draft in drafts:
                draft.take_place()
    except OSError as error:
        fix = "make room, or give another file"
        raise InputError(f"cannot be written: {error}.", file=str(targets[0]), field="out", fix=fix) from error
