"""The command export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counselgraph.cli.app import app, out


@app.command()
def export(
    run_folder: Annotated[Path, typer.Argument(help="Run folder.")],
    to: Annotated[str, typer.Option("--to", help="cactus, chatml, sharegpt or jsonl.")],
    file: Annotated[Path, typer.Option("--out", help="File to write.")],
    seat: Annotated[
        str, typer.Option("--seat", help="Whose turns are the assistant's: counselor or client.")
    ] = "counselor",
    private: Annotated[bool, typer.Option("--private", help="Include private fields of roles and prompts.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Include sessions that ended in an error.")] = False,
) -> None:
    """Write a run's sessions in a format for training or other tools, with where each came from."""
    from counselgraph.runner.export import export as write

    done = write(run_folder, to, file, private=private, failed=failed, seat=seat)
    left = f"; left out: {done.unfinished} unfinished, {done.failed} failed" if done.unfinished or done.failed else ""
    out.print(f"Wrote {file}: {done.written} sessions{left}.", markup=False)
