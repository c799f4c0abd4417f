"""Commands under `memory`: list, search, forget, export and import."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from counselgraph.cli.app import app, notice, out
from counselgraph.errors import InputError

if TYPE_CHECKING:
    from counselgraph.memory import MemoryRecord, MemoryStore

_NAMED = 20
"""Clients that are named one by one."""

memory_app = typer.Typer(
    help="Look after a memory store: list, search, forget, export and import.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(memory_app, name="memory")

Store = Annotated[str, typer.Argument(help="Folder of a memory store, such as RUN/memory, or the URL of a server.")]
Client = Annotated[str, typer.Option("--client", help="Client's id.")]
Owner = Annotated[str, typer.Option("--owner", help="Who keeps the memories: client or counselor.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Embedder = Annotated[str, typer.Option("--embedder", help="lexical, minilm:FOLDER or endpoint:MODEL@URL.")]


@memory_app.command("list")
def list_memories(
    store: Store,
    client: Annotated[str | None, typer.Option("--client", help="Show this client's memories.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only what this role keeps.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the clients of a store, or a client's memories, superseded ones included."""
    from counselgraph.memory import MemoryStore

    with MemoryStore.inspect(store) as opened:
        records = opened.records(owner=owner, client_id=client)
        if client is not None and not records:
            _refuse_unknown(opened, store, client)
    if as_json:
        _print_json(records)
    elif client is None:
        _print_clients(records)
    else:
        _print_memories(records)


@memory_app.command("search")
def search_memories(
    store: Store,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    client: Client,
    owner: Owner,
    k: Annotated[int, typer.Option("-k", help="Most memories.", min=1)] = 6,
    embedder: Embedder = "lexical",
    as_json: AsJson = False,
) -> None:
    """Show what an owner would recall of a client; memories of others are never looked at."""
    from counselgraph.memory import MemoryStore, load_embedder

    with MemoryStore.inspect(store) as opened:  # says so if there is none, where opening would make one
        _refuse_unknown(opened, store, client)
    with MemoryStore.open(store, embedder=load_embedder(embedder)) as opened:
        found = opened.recall(owner=owner, client_id=client, query=query, k=k)
    if as_json:
        _print_json(found)
    else:
        _print_memories(found)


@memory_app.command("forget")
def forget_client(
    store: Store,
    client: Client,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a client's memories: from a folder for good, from a server until its folder is purged."""
    from counselgraph.memory import MemoryStore
    from counselgraph.memory.connect import is_url

    with MemoryStore.inspect(store) as opened:
        count = len(opened.records(client_id=client))
        if not count:
            notice(f"{store} holds nothing of {client}; {_clients_in(opened)}.")
        if not (yes or typer.confirm(f"Delete {count} memories of {client} for good?")):
            raise typer.Abort
        opened.forget(client, purge=not is_url(store))
    out.print(f"Forgot {count} memories of {client}.", markup=False)
    if is_url(store):
        notice(
            "the server's files hold the deleted texts until they are written anew: stop the server, then run "
            f"`counselgraph memory forget FOLDER --client {client}` on its folder."
        )


@memory_app.command("export")
def export_memories(store: Store, file: Annotated[Path, typer.Argument(help="JSONL file to write.")]) -> None:
    """Write every memory into one file."""
    from counselgraph.memory import MemoryStore
    from counselgraph.memory.portable import export_store

    with MemoryStore.inspect(store) as opened:
        count = export_store(opened, file)
    out.print(f"Wrote {count} memories to {file}.", markup=False)


@memory_app.command("import")
def import_memories(
    file: Annotated[Path, typer.Argument(help="File of `memory export`.")],
    store: Annotated[str, typer.Argument(help="Folder, made if it is not there, or the URL of a server.")],
    embedder: Embedder = "lexical",
) -> None:
    """Write the memories of a file into a store; what is there already stays as it is."""
    from counselgraph.memory import MemoryStore, load_embedder
    from counselgraph.memory.portable import import_store

    if not file.is_file():
        raise InputError("is not there.", file=str(file), fix="give a file of `memory export`")
    with MemoryStore.open(store, embedder=load_embedder(embedder)) as opened:
        count = import_store(file, opened)
    out.print(f"Read {count} memories into {store}.", markup=False)


def _refuse_unknown(opened: MemoryStore, store: str, client: str) -> None:
    """Tell a client without memories from a name that was mistyped."""
    if not opened.records(client_id=client):
        raise InputError(f"holds nothing of {client!r}; {_clients_in(opened)}.", file=store, fix="check --client")


def _clients_in(opened: MemoryStore) -> str:
    known = sorted({record.client_id for record in opened.records()})
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return f"its clients are {', '.join(known[:_NAMED])}{more}" if known else "it is empty"


def _print_json(records: Iterable[MemoryRecord]) -> None:
    for record in records:
        typer.echo(json.dumps({"id": record.id, **record.model_dump(mode="json", exclude_defaults=True)}))


def _print_clients(records: Iterable[MemoryRecord]) -> None:
    kept = list(records)
    sessions: dict[tuple[str, str], int] = {}
    for record in kept:
        who = record.client_id, record.owner
        sessions[who] = max(sessions.get(who, 0), record.session_number)
    counts = Counter((record.client_id, record.owner) for record in kept)
    table = Table("client", "owner", "memories", "sessions", box=None)
    for who in sorted(counts):
        table.add_row(*who, str(counts[who]), str(sessions[who]))
    out.print(table, markup=False)


def _print_memories(records: Iterable[MemoryRecord]) -> None:
    table = Table("session", "owner", "kind", "state", "text", box=None)
    for record in records:
        place = f"{record.session_number}.{record.exchange}"
        table.add_row(place, record.owner, record.kind, _state(record), record.text)
    out.print(table, markup=False)


def _state(record: MemoryRecord) -> str:
    if record.superseded_by:
        return f"until session {record.superseded_in}"
    return "open" if record.open_at(None) else ""
