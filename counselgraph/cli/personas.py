"""Commands under `personas`: list, show, check, inspect and import."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from counselgraph.cli.app import BAD_INPUT, OK, Format, SkipBad, app, err, out
from counselgraph.errors import InputError

if TYPE_CHECKING:
    from counselgraph.personas import Personas

personas_app = typer.Typer(
    help="List, show, check, inspect and import personas.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(personas_app, name="personas")


@personas_app.command("list")
def list_personas(
    source: Annotated[str, typer.Argument(help="Where from.")] = "builtin", format_: Format = None
) -> None:
    """List personas, one a line."""
    from counselgraph.personas.load import load_personas

    table = Table("id", "name", "age", "lang", "attitude", "risk", "problem", box=None)
    for item in load_personas(source, format=format_).personas:
        age = "" if item.demographics.age is None else str(item.demographics.age)
        problem = item.presenting_problem.statement
        short = shorten(problem, 60, placeholder=" ...")
        table.add_row(item.id, item.name, age, item.language, item.attitude, f"R{item.risk.level}", short)
    out.print(table, markup=False)


@personas_app.command("show")
def show_persona(persona: Annotated[str, typer.Argument(help="Built-in id or file.")], format_: Format = None) -> None:
    """Print personas as YAML."""
    from counselgraph.personas import dump_persona, load_personas

    source = persona if Path(persona).exists() else f"builtin/{persona.removeprefix('builtin/')}"
    for item in load_personas(source, format=format_).personas:
        out.print(dump_persona(item), markup=False)


@personas_app.command("check")
def check_personas(source: Annotated[str, typer.Argument(help="File or folder.")], format_: Format = None) -> None:
    """Read every record and name what is wrong with the bad ones."""
    from counselgraph.personas.load import load_personas

    found = load_personas(source, format=format_, skip_bad=True)
    for problem in found.bad:
        err.print(str(problem), markup=False)
    bad = len({(problem.file, problem.record) for problem in found.bad})
    out.print(f"{len(found.personas)} good, {bad} bad.")
    raise typer.Exit(BAD_INPUT if found.bad else OK)


@personas_app.command("inspect")
def inspect_personas(
    source: Annotated[str, typer.Argument(help="File or folder in an outside format.")], format_: Format = None
) -> None:
    """Say what an import keeps of every field and what it does not: names and numbers of fields, never their text."""
    from counselgraph.personas.load import load_personas

    found = load_personas(source, format=format_, skip_bad=True)
    for problem in found.bad:
        err.print(str(problem), markup=False)
    _print_reports(found)
    raise typer.Exit(BAD_INPUT if found.bad else OK)


@personas_app.command("import")
def import_personas(
    source: Annotated[str, typer.Argument(help="File in an outside format.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for one YAML file a persona.")],
    format_: Format = None,
    skip_bad: SkipBad = None,
) -> None:
    """Turn records of an outside format into persona YAML files."""
    from counselgraph.personas import dump_persona, load_personas

    found = load_personas(source, format=format_, skip_bad=bool(skip_bad))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item in found.personas:
            (folder / f"{item.id}.yaml").write_text(dump_persona(item), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error}.", file=str(folder), fix="give a writable --out") from error
    for problem in found.bad:
        err.print(f"left out: {problem}", markup=False)
    out.print(f"Wrote {len(found.personas)} personas to {folder}.", markup=False)
    _print_reports(found)


def _print_reports(found: Personas) -> None:
    """One line for each fate: how many values, and the names of their fields."""
    from counselgraph.personas.loss import Fate

    counts = Counter(item.source.format for item in found.personas if item.source)
    for name, records in counts.items():
        report = found.reports.get(name)
        out.print(f"{name}: {records} records{'' if report else ', kept as they are'}.", markup=False)
        if report is None:
            continue
        for fate in Fate:
            fields = report.fields(fate)
            listed = f": {', '.join(fields)}" if fields else ""
            out.print(f"  {fate:<9}{report.values(fate):>5} values, {len(fields)} fields{listed}", markup=False)
        for note in report.notes:
            out.print(f"  note: {note}", markup=False)
