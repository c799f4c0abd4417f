"""The run folder: what lies where, what a run writes down about itself, and whether it may be continued."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from counselgraph.errors import InputError
from counselgraph.memory.lock import LOCK_FILE, FolderLock
from counselgraph.runner.fork_file import FORK_FILE
from counselgraph.runner.manifest import PERSONAS, Differences, Manifest, changed, differences, new_manifest, told
from counselgraph.runner.spec import RunSpec
from counselgraph.yaml_text import load_yaml

_PROBE = ".probe"
_SESSION_BYTES = 64 * 1024  # a session's log and journal are of this size
_GOING_ON_BYTES = 1024 * 1024  # what a write of memories takes for as long as it lasts, and gives back if it fails
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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
    def courses(self) -> Path:
        """One event log a course, beside those of its sessions."""
        return self.path / "courses"

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

    def course(self, course: str) -> Path:
        """Log of one course."""
        return self.courses / f"{course}.jsonl"

    def journal(self, session: str) -> Path:
        """Journal of one session."""
        return self.journals / f"{session}.jsonl"

    def logs(self) -> Iterator[Path]:
        """Every session's log, by id; all names are in memory at once, about 70 bytes each."""
        return _logs_in(self.sessions)

    def course_logs(self) -> Iterator[Path]:
        """Every course's log, by id."""
        return _logs_in(self.courses)

    def blocked(self, *, going_on: bool = False) -> OSError | None:
        """Why nothing more can be written here, such as a full disk; None if it can.

        Args:
            going_on: Something has failed, so look for more room than one session needs.
        """
        probe = self.path / _PROBE
        try:
            probe.write_bytes(bytes(_GOING_ON_BYTES if going_on else _SESSION_BYTES))
        except OSError as error:
            return error
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
        return None

    def spec(self) -> RunSpec:
        """The spec this run was started with.

        Raises:
            InputError: The folder holds no readable run.yaml.
        """
        return RunSpec.of(self.read()["spec"], where=str(self.manifest))

    def resumed(
        self, *, base_url: str | None = None, workers: int | None = None, executor: str | None = None
    ) -> RunSpec:
        """The spec of this run, ready to go on: in this folder, wherever it lies now.

        Args:
            base_url: Where the model server is now, if it has moved.
            workers: Processes that play the rest, if not as many as before.
            executor: Where they are, if not where they were.

        Raises:
            InputError: The folder holds no readable run.yaml, or there is no such executor.
        """
        spec = self.spec()
        now = {"base_url": base_url, "workers": workers, "executor": executor}
        changed = {key: value for key, value in now.items() if value is not None}
        return RunSpec.of({**spec.dump(), **changed}).model_copy(update={"out": self.path})

    def read(self) -> dict[str, Any]:
        """The manifest.

        Raises:
            InputError: The folder holds no readable run.yaml.
        """
        try:
            found = load_yaml(self.manifest.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            if self.manifest.is_file():
                fix = "restore it, or start the run anew in another folder"
                raise InputError("cannot be read as YAML.", file=str(self.manifest), fix=fix) from error
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
            if problem := self.blocked():
                raise problem
        harm, fix = "would write over each other's sessions", "end that process, or give each run a folder of its own"
        lock = FolderLock(self.path, what="run folder", harm=harm, fix=fix)
        try:
            yield
        finally:
            lock.release()

    def prepare(
        self, spec: RunSpec, servers: Mapping[str, Any], *, rehearsed: bool = False, force: bool = False
    ) -> Manifest:
        """Make the folder for a run, or check that it holds the same run and can be continued.

        Args:
            spec: What is to be run, its paths absolute.
            servers: What each model server says of itself.
            rehearsed: Whether rehearsal material goes into it.
            force: Go on in the folder of a run with another spec. Its finished sessions stay; what differs is added to
                the list `changed` of run.yaml.

        Returns:
            The manifest.

        Raises:
            InputError: The folder cannot be written, holds something else, or holds a run with another spec or of
                personas that have changed since.
        """
        if self.manifest.exists():
            found = self.read()
            differs = differences(found, self.spec(), spec)
            if not differs:
                return found
            if not force:
                raise self._refusal(spec, differs)
            manifest = changed(found, differs, spec, servers, rehearsed=rehearsed)
        else:
            manifest = new_manifest(spec, servers, rehearsed=rehearsed)
        with self._writing():
            self._check_free()
            for folder in (self.sessions, self.texts, self.journals):
                folder.mkdir(parents=True, exist_ok=True)
            draft = self.manifest.with_suffix(".part")
            draft.write_text(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True), encoding="utf-8")
            draft.replace(self.manifest)
        return manifest

    def _refusal(self, spec: RunSpec, differs: Differences) -> InputError:
        if differs.keys() == {PERSONAS}:
            problem = f"was started with other personas in {spec.personas}."
            fix = "put the personas back as they were, give another --out, or --force to go on with these"
        else:
            problem = f"holds a run with another spec:\n{told(differs)}\n"
            fix = "give another --out, the same spec to continue that run, or --force to go on in it with this one"
        return InputError(problem, file=str(self.path), fix=fix)

    def _check_free(self) -> None:
        if self.manifest.exists() or not self.path.exists():
            return
        if any(path.name not in {LOCK_FILE, _PROBE, FORK_FILE} for path in self.path.iterdir()):
            raise InputError("is not empty and holds no run.", file=str(self.path), fix="give another --out")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            fix = "make room, or give another --out" if error.errno in _FULL else "give a writable --out"
            raise InputError(f"cannot be written: {error}.", file=str(self.path), fix=fix) from error


def _logs_in(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.name.endswith(".jsonl"))
    yield from (folder / name for name in names)
