"""The command line: a thin shell of the Python API."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from counselgraph import __version__
from counselgraph.errors import ConfigError, CounselgraphError, InfrastructureError, InputError, ModelError
from counselgraph.runner.spec import RunSpec, merged

OK, SOME_FAILED, BAD_INPUT, DRAINED = 0, 1, 2, 130
ABOUT = """Simulate counseling dialogues: a client, a counselor, a CBT planner and a safety monitor on LangGraph.

A research simulator, not care. If you or someone near you is in danger, call your local emergency number."""

app = typer.Typer(
    help=ABOUT, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
personas_app = typer.Typer(help="List, show, check and import personas.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(personas_app, name="personas")
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

Out = Annotated[Path | None, typer.Option("--out", help="Run folder.")]
Personas = Annotated[
    str | None, typer.Option("--personas", help="builtin, builtin/ID, a YAML file or folder, or a file.")
]
Format = Annotated[str | None, typer.Option("--format", help="Importer; detected if left out.")]
ModelName = Annotated[
    str | None, typer.Option("--model", help="rehearsal, vllm/NAME, openai/NAME, script/FILE, replay/DIR.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="OpenAI-compatible endpoint.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE for any field of the RunSpec, such as params.temperature=0.7; repeatable."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the run.")]
SkipBad = Annotated[bool | None, typer.Option("--skip-bad", help="Run the good records of a file, list the bad.")]


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    if version:
        out.print(f"counselgraph {__version__}")
        raise typer.Exit
    _ = context


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
    role_model: Annotated[
        list[str] | None, typer.Option("--role-model", help="ROLE=MODEL for any other role; may be repeated.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Role to add: a name or package.module:name.")
    ] = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    replicates: Annotated[int | None, typer.Option("--replicates", help="Sessions per persona.")] = None,
    max_exchanges: Annotated[int | None, typer.Option("--max-exchanges", help="Cap on exchanges.")] = None,
    min_exchanges: Annotated[int | None, typer.Option("--min-exchanges", help="No plan closes before this.")] = None,
    concurrency: Annotated[int | None, typer.Option("--concurrency", help="Sessions in flight.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Language of all sessions.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="Country of the crisis resources, such as US.")] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", help="run, none, or a folder that outlives the run.")
    ] = None,
    skip_bad: SkipBad = None,
    settings: Settings = None,
    to: Out = None,
    watch: Annotated[bool, typer.Option("--watch", help="Print the first session as it happens.")] = False,
    display: Annotated[str, typer.Option("--display", help="auto, rich, plain or none.")] = "auto",
) -> None:
    """Run sessions over a set of personas and write them to a run folder."""
    flags = {
        "personas": personas,
        "format": format_,
        "limit": limit,
        "model": model,
        "roles": role,
        "base_url": base_url,
        "seed": seed,
        "replicates": replicates,
        "max_exchanges": max_exchanges,
        "min_exchanges": min_exchanges,
        "concurrency": concurrency,
        "language": language,
        "locale": locale,
        "memory": memory,
        "skip_bad": skip_bad,
        "out": to,
    }
    models = {"client": client_model, "counselor": counselor_model, "planner": planner_model, **_pairs(role_model)}
    wanted = _spec(spec, flags, models, settings)
    raise typer.Exit(_play(wanted, "none" if watch else display, watch=watch))


@app.command()
def resume(
    folder: Annotated[Path, typer.Argument(help="Run folder.")],
    base_url: BaseUrl = None,
    display: Annotated[str, typer.Option("--display", help="auto, rich, plain or none.")] = "auto",
) -> None:
    """Continue a run that was stopped or killed; nothing is lost and nothing is played twice."""
    from counselgraph.runner.folder import RunFolder
    from counselgraph.runner.job import HUMAN

    spec = RunFolder(folder).resumed(base_url=base_url)
    raise typer.Exit(_talk(spec) if HUMAN in spec.models.values() else _play(spec, display))


@app.command()
def chat(
    persona: Annotated[str, typer.Option("--persona", help="Id of a built-in persona, or a persona file.")],
    seat: Annotated[str, typer.Option("--as", help="Your seat: counselor or client.")] = "counselor",
    model: ModelName = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    memory: Annotated[
        str | None, typer.Option("--memory", help="run, none, or a folder that outlives the run.")
    ] = None,
    settings: Settings = None,
    to: Out = None,
) -> None:
    """Take one seat of a session yourself. /end ends it, Ctrl-D leaves it for later."""
    if seat not in {"counselor", "client"}:
        raise InputError(f"There is no seat {seat!r}.", field="--as", fix="use counselor or client")
    source = persona if Path(persona).exists() else f"builtin/{persona.removeprefix('builtin/')}"
    folder = to or Path("runs") / f"chat-{Path(persona).stem}-{seat}"
    flags = {"personas": source, "model": model, "base_url": base_url, "seed": seed, "memory": memory, "out": folder}
    raise typer.Exit(_talk(_spec(None, flags, {seat: "human"}, settings)))


@app.command()
def show(
    path: Annotated[Path, typer.Argument(help="Run folder, DIR/SESSION, or a session log.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained HTML file instead.")] = None,
    prompts: Annotated[bool, typer.Option("--prompts", help="Show the prompts of every call.")] = False,
) -> None:
    """Read a run or a session in the terminal, or as a web page."""
    from counselgraph.runner import show as view
    from counselgraph.runner.html import write_html
    from counselgraph.runner.log import find_records

    if html is not None:
        records = find_records(path)
        write_html(records, html)
        out.print(f"Wrote {html}: {len(records)} sessions.", markup=False)
    elif path.is_dir():
        view.show_run(path, out)
    else:
        for record in find_records(path):
            view.show(record, out, prompts=prompts)


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


@app.command()
def roles(
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Role to add: a name or package.module:name.")
    ] = None,
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


@app.command()
def doctor(
    model: Annotated[str, typer.Option("--model", help="Model to check.")] = "rehearsal",
    base_url: BaseUrl = None,
    embedder: Annotated[str, typer.Option("--embedder", help="lexical, or minilm:FOLDER.")] = "lexical",
    folder: Annotated[Path, typer.Option("--out", help="Folder a run would be written to.")] = Path("runs"),
) -> None:
    """Check versions, folders, endpoint, embedder and disk; says what is wrong and how to mend it."""
    from counselgraph.runner.doctor import examine

    checks = asyncio.run(examine(model=model, base_url=base_url, embedder=embedder, folder=folder))
    for check in checks:
        out.print(f"{'ok  ' if check.ok else 'FAIL'}  {check.what}: {check.found}", markup=False)
        if check.fix:
            out.print(f"      Fix: {check.fix}", markup=False)
    raise typer.Exit(OK if all(check.ok for check in checks) else SOME_FAILED)


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
    out.print(f"{len(found.personas)} good, {len(found.bad)} bad.")
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


def main() -> None:
    """Entry point: errors of ours become one clear line and an exit code."""
    try:
        app()
    except CounselgraphError as error:
        sys.exit(_explain(error))
    except BaseExceptionGroup as group:
        ours, others = group.split(CounselgraphError)
        if ours is None or others is not None:
            raise
        sys.exit(_explain(_first(ours)))
    except KeyboardInterrupt:
        sys.exit(DRAINED)


def _explain(error: BaseException) -> int:
    """Say what went wrong in one clear line; the exit code tells the user's mistakes from the machine's."""
    err.print(f"error: {error}", markup=False, style="red")
    return BAD_INPUT if isinstance(error, InputError | ConfigError) else SOME_FAILED


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _spec(
    file: Path | None, flags: Mapping[str, Any], models: Mapping[str, str | None], settings: list[str] | None
) -> RunSpec:
    given = {key: value for key, value in flags.items() if value is not None}
    named = {key: value for key, value in models.items() if value is not None}
    overrides = merged({**given, "models": named}, _settings(settings))
    return RunSpec.of(overrides) if file is None else RunSpec.load(file, **overrides)


def _settings(items: list[str] | None) -> dict[str, Any]:
    """Fields of a RunSpec out of KEY=VALUE, a dotted key for one entry of a mapping, the value in YAML."""
    import yaml

    found: dict[str, Any] = {}
    for item in items or ():
        key, equals, text = item.partition("=")
        if not (key and equals):
            raise InputError(f"{item!r} is no setting.", field="--set", fix="write KEY=VALUE")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"the value of {item!r} is no YAML.", field="--set", fix="put it in quotes") from error
        name, dot, entry = key.partition(".")
        found = merged(found, {name: {entry: value} if dot else value})
    return found


def _pairs(items: list[str] | None) -> dict[str, str]:
    pairs = {}
    for item in items or ():
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise InputError(f"{item!r} is no pair.", field="--role-model", fix="write ROLE=MODEL")
        pairs[name] = value
    return pairs


def _play(spec: RunSpec, display: str, *, watch: bool = False) -> int:
    from counselgraph.runner.batch import run_sync
    from counselgraph.runner.display import showing
    from counselgraph.runner.show import WatchFirst

    with showing(display, err) as on_progress:
        watcher = WatchFirst(out).take if watch else None
        result = run_sync(spec, on_progress=on_progress, on_event=watcher, on_notice=_notice)
    for problem in result.bad:
        err.print(f"left out: {problem}", markup=False)
    for session, reason in result.failed.items():
        err.print(f"failed: {session}: {reason}", markup=False)
    out.print(result.summary.line(result.out), markup=False)
    if result.drained:
        out.print(f"Stopped on request. Go on with: counselgraph resume {result.out}", markup=False)
        return DRAINED
    return SOME_FAILED if result.failed else OK


def _notice(text: str) -> None:
    err.print(f"notice: {text}", markup=False)


def _talk(spec: RunSpec) -> int:
    from counselgraph.runner.chat import chat as converse
    from counselgraph.runner.show import LiveShow

    def read_line(waiting: Mapping[str, Any]) -> str:
        return out.input(f"\n{waiting['role']}> ", markup=False)

    saved = f"\nSaved. Go on with: counselgraph resume {spec.out}"
    try:
        result = asyncio.run(converse(spec, read_line, on_event=LiveShow(out).take, on_notice=_notice))
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


if __name__ == "__main__":
    main()
