"""The run folder: what lies where, what a run writes down about itself, and whether it may be continued."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from counselgraph.errors import InputError
from counselgraph.memory.lock import LOCK_FILE, FolderLock
from counselgraph.personas.importers import IMPORTERS
from counselgraph.personas.load import BUILTIN
from counselgraph.runner.log import NOTICE
from counselgraph.runner.spec import RunSpec

_PACKAGES = ("langgraph", "langchain-core", "langchain-openai", "chromadb", "pydantic")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run."""

    path: Path

    @property
    def manifest(self) -> Path:
        """`run.yaml`: the resolved spec and where it was run."""
        return self.path / "run.yaml"

    @property
    def sessions(self) -> Path:
        """One event log a session."""
        return self.path / "sessions"

    @property
    def texts(self) -> Path:
        """Content-addressed prompts."""
        return self.path / "texts"

    @property
    def journals(self) -> Path:
        """Model answers, one file a session."""
        return self.path / "journal"

    @property
    def memory(self) -> Path:
        """Chroma store of a run with `memory: run`."""
        return self.path / "memory"

    @property
    def summary(self) -> Path:
        """Counts, usage and timings of the whole run."""
        return self.path / "summary.json"

    def log(self, session: str) -> Path:
        """Log of one session."""
        return self.sessions / f"{session}.jsonl"

    def journal(self, session: str) -> Path:
        """Journal of one session."""
        return self.journals / f"{session}.jsonl"

    def spec(self) -> RunSpec:
        """The spec this run was started with.

        Raises:
            InputError: The folder holds no readable run.yaml.
        """
        return RunSpec.of(self.read()["spec"], where=str(self.manifest))

    def resumed(self, *, base_url: str | None = None) -> RunSpec:
        """The spec of this run, ready to go on: in this folder, wherever it lies now.

        Args:
            base_url: Where the model server is now, if it has moved.

        Raises:
            InputError: The folder holds no readable run.yaml.
        """
        spec = self.spec()
        return spec.model_copy(update={"out": self.path, "base_url": base_url or spec.base_url})

    def read(self) -> dict[str, Any]:
        """The manifest.

        Raises:
            InputError: The folder holds no readable run.yaml.
        """
        try:
            found = yaml.safe_load(self.manifest.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError("is no run folder.", file=str(self.path), fix="give a folder with a run.yaml") from error
        if not isinstance(found, dict) or "spec" not in found:
            raise InputError("holds no spec.", file=str(self.manifest), fix="start the run anew in another folder")
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from running in this folder, made if missing; a killed process lets it go.

        Raises:
            ConfigError: Another process runs in it.
            InputError: The folder cannot be written, or holds something else.
        """
        with self._writing():
            if not (self.path / LOCK_FILE).exists():
                self._check_free()
            self.path.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self.path, what="run folder", harm="would write over each other's sessions")
        try:
            yield
        finally:
            lock.release()

    def prepare(self, spec: RunSpec, servers: dict[str, Any], *, rehearsed: bool = False) -> dict[str, Any]:
        """Make the folder for a run, or check that it holds the same run and can be continued.

        Args:
            spec: What is to be run, its paths absolute.
            servers: What each model server says of itself.
            rehearsed: Whether rehearsal material goes into it.

        Returns:
            The manifest.

        Raises:
            InputError: The folder cannot be written, holds something else, or holds a run with another spec or of
                personas that have changed since.
        """
        if self.manifest.exists():
            return self._continued(spec)
        found = _manifest(spec, servers, rehearsed=rehearsed)
        with self._writing():
            self._check_free()
            for folder in (self.sessions, self.texts, self.journals):
                folder.mkdir(parents=True, exist_ok=True)
            draft = self.manifest.with_suffix(".part")
            draft.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
            draft.replace(self.manifest)
        return found

    def _check_free(self) -> None:
        if self.manifest.exists() or not self.path.exists():
            return
        if any(path.name != LOCK_FILE for path in self.path.iterdir()):
            raise InputError("is not empty and holds no run.", file=str(self.path), fix="give another --out")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"cannot be written: {error}.", file=str(self.path), fix="give a writable --out"
            ) from error

    def _continued(self, spec: RunSpec) -> dict[str, Any]:
        differs = self.spec().what_differs(spec)
        if differs:
            shown = "; ".join(f"{key}: {old!r} there, {new!r} now" for key, (old, new) in differs.items())
            fix = "give another --out, or the same spec to continue that run"
            raise InputError(f"holds a run with another spec ({shown}).", file=str(self.path), fix=fix)
        found = self.read()
        before = found.get("personas_sha256")
        if before is not None and before != personas_digest(spec.personas):
            fix = "put the personas back as they were, or give another --out"
            raise InputError(f"was started with other personas in {spec.personas}.", file=str(self.path), fix=fix)
        return found


def personas_digest(source: str) -> str | None:
    """SHA-256 over the files personas come from, None for built-in ones: `versions` says which these are.

    Raises:
        InputError: A file cannot be read.
    """
    if source.partition("/")[0] == BUILTIN:
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


def _manifest(spec: RunSpec, servers: dict[str, Any], *, rehearsed: bool) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "notice": NOTICE,
        "run": f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}",
        "started": now.isoformat(timespec="seconds"),
        "spec": spec.dump(),
        "personas_sha256": personas_digest(spec.personas),
        "rehearsal": rehearsed,
        "versions": {"counselgraph": version("counselgraph"), **{name: version(name) for name in _PACKAGES}},
        "python": platform.python_version(),
        "git": _git_revision(),
        "host": {"system": platform.platform(), "machine": platform.machine(), "cpus": os.cpu_count()},
        "servers": servers,
    }


def _git_revision() -> str | None:
    """Revision of the folder the run is started from, None outside a repository or without git."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=5)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
