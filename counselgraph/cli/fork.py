"""The command that forks: one session continued from any of its exchanges, under a change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counselgraph.cli.app import BaseUrl, Display, ModelName, Out, Seed, app, err, notice, out
from counselgraph.cli.run import tell
from counselgraph.cli.settings import pairs, settings_of


@app.command()
def fork(
    session: Annotated[Path, typer.Argument(help="DIR/SESSION, or a session log.")],
    at: Annotated[int, typer.Option("--at", help="Exchange to go on from; 0 is the counselor's opening.")],
    say: Annotated[str | None, typer.Option("--say", help="Words in the place of that exchange's turn.")] = None,
    seat: Annotated[str, typer.Option("--as", help="Whose turn --say replaces: counselor or client.")] = "counselor",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="persona.FIELD=VALUE, or KEY=VALUE for a field of the RunSpec; repeatable."),
    ] = None,
    model: ModelName = None,
    role_model: Annotated[list[str] | None, typer.Option("--role-model", help="ROLE=MODEL; may be repeated.")] = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    children: Annotated[int, typer.Option("-n", min=1, help="Sessions to go on with, each with its own seed.")] = 1,
    to: Out = None,
    watch: Annotated[bool, typer.Option("--watch", help="Print the first session as it happens.")] = False,
    display: Display = "auto",
) -> None:
    """Continue a session from any exchange, under another line, persona, role or model; it stays as it is."""
    from counselgraph.runner.display import showing
    from counselgraph.runner.fork import fork_sync
    from counselgraph.runner.show import WatchFirst

    flags = {"model": model, "seed": seed, **{f"models.{role}": name for role, name in pairs(role_model).items()}}
    changes = {key: value for key, value in flags.items() if value is not None} | settings_of(settings)
    with showing("none" if watch else display, err) as on_progress:
        result = fork_sync(
            session,
            at,
            say=say,
            role=seat,
            changes=changes,
            children=children,
            out=to,
            base_url=base_url,
            on_progress=on_progress,
            on_event=WatchFirst(out).take if watch else None,
            on_notice=notice,
        )
    raise typer.Exit(tell(result))
