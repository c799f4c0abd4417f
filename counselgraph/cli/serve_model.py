"""The command serve-model: a model server for runs on this machine."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from counselgraph.cli.app import OK, app, out
from counselgraph.errors import InputError
from counselgraph.models.serving.spec import ServerSpec

Replicas = Annotated[int, typer.Option("--replicas", min=1, help="Servers to start, each with a port and GPUs.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the first server.")]
Python = Annotated[str, typer.Option("--python", help="Interpreter that has vLLM; by default this one.")]
Context = Annotated[int | None, typer.Option("--context", min=1, help="Longest prompt plus answer, in tokens.")]
Cpu = Annotated[bool, typer.Option("--cpu", help="Serve on the CPU.")]


@app.command("serve-model")
def serve_model(
    model: Annotated[str | None, typer.Argument(help="Folder of a model, or its name in the cache.")] = None,
    flags: Annotated[list[str] | None, typer.Argument(help="After --: further vLLM flags.")] = None,
    port: Port = 8000,
    replicas: Replicas = 1,
    python: Python = sys.executable,
    name: Annotated[str, typer.Option("--name", help="What runs call the model; by default the folder's name.")] = "",
    context: Context = None,
    cpu: Cpu = False,
    log: Annotated[Path, typer.Option("--log", help="Folder of logs.")] = Path("runs/servers"),
    ready: Annotated[float, typer.Option("--ready", min=1, help="Seconds until every server must answer.")] = 900,
    stop: Annotated[Path | None, typer.Option("--stop", help="End the servers that this --log folder records.")] = None,
) -> None:
    """Serve a model with vLLM until Ctrl-C, with the settings that runs need."""
    from counselgraph.models.serving.record import check_unserved
    from counselgraph.models.serving.servers import GRACE_S

    if stop is not None:
        raise typer.Exit(_stop(stop, GRACE_S))
    if model is None:
        raise InputError("is missing.", field="MODEL", fix="give the folder of a model, or --stop DIR")
    if flags and not flags[0].startswith("-"):
        raise InputError(f"{flags[0]!r} is no flag.", field="MODEL", fix="give one model; vLLM's flags go after --")
    check_unserved(log)
    spec = ServerSpec(model, name, port, replicas, python, context, cpu, tuple(flags or ()))
    raise typer.Exit(_serve(spec, log, ready))


def _serve(spec: ServerSpec, log: Path, ready_s: float) -> int:
    from counselgraph.models.serving.preflight import insist, preflight
    from counselgraph.models.serving.servers import Halt, Servers

    insist(preflight(spec))
    with Halt().on_signals() as halt, Servers(spec, log, halt=halt) as servers:
        started = time.monotonic()
        said = ", ".join(str(replica.log) for replica in servers.replicas)
        out.print(f"Starting {spec.served_name}; this takes a while. Logs: {said}", markup=False)
        if servers.wait_ready(ready_s):
            out.print(_next_step(spec, time.monotonic() - started), markup=False)
            servers.watch()
        out.print("Stopping.", markup=False)
    return OK


def _next_step(spec: ServerSpec, seconds: float) -> str:
    return (
        f"Ready after {seconds:.0f} s. Run with:\n"
        f"  counselgraph run --model vllm/{spec.served_name} --base-url {','.join(spec.base_urls)}\n"
        "Ctrl-C stops."
    )


def _stop(folder: Path, grace_s: float) -> int:
    from counselgraph.models.serving.record import stop_left

    for line in stop_left(folder, grace_s):
        out.print(line, markup=False)
    return OK
