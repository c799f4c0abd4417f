"""The command doctor."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from counselgraph.cli.app import OK, SOME_FAILED, BaseUrl, app, out
from counselgraph.cli.serve_model import Context, Cpu, Port, Python, Replicas


@app.command()
def doctor(
    model: Annotated[str, typer.Option("--model", help="Model to check.")] = "rehearsal",
    base_url: BaseUrl = None,
    embedder: Annotated[str, typer.Option("--embedder", help="lexical, or minilm:FOLDER.")] = "lexical",
    folder: Annotated[Path, typer.Option("--out", help="Folder a run would be written to.")] = Path("runs"),
    serve: Annotated[str | None, typer.Option("--serve", help="Model that serve-model should start.")] = None,
    port: Port = 8000,
    replicas: Replicas = 1,
    python: Python = sys.executable,
    context: Context = None,
    cpu: Cpu = False,
) -> None:
    """Check versions, folders, endpoint, embedder and disk; says what is wrong and how to mend it."""
    from counselgraph.models.serving.spec import ServerSpec
    from counselgraph.runner.doctor import examine

    wanted = ServerSpec(serve, "", port, replicas, python, context, cpu) if serve else None
    checks = asyncio.run(examine(model=model, base_url=base_url, embedder=embedder, folder=folder, serve=wanted))
    for check in checks:
        out.print(f"{'ok  ' if check.ok else 'FAIL'}  {check.what}: {check.found}", markup=False)
        if check.fix:
            out.print(f"      Fix: {check.fix}", markup=False)
    raise typer.Exit(OK if all(check.ok for check in checks) else SOME_FAILED)
