"""What every command shares: the program, its two consoles, its exit codes and its usual options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from counselgraph import __version__

OK, SOME_FAILED, BAD_INPUT, DRAINED = 0, 1, 2, 130
ABOUT = """Simulate counseling dialogues: a client, a counselor, a CBT planner and a safety monitor on LangGraph.

A research simulator, not care. If you or someone near you is in danger, call your local emergency number."""

app = typer.Typer(
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

Out = Annotated[Path | None, typer.Option("--out", help="Run folder.")]
Personas = Annotated[
    str | None, typer.Option("--personas", help="builtin, builtin/ID, a YAML file or folder, or a file.")
]
Format = Annotated[str | None, typer.Option("--format", help="Importer; detected if left out.")]
ModelName = Annotated[
    str | None,
    typer.Option("--model", help="rehearsal, vllm/NAME, openai/NAME, llamacpp/FILE, script/FILE, replay/DIR."),
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="OpenAI-compatible endpoint.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE for any field of the RunSpec, such as params.temperature=0.7; repeatable."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the run.")]
SkipBad = Annotated[bool | None, typer.Option("--skip-bad", help="Run the good records of a file, list the bad.")]
Role = Annotated[list[str] | None, typer.Option("--role", help="Role to add: a name or package.module:name.")]
Memory = Annotated[str | None, typer.Option("--memory", help="run, none, or a folder that outlives the run.")]
Display = Annotated[str, typer.Option("--display", help="auto, rich, plain or none.")]


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    if version:
        out.print(f"counselgraph {__version__}")
        raise typer.Exit
    _ = context


def notice(text: str) -> None:
    """Tell what a reader should know, beside the output."""
    err.print(f"notice: {text}", markup=False)
