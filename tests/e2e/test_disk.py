"""Disks that are full or read-only, for real: small file systems mounted where only the test sees them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from counselgraph.runner.log import has_ended
from tests.e2e.helpers import COMMAND, counselgraph, environment, fake_flags, serving, transcripts, write_clients
from tests.fakes.openai_server import FakeOpenAI

SESSIONS, IN_FLIGHT = 40, 4
FLAGS = (
    "--personas", "people", "--seed", "5", "--max-exchanges", "4", "--concurrency", str(IN_FLIGHT), "--display", "none",
)  # fmt: skip


def mounts() -> bool:
    """Whether a process may have a mount namespace of its own here."""
    unshare = shutil.which("unshare")
    probe = "mkdir disk && mount -t tmpfs -o size=1m none disk && mount -o remount,size=2m disk"
    if unshare is None:
        return False
    place = subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip()
    found = subprocess.run([unshare, "-rm", "sh", "-c", probe], cwd=place, capture_output=True, check=False)
    shutil.rmtree(place)
    return found.returncode == 0


pytestmark = pytest.mark.skipif(not mounts(), reason="this system lets nobody mount a file system of their own")


@dataclass(frozen=True)
class Unbroken:
    """What the run comes to where there is room."""

    transcripts: dict[str, list[tuple[str, str]]]
    calls: int


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    place = tmp_path_factory.mktemp("unbroken")
    write_clients(place / "people", SESSIONS)
    with serving(FakeOpenAI()) as server:
        result = counselgraph("run", *FLAGS, "--out", "out", *fake_flags(server), cwd=place)
    assert result.returncode == 0, result.stderr
    return Unbroken(transcripts(place / "out"), server.calls)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_clients(tmp_path / "people", SESSIONS)
    (tmp_path / "disk").mkdir()
    return tmp_path


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with serving(FakeOpenAI()) as server:
        yield server


def on_own_disk(place: Path, size: str, *steps: str) -> dict[str, tuple[int, str]]:
    """Run steps in a shell with a file system of this size at `disk`; each command's exit code and errors."""
    script = "\n".join([f"mount -t tmpfs -o size={size} none disk", *steps, "cp -r disk kept"])
    shell = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=place, env=environment(), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert shell.returncode == 0, shell.stderr
    return {file.stem: (int(file.read_text()), file.with_suffix(".told").read_text()) for file in place.glob("*.code")}


def step(name: str, *arguments: object) -> str:
    """A shell line that runs counselgraph and keeps its exit code and what it says."""
    return f"{COMMAND} {' '.join(map(str, arguments))} > {name}.said 2> {name}.told < /dev/null; echo $? > {name}.code"


def complaint(told: str) -> str:
    """The one line of an error; anything else beside it would be noise."""
    lines = [line for line in told.splitlines() if not line.startswith("notice:")]
    assert len(lines) == 1, told
    return lines[0]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "memory"), [("400k", "none"), ("1500k", "run"), ("2000k", "run")])
def test_a_full_disk_stops_the_run_and_resume_completes_it(
    place: Path, unbroken: Unbroken, server: FakeOpenAI, size: str, memory: str
) -> None:
    told = on_own_disk(
        place, size,
        step("full", "run", *FLAGS, "--memory", memory, "--out", "disk/out", *fake_flags(server)),
        "mount -o remount,size=100m disk",
        "cp -r disk/out broken",
        step("again", "resume", "disk/out", "--display", "none"),
    )  # fmt: skip
    code, error = told["full"]
    assert code == 1, told
    assert complaint(error).startswith("error: disk/out: nothing more can be written (No space left on device)")
    assert "Fix: make room" in error
    assert "counselgraph resume disk/out" in error
    assert sum(map(has_ended, (place / "broken/sessions").iterdir())) < SESSIONS
    assert told["again"] == (0, ""), told
    assert transcripts(place / "kept/out") == unbroken.transcripts
    summary = json.loads((place / "kept/out/summary.json").read_text())
    assert (sum(summary["stops"].values()), summary["failed"], summary["unfinished"]) == (SESSIONS, {}, 0)
    assert server.calls <= unbroken.calls + 2 * IN_FLIGHT  # nothing was asked whose answer was already kept


@pytest.mark.slow
def test_a_full_disk_asks_no_model_for_what_cannot_be_kept(place: Path, server: FakeOpenAI, unbroken: Unbroken) -> None:
    told = on_own_disk(
        place, "400k", step("full", "run", *FLAGS, "--memory", "none", "--out", "disk/out", *fake_flags(server))
    )
    assert told["full"][0] == 1
    assert server.calls < unbroken.calls / 2


def test_a_disk_without_room_for_the_start_is_named_with_a_fix(place: Path, server: FakeOpenAI) -> None:
    told = on_own_disk(
        place, "64k", "head -c 64k /dev/zero > disk/filler",
        step("full", "run", *FLAGS, "--out", "disk/out", *fake_flags(server)),
    )  # fmt: skip
    code, error = told["full"]
    assert code == 2, told
    assert complaint(error).startswith("error: disk/out: cannot be written: [Errno 28] No space left on device")
    assert "Fix: make room" in error
    assert server.calls == 0


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_read_only_folder_is_named_with_a_fix_and_no_model_is_asked(
    place: Path, server: FakeOpenAI, command: str
) -> None:
    few = (*FLAGS, "--limit", "3", "--memory", "none", "--out", "disk/out", *fake_flags(server))
    told = on_own_disk(
        place, "20m",
        *((step("before", "run", *few),) if command == "resume" else ()),
        "mount -o remount,ro disk",
        step("denied", *(("run", *few) if command == "run" else ("resume", "disk/out"))),
    )  # fmt: skip
    code, error = told["denied"]
    assert code == 2, told
    assert "disk/out" in complaint(error)
    assert "Read-only file system" in error
    assert "Fix:" in error
    if command == "run":
        assert server.calls == 0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("played")
    made = counselgraph("run", "--replicates", 8, "--limit", 4, "--memory", "none", "--out", "run", cwd=place)
    assert made.returncode == 0, made.stderr
    return place / "run"


@pytest.mark.parametrize("to", ["jsonl", "parquet"])
def test_an_export_that_does_not_fit_leaves_the_file_that_was_there(place: Path, played: Path, to: str) -> None:
    told = on_own_disk(
        place, "32k", "echo before > disk/all",
        step("full", "export", played, "--to", to, "--out", "disk/all"),
    )  # fmt: skip
    code, error = told["full"]
    assert code == 2, told
    assert "disk/all" in complaint(error)
    assert "No space left on device" in error
    assert "Fix: make room" in error
    assert [(file.name, file.read_text()) for file in (place / "kept").iterdir()] == [("all", "before\n")]
