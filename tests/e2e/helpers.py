"""counselgraph from outside: its command in a process of its own, and a model server in a thread of this one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from counselgraph.personas import Persona, dump_persona
from counselgraph.runner.log import SessionRecord, read_run
from counselgraph.testing import sample_persona
from tests.fakes.openai_server import FakeOpenAI

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMMAND = BIN / "counselgraph"
_FOREIGN = ("OPENAI_", "VLLM_", "LANGSMITH_", "LANGCHAIN_", "COUNSELGRAPH_")


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has set nothing up, `more` added."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return {**own, "COLUMNS": "120", "PATH": f"{BIN}{os.pathsep}{own['PATH']}", **more}


def counselgraph(
    *arguments: object, cwd: Path, env: Mapping[str, str] | None = None, said: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for it; `said` is what it reads from standard input."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**(env or {})),
        input=said or "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Start the command and do not wait for it."""
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(result: subprocess.CompletedProcess[str], *named: str, code: int = 2) -> None:
    """Check that the command failed with one clear message that names what it should, and no traceback."""
    told = result.stdout + result.stderr
    assert result.returncode == code, told
    assert "Traceback" not in told
    for words in named:
        assert words in result.stderr, f"{words!r} is missing in: {result.stderr}"


@contextmanager
def serving(server: FakeOpenAI) -> Iterator[FakeOpenAI]:
    """Serve from a thread, so that the test can wait for a process meanwhile."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def fake_flags(server: FakeOpenAI) -> tuple[str, ...]:
    """Flags that let every role think with the fake server."""
    return ("--model", "vllm/fake", "--base-url", server.base_url)


def transcripts(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Session id to its turns as (role, text)."""
    return {record.id: said_in(record) for record in read_run(folder)}


def said_in(record: SessionRecord) -> list[tuple[str, str]]:
    return [(turn["role"], turn["text"]) for turn in record.turns]


def clients(count: int) -> list[Persona]:
    """The sample client under as many names as asked for."""
    return [
        sample_persona().model_copy(update={"id": f"client-{number:02d}", "name": f"Robin Vale {number}"})
        for number in range(1, count + 1)
    ]


def write_clients(folder: Path, count: int) -> Path:
    """A folder of persona files."""
    folder.mkdir()
    for persona in clients(count):
        (folder / f"{persona.id}.yaml").write_text(dump_persona(persona), encoding="utf-8")
    return folder


def intake_record(name: str = "Jo Marsh", attitude: str = "neutral", **more: object) -> dict[str, object]:
    """A record in the shape of Cactus, in words of our own."""
    form = (
        f"Name:\n{name}\nAge:\n29\nGender:\nfemale\nOccupation: Baker\n\n"
        "1. Presenting Problem\nI check the ovens again and again and come home late.\n\n"
        "2. Reason for Seeking Counseling\nI am tired of checking.\n"
    )
    return {"AI_client": {"intake_form": form, "attitude": attitude}, **more}


def write_json(file: Path, content: object) -> Path:
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def manifest(folder: Path) -> dict[str, object]:
    """What a run wrote down about itself."""
    found: dict[str, object] = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    return found
