"""Commands that play sessions: run, resume and chat."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from counselgraph.cli.app import (
    DRAINED,
    OK,
    SOME_FAILED,
    BaseUrl,
    Display,
    Format,
    Memory,
    ModelName,
    Out,
    Personas,
    Role,
    Seed,
    Settings,
    SkipBad,
    app,
    err,
    notice,
    out,
)
from counselgraph.cli.settings import pairs, spec_of
from counselgraph.errors import InfrastructureError, InputError, ModelError
from counselgraph.runner.spec import RunSpec

if TYPE_CHECKING:
    from counselgraph.runner.batch import RunResult

Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes that play the sessions.")]
Executor = Annotated[str | None, typer.Option("--executor", help="Where they are: local, or ray for a Ray cluster.")]

RoleModel = Annotated[
    list[str] | None, typer.Option("--role-model", help="ROLE=MODEL for any other role; may be repeated.")
]
SessionsPerClient = Annotated[int | None, typer.Option("--sessions-per-client", min=1, help="Sessions of a course.")]
Force = Annotated[bool, typer.Option("--force", help="Go on in a folder that holds a run with another spec.")]


@app.command()
def run(
    spec: Annotated[Path | None, typer.Option("--spec", help="RunSpec in YAML; flags win over it.")] = None,
    personas: Personas = None,
    format_: Format = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most this many personas.")] = None,
    model: ModelName = None,
    client_model: Annotated[str | None, typer.Option("--client-model", help="Model of the client.")] = None,
    counselor_model: Annotated[str | None, typer.Option("--counselor-model", help="Model of the counselor.")] = None,
    planner_model: Annotated[str | None, typer.Option("--planner-model", help="Model of the planner.")] = None,
    role_model: RoleModel = None,
    role: Role = None,
    base_url: BaseUrl = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="What each persona gets: session or course.")] = None,
    sessions_per_client: SessionsPerClient = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Approach to begin with, such as cbt.")] = None,
    seed: Seed = None,
    replicates: Annotated[int | None, typer.Option("--replicates", help="Sessions per persona.")] = None,
    max_exchanges: Annotated[int | None, typer.Option("--max-exchanges", help="Cap on exchanges.")] = None,
    min_exchanges: Annotated[int | None, typer.Option("--min-exchanges", help="No plan closes before this.")] = None,
    concurrency: Annotated[int | None, typer.Option("--concurrency", help="Sessions in flight.")] = None,
    workers: Workers = None,
    executor: Executor = None,
    language: Annotated[str | None, typer.Option("--language", help="Language of all sessions.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="Country of the crisis resources, such as US.")] = None,
    memory: Memory = None,
    skip_bad: SkipBad = None,
    settings: Settings = None,
    to: Out = None,
    force: Force = False,
    watch: Annotated[bool, typer.Option("--watch", help="Print the first session as it happens.")] = False,
    display: Display = "auto",
) -> None:
    """Run sessions over a set of personas and write them to a run folder."""
    flags = {
        "personas": personas,
        "format": format_,
        "limit": limit,
        "model": model,
        "roles": role,
        "base_url": base_url,
        "recipe": recipe,
        "sessions_per_client": sessions_per_client,
        "protocol": protocol,
        "seed": seed,
        "replicates": replicates,
        "max_exchanges": max_exchanges,
        "min_exchanges": min_exchanges,
        "concurrency": concurrency,
        "workers": workers,
        "executor": executor,
        "language": language,
        "locale": locale,
        "memory": memory,
        "skip_bad": skip_bad,
        "out": to,
    }
    models = {"client": client_model, "counselor": counselor_model, "planner": planner_model, **pairs(role_model)}
    wanted = spec_of(spec, flags, models, settings)
    raise typer.Exit(_play(wanted, "none" if watch else display, watch=watch, force=force))


@app.command()
def resume(
    folder: Annotated[Path, typer.Argument(help="Run folder.")],
    base_url: BaseUrl = None,
    workers: Workers = None,
    executor: Executor = None,
    display: Display = "auto",
) -> None:
    """Continue a run that was stopped or killed; nothing is lost and nothing is played twice."""
    from counselgraph.runner.folder import RunFolder
    from counselgraph.runner.job import HUMAN

    spec = RunFolder(folder).resumed(base_url=base_url, workers=workers, executor=executor)
    raise typer.Exit(_talk(spec) if HUMAN in spec.models.values() else _play(spec, display))


@app.command()
def chat(
    persona: Annotated[str, typer.Option("--persona", help="Id of a built-in persona, or a persona file.")],
    seat: Annotated[
        str, typer.Option("--as", help="Your seat: counselor, client, or responder for crises only.")
    ] = "counselor",
    model: ModelName = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    memory: Memory = None,
    settings: Settings = None,
    to: Out = None,
) -> None:
    """Take one seat of a session yourself. /end ends it, Ctrl-D leaves it for later."""
    if seat not in {"counselor", "client", "responder"}:
        raise InputError(f"There is no seat {seat!r}.", field="--as", fix="use counselor, client or responder")
    source = persona if Path(persona).exists() else f"builtin/{persona.removeprefix('builtin/')}"
    folder = to or Path("runs") / f"chat-{Path(persona).stem}-{seat}"
    flags = {"personas": source, "model": model, "base_url": base_url, "seed": seed, "memory": memory, "out": folder}
    if seat == "responder":
        flags["human_review"] = True
    raise typer.Exit(_talk(spec_of(None, flags, {seat: "human"}, settings)))


def _play(spec: RunSpec, display: str, *, watch: bool = False, force: bool = False) -> int:
    from counselgraph.runner.batch import run_sync
    from counselgraph.runner.display import showing
    from counselgraph.runner.show import WatchFirst

    with showing(display, err) as on_progress:
        watcher = WatchFirst(out).take if watch else None
        result = run_sync(spec, on_progress=on_progress, on_event=watcher, on_notice=notice, force=force)
    return tell(result)


def tell(result: RunResult) -> int:
    """Say what a run came to; gives its exit code."""
    for problem in result.bad:
        err.print(f"left out: {problem}", markup=False)
    for session, reason in result.failed.items():
        err.print(f"failed: {session}: {reason}", markup=False)
    out.print(result.summary.line(result.out), markup=False)
    if result.drained:
        out.print(f"Stopped on request. Go on with: counselgraph resume {result.out}", markup=False)
        return DRAINED
    return SOME_FAILED if result.failed else OK


def _talk(spec: RunSpec) -> int:
    from counselgraph.runner.chat import chat as converse
    from counselgraph.runner.show import LiveShow

    def read_line(waiting: Mapping[str, Any]) -> str:
        return out.input(f"\n{waiting['role']}> ", markup=False)

    saved = f"\nSaved. Go on with: counselgraph resume {spec.out}"
    try:
        result = asyncio.run(converse(spec, read_line, on_event=LiveShow(out).take, on_notice=notice))
    except (ModelError, InfrastructureError) as error:
        if not (spec.out / "run.yaml").exists():
            raise
        err.print(f"failed: {error}{saved}", markup=False)
        return SOME_FAILED
    except KeyboardInterrupt:
        out.print(saved, markup=False)
        sys.stdout.flush()
        os._exit(DRAINED)  # everything is closed but a thread that waits for a line, and Python cannot wake it
    if result.ending is None:
        out.print(saved, markup=False)
    return OK
