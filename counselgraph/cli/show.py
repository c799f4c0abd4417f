"""Commands that read: show and roles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from counselgraph.cli.app import Role, app, out


@app.command()
def show(
    path: Annotated[Path, typer.Argument(help="Run folder, DIR/SESSION, or a session log.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained HTML file instead.")] = None,
    prompts: Annotated[bool, typer.Option("--prompts", help="Show the prompts of every call.")] = False,
) -> None:
    """Read a run or a session in the terminal, or as a web page."""
    from counselgraph.runner import show as view
    from counselgraph.runner.course_record import read_courses
    from counselgraph.runner.html import write_html
    from counselgraph.runner.log import find_records

    if html is not None:
        records = find_records(path)
        courses = read_courses(path) if path.is_dir() else []
        write_html(records, html, courses=courses)
        out.print(f"Wrote {html}: {len(records)} sessions.", markup=False)
    elif path.is_dir():
        view.show_run(path, out)
    else:
        for record in find_records(path):
            view.show(record, out, prompts=prompts)


@app.command()
def roles(
    role: Role = None,
) -> None:
    """List the roles of a session: what each reads, and where it comes in."""
    from counselgraph.graphs.seats import offered_roles, seats_for

    seated = seats_for(role or ()).all
    table = Table("role", "comes in", "speaks", "reads", "purpose", box=None)
    for item in (*seated, *(other for name, other in offered_roles().items() if other not in seated)):
        place = f"after {item.after}" if item.after else "by default"
        named = item.name if item in seated else f"({item.name})"
        table.add_row(named, place, "yes" if item.speaks else "", ", ".join(item.view.__annotations__), item.purpose)
    out.print(table, markup=False)
