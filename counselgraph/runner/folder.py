"""The run folder: what lies where, what a run writes down about itself, and whether it may be continued."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from counselgraph.errors import InputError
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

    def prepare(self, spec: RunSpec, servers: dict[str, Any]) -> dict[str, Any]:
        """Make the folder for a run, or check that it holds the same run and can be continued.

        Returns:
            The manifest.

        Raises:
            InputError: The folder cannot be written, holds something else, or holds a run with another spec.
        """
        if self.manifest.exists():
            return self._continued(spec)
        try:
            if self.path.exists() and any(self.path.iterdir()):
                raise InputError("is not empty and holds no run.", file=str(self.path), fix="give another --out")
            for folder in (self.sessions, self.texts, self.journals):
                folder.mkdir(parents=True, exist_ok=True)
            found = _manifest(spec, servers)
            draft = self.manifest.with_suffix(".part")
            draft.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
            draft.replace(self.manifest)
        except OSError as error:
            raise InputError(
                f"cannot be written: {error}.", file=str(self.path), fix="give a writable --out"
            ) from error
        return found

    def _continued(self, spec: RunSpec) -> dict[str, Any]:
        differs = self.spec().what_differs(spec)
        if differs:
            shown = "; ".join(f"{key}: {old!r} there, {new!r} now" for key, (old, new) in differs.items())
            fix = "give another --out, or the same spec to continue that run"
            raise InputError(f"holds a run with another spec ({shown}).", file=str(self.path), fix=fix)
        return self.read()


def _manifest(spec: RunSpec, servers: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "notice": NOTICE,
        "run": f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}",
        "started": now.isoformat(timespec="seconds"),
        "spec": spec.dump(),
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
