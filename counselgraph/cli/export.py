"""The command export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counselgraph.cli.app import app, out


@app.command()
def export(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    to: Annotated[str, typer.Option("--to", help="parquet, jsonl, chatml, sharegpt or cactus.")],
    file: Annotated[Path, typer.Option("--out", help="File to write; a data card goes beside it.")],
    seat: Annotated[
        str, typer.Option("--seat", help="Whose turns are the assistant's: counselor or client.")
    ] = "counselor",
    split: Annotated[
        str | None, typer.Option("--split", help="Shares such as train=0.8,dev=0.1,test=0.1: a file each, by client.")
    ] = None,
    split_seed: Annotated[int, typer.Option("--split-seed", help="Deals the clients out anew.")] = 0,
    private: Annotated[bool, typer.Option("--private", help="Include private fields of roles and prompts.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Include sessions that ended in an error.")] = False,
) -> None:
    """Write the sessions of runs in a format for training or other tools, with where each came from."""
    from counselgraph.runner.export import export as write
    from counselgraph.runner.splits import parse_shares

    shares = None if split is None else parse_shares(split)
    done = write(runs, to, file, private=private, failed=failed, seat=seat, split=shares, split_seed=split_seed)
    left = f"; left out: {done.unfinished} unfinished, {done.failed} failed" if done.unfinished or done.failed else ""
    files = ", ".join(f"{path}: {sessions} sessions" for path, sessions in done.files.items())
    out.print(f"Wrote {files}{left}. Data card: {done.card}", markup=False)
