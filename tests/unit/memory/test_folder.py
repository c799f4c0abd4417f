from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.memory import MemoryRecord, MemoryStore
from counselgraph.memory.lexical import LexicalEmbedder

RecordMaker = Callable[..., MemoryRecord]
PythonRunner = Callable[..., subprocess.CompletedProcess[str]]

HOLD = """
import sys
from counselgraph.memory import MemoryStore
store = MemoryStore.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has `tmp_path` open."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def open_files(folder: Path) -> list[str]:
    targets = []
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # The one that lists the folder is gone by now.
            targets.append(str(descriptor.readlink()))
    return [target for target in targets if target.startswith(str(folder))]


def test_memories_outlive_the_store(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path / "deep" / "down") as store:
        store.remember([record()])
    with MemoryStore.open(str(tmp_path / "deep" / "down")) as store:
        assert store.recall(owner="counselor", client_id="mina", query="exams") == (record(),)


def test_another_embedder_is_refused_by_name(tmp_path: Path) -> None:
    MemoryStore.open(tmp_path).close()
    for _ in range(2):  # A refusal leaves the folder free.
        with pytest.raises(ConfigError, match=r"'lexical-v1-512', not 'lexical-v1-128'.*Fix: use"):
            MemoryStore.open(tmp_path, embedder=LexicalEmbedder(128))
    with MemoryStore.open(tmp_path), pytest.raises(ConfigError, match="lexical-v1-128"):
        MemoryStore.open(tmp_path, embedder=LexicalEmbedder(128))
    MemoryStore.open(tmp_path).close()


def test_stores_of_one_process_share_a_folder_until_the_last_closes(tmp_path: Path, record: RecordMaker) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    first = MemoryStore.open(tmp_path / "real")
    second = MemoryStore.open(tmp_path / "link")
    first.remember([record()])
    first.close()
    assert second.history(owner="counselor", client_id="mina") == (record(),)
    second.close()


def test_closing_frees_every_file(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path) as store:
        store.remember([record()])
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not list open files")
    deadline = time.monotonic() + 10  # Chroma's pool lets its connections go in the background.
    while open_files(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert open_files(tmp_path) == []


def test_a_folder_open_in_another_process_is_refused(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(ConfigError, match=f"already open in process {holder.pid}.*Fix: "):
        MemoryStore.open(tmp_path)


def test_a_folder_is_free_when_its_process_ends(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.communicate("", timeout=30)
    MemoryStore.open(tmp_path).close()


def test_a_folder_is_free_when_its_process_is_killed(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait(30)
    MemoryStore.open(tmp_path).close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_is_refused_instead_of_hanging(tmp_path: Path, run_python: PythonRunner) -> None:
    script = """
import os, sys, warnings
from counselgraph.errors import ConfigError
from counselgraph.memory import MemoryStore
store = MemoryStore.open(sys.argv[1])
warnings.simplefilter("ignore", DeprecationWarning)
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
refused = 0
for call in (lambda: store.sessions("mina"), lambda: MemoryStore.open(sys.argv[1])):
    try:
        call()
    except ConfigError:
        refused += 1
os._exit(0 if refused == 2 else 1)
"""
    assert run_python(script, tmp_path).returncode == 0


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match=r"cannot be made.*not a file"):
            MemoryStore.open(path)


def test_a_folder_that_cannot_be_written_is_refused(run_python: PythonRunner) -> None:
    script = """
import os, sys, chromadb
from counselgraph.errors import ConfigError
from counselgraph.memory import MemoryStore
if os.getuid() == 0:
    os.setuid(65534)
for path in sys.argv[1:]:
    try:
        MemoryStore.open(path)
    except ConfigError as error:
        print(error)
"""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        lines = run_python(script, folder, folder / "new").stdout.splitlines()
    finally:
        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)
    assert len(lines) == 2
    assert "is not writable" in lines[0]
    assert "cannot be made" in lines[1]


def test_a_damaged_database_is_an_infrastructure_error(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    for _ in range(2):
        with pytest.raises(InfrastructureError, match=r"memory store in .* failed"):
            MemoryStore.open(tmp_path)


def test_a_database_that_disappears_is_an_infrastructure_error(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path / "memory") as store:
        store.remember([record()])
        shutil.rmtree(tmp_path / "memory")
        with pytest.raises(InfrastructureError, match=r"memory store in .* failed"):
            store.remember([record("Another.")])


def test_importing_the_package_does_not_import_chroma(run_python: PythonRunner) -> None:
    script = "import sys, counselgraph.memory; print([m for m in sys.modules if m in {'chromadb', 'onnxruntime'}])"
    assert run_python(script).stdout == "[]\n"


@pytest.mark.usefixtures("socket_disabled")
def test_a_store_needs_no_socket(tmp_path: Path, record: RecordMaker) -> None:
    with MemoryStore.open(tmp_path) as store:
        store.remember([record()])
        assert store.recall(owner="counselor", client_id="mina", query="exams") == (record(),)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_store_stays_local_even_if_the_environment_names_a_server(tmp_path: Path, run_python: PythonRunner) -> None:
    script = """
import sys
from counselgraph.memory import Kind, MemoryRecord, MemoryStore
with MemoryStore.open(sys.argv[1]) as store:
    store.remember([MemoryRecord(owner="o", client_id="c", kind=Kind.FACT, text="t", session="s")])
    assert store.recall(owner="o", client_id="c", query="t")
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        elsewhere = {
            "CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI",
            "CHROMA_SERVER_HOST": "127.0.0.1",
            "CHROMA_SERVER_HTTP_PORT": str(server.getsockname()[1]),
            "CHROMA_OTEL_COLLECTION_ENDPOINT": f"http://127.0.0.1:{server.getsockname()[1]}",
            "CHROMA_OTEL_GRANULARITY": "all",
            "ANONYMIZED_TELEMETRY": "true",
        }
        (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in elsewhere.items()))
        done = run_python(script, "memory", cwd=tmp_path, env=os.environ | elsewhere | {"PYTHONPATH": str(Path.cwd())})
        assert (done.returncode, done.stderr) == (0, "")
        with pytest.raises(TimeoutError):
            server.accept()
