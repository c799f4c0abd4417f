"""What a run opens before its first session: its models and its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counselgraph.memory.connect import is_url
from counselgraph.memory.embed import load_embedder
from counselgraph.memory.forgetting import Forgetting
from counselgraph.memory.lock import FolderLock
from counselgraph.memory.server import LEFTOVER_S, serving
from counselgraph.memory.store import MemoryStore
from counselgraph.memory.torn import has_torn
from counselgraph.models.load import Models
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.spec import RunSpec


def models_of(spec: RunSpec) -> Models:
    """The models a spec names, ready to be asked."""
    return Models(spec.base_url, max_calls=spec.max_calls, timeout_s=spec.timeout_s, client=spec.client)


def check_memory(spec: RunSpec) -> None:
    """Make sure that a store outside the run folder can be opened, before anything is written. Blocking.

    Raises:
        CounselgraphError: The store or its embedder cannot be used.
    """
    if spec.memory not in {"run", "none"}:
        with MemoryStore.open(spec.memory, embedder=load_embedder(spec.embedder)):
            return
    load_embedder(spec.embedder)


def open_memory(spec: RunSpec, folder: RunFolder) -> MemoryStore | None:
    """The store a spec names, opened; None for `memory: none`. Blocking."""
    if spec.memory == "none":
        return None
    place = folder.memory if spec.memory == "run" else spec.memory
    forgetting = None if spec.forgetting_days is None else Forgetting(days=spec.forgetting_days)
    return MemoryStore.open(place, embedder=load_embedder(spec.embedder), forgetting=forgetting)


@contextmanager
def shared_memory(spec: RunSpec, folder: RunFolder) -> Iterator[RunSpec]:
    """The spec with a memory that several processes may open: its folder behind a server, for the block. Blocking.

    Raises:
        ConfigError: Another process has the folder open.
        InfrastructureError: The server did not start.
    """
    if spec.memory == "none" or is_url(spec.memory):
        yield spec
        return
    place = folder.memory if spec.memory == "run" else Path(spec.memory)
    _mend(place, spec.embedder)
    with serving(place) as url:
        yield spec.model_copy(update={"memory": url})


def _mend(folder: Path, embedder: str) -> None:
    """Make an index anew that a killed process left half written; a server cannot, it has no embedder."""
    if not folder.is_dir():
        return
    lock = FolderLock(folder, patience_s=LEFTOVER_S)
    try:
        torn = has_torn(folder)
    finally:
        lock.release()
    if torn:
        MemoryStore.open(folder, embedder=load_embedder(embedder)).close()
