"""The manifest of a run: what a run folder says of itself in run.yaml, and how a spec differs from it."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from counselgraph.errors import InputError
from counselgraph.personas.importers import IMPORTERS
from counselgraph.personas.load import BUILTIN
from counselgraph.runner.fork_file import FORKED
from counselgraph.runner.log import NOTICE
from counselgraph.runner.spec import RunSpec

Manifest = dict[str, Any]
Differences = dict[str, tuple[Any, Any]]
"""Field, an entry of a mapping by its dotted name, to (there, now)."""

PERSONAS = "personas_sha256"
_PACKAGES = ("langgraph", "langchain-core", "langchain-openai", "chromadb", "pydantic")


def differences(found: Manifest, there: RunSpec, now: RunSpec) -> Differences:
    """What decides about results and differs between a run and a spec, the contents of persona files included.

    Args:
        found: Manifest of the run.
        there: Spec of the run.
        now: The spec, its paths absolute.

    Raises:
        InputError: A persona file cannot be read.
    """
    differs = dict(_entries(there.what_differs(now)))
    before, digest = found.get(PERSONAS), personas_digest(now.personas)
    if PERSONAS in found and before != digest:
        differs[PERSONAS] = (before, digest)
    return differs


def _entries(differs: Differences) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name, (there, now) in differs.items():
        if not (isinstance(there, dict) and isinstance(now, dict)):
            yield name, (there, now)
            continue
        for key in sorted(there.keys() | now.keys()):
            if there.get(key) != now.get(key):
                yield f"{name}.{key}", (there.get(key), now.get(key))


def told(differs: Differences) -> str:
    """Differences for a reader, one a line."""
    return "\n".join(f"  {name}: {_shown(there)} there -> {_shown(now)} now" for name, (there, now) in differs.items())


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)


def changed(
    found: Manifest, differs: Differences, spec: RunSpec, servers: Mapping[str, Any], *, rehearsed: bool
) -> Manifest:
    """The manifest of a run that goes on with another spec; what differed stays in its list `changed`."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    change = {"at": now, "diff": {name: {"there": old, "now": new} for name, (old, new) in differs.items()}}
    return {
        **found,
        "spec": spec.dump(),
        PERSONAS: personas_digest(spec.personas),
        "rehearsal": bool(found.get("rehearsal")) or rehearsed,
        "servers": {**(found.get("servers") or {}), **servers},
        "changed": [*(found.get("changed") or ()), change],
    }


def personas_digest(source: str) -> str | None:
    """SHA-256 over the files personas come from.

    None for built-in ones, since `versions` says which these are, and for those of a fork, whose digest is their name.

    Raises:
        InputError: A file cannot be read.
    """
    if source.partition("/")[0] == BUILTIN or source.startswith(FORKED):
        return None
    place, digest = Path(source).expanduser(), hashlib.sha256()
    try:
        for file in _persona_files(place) if place.is_dir() else [place]:
            digest.update(f"{file.name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    except OSError as error:
        raise InputError(f"cannot be read: {error}.", file=str(place), fix="check the permissions") from error
    return digest.hexdigest()


def _persona_files(folder: Path) -> list[Path]:
    suffixes = {suffix for importer in IMPORTERS for suffix in importer.SUFFIXES}
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in suffixes)


def new_manifest(spec: RunSpec, servers: Mapping[str, Any], *, rehearsed: bool) -> Manifest:
    """What a run that starts now says of itself."""
    now = datetime.now(UTC)
    return {
        "notice": NOTICE,
        "run": f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}",
        "started": now.isoformat(timespec="seconds"),
        "spec": spec.dump(),
        PERSONAS: personas_digest(spec.personas),
        "rehearsal": rehearsed,
        "versions": {"counselgraph": version("counselgraph"), **{name: version(name) for name in _PACKAGES}},
        "python": platform.python_version(),
        "git": _git_revision(),
        "host": {"system": platform.platform(), "machine": platform.machine(), "cpus": os.cpu_count()},
        "servers": dict(servers),
    }


def _git_revision() -> str | None:
    """Revision of the folder the run is started from, None outside a repository or without git."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=5)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
