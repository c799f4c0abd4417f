"""The doctor: is everything here that a run needs, and if not, what to do."""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from counselgraph.errors import CounselgraphError, InfrastructureError
from counselgraph.memory.embed import load_embedder
from counselgraph.models.load import Models
from counselgraph.models.serving.preflight import Check, preflight
from counselgraph.models.serving.spec import ServerSpec
from counselgraph.runner.doctor_endpoint import examine_endpoint

_PACKAGES = ("counselgraph", "langgraph", "langchain-core", "langchain-openai", "chromadb", "pydantic")
_LEAST_FREE = 1 << 30
_LEAST_PYTHON = (3, 11)


async def examine(
    *, model: str, base_url: str | None, embedder: str, folder: Path, serve: ServerSpec | None = None
) -> list[Check]:
    """Look at everything a run needs.

    Args:
        model: Model whose endpoint should answer.
        base_url: Endpoint, if not the default.
        embedder: Embedder that should load.
        folder: Folder a run would be written to.
        serve: Server that should be ready to be started.
    """
    checks = [_python(), *map(_package, _PACKAGES)]
    checks.append(await asyncio.to_thread(_writable, folder))
    checks.append(_disk(folder))
    checks.append(await asyncio.to_thread(_attempt, f"embedder {embedder}", lambda: load_embedder(embedder).name))
    if serve is not None:
        checks += await asyncio.to_thread(preflight, serve)
    return [*checks, *await _model(model, base_url)]


def _python() -> Check:
    fine = sys.version_info[:2] >= _LEAST_PYTHON
    return Check("python", fine, platform.python_version(), "" if fine else "use Python 3.11 or newer")


def _package(name: str) -> Check:
    try:
        return Check(name, ok=True, found=version(name))
    except PackageNotFoundError:
        return Check(name, ok=False, found="not installed", fix=f"pip install {name}")


def _writable(folder: Path) -> Check:
    place = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=place):
            return Check(f"folder {folder}", ok=True, found=f"{place} can be written")
    except OSError as error:
        return Check(f"folder {folder}", ok=False, found=str(error), fix="give another --out, or mend its permissions")


def _disk(folder: Path) -> Check:
    place = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    fine = free >= _LEAST_FREE
    return Check("free disk", fine, f"{free / (1 << 30):.1f} GiB", "" if fine else "make room: less than 1 GiB is left")


def _attempt(what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(what, ok=True, found=look())
    except CounselgraphError as error:
        return Check(what, ok=False, found=str(error), fix="see the message")


async def _model(model: str, base_url: str | None) -> list[Check]:
    async with Models(base_url) as models:
        try:
            asked = await models.aget(model)
            found = await models.describe(model)
        except CounselgraphError as error:
            unreached = isinstance(error, InfrastructureError)
            fix = "start the server, or give --base-url" if unreached else "give another --model; see the message"
            return [Check(f"model {model}", ok=False, found=str(error), fix=fix)]
        there = Check(f"model {model}", ok=True, found=", ".join(f"{key} {value}" for key, value in found.items()))
        return [there, *await examine_endpoint(asked, found)] if "served" in found else [there]
