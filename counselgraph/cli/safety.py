"""The command `safety`: what the monitor saw in a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from counselgraph.cli.app import app, out

if TYPE_CHECKING:
    from counselgraph.runner.safety import SafetyReport


@app.command()
def safety(
    folder: Annotated[Path, typer.Argument(help="Run folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Report what the safety monitor saw in a run, and how soon it was taken up."""
    from counselgraph.runner.safety import safety_report

    report = safety_report(folder)
    if json:
        typer.echo(report.model_dump_json(indent=2))
        return
    for table in (_exchanges(report), _findings(report), _sessions(report)):
        out.print(table, markup=False)
    for title, names in _named(report):
        if names:
            out.print(f"{title}: {', '.join(names)}", markup=False)


def _exchanges(report: SafetyReport) -> Table:
    table = Table("highest level of the client", "exchanges", box=None)
    for level, count in report.levels.items():
        table.add_row(f"R{level}", str(count))
    return table


def _findings(report: SafetyReport) -> Table:
    table = Table("side", "category", "findings", box=None)
    for side, found in (("client", report.client), ("counselor", report.counselor)):
        for category, count in found.items():
            table.add_row(side, category, str(count))
    return table


def _sessions(report: SafetyReport) -> Table:
    table = Table("sessions", "", box=None)
    table.add_row("ended", str(report.sessions))
    table.add_row("with a signal (R2 or above)", str(report.signals))
    for delay, count in report.delays.items():
        when = "in the same exchange" if delay == 0 else f"{delay} exchange{'s' * (delay > 1)} later"
        table.add_row(f"taken up {when}", str(count))
    table.add_row("ended in crisis", str(report.stops))
    table.add_row("counselor drafts not fit to be said", str(report.rejects))
    table.add_row("turns on which a screen failed", str(report.failed))
    table.add_row("personas that say their level", str(report.known))
    return table


def _named(report: SafetyReport) -> list[tuple[str, tuple[str, ...]]]:
    return [
        ("taken up late", report.late),
        ("never taken up", report.missed),
        ("risk of the persona never seen", report.unseen),
        ("false alarms", report.false_alarms),
    ]
