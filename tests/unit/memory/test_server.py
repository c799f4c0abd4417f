from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.memory import MemoryRecord, MemoryStore
from counselgraph.memory.connect import is_url, place_of
from counselgraph.memory.lexical import LexicalEmbedder
from counselgraph.memory.server import serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RecordMaker = Callable[..., MemoryRecord]
PythonRunner = Callable[..., subprocess.CompletedProcess[str]]

WRITE = """
import sys
from counselgraph.memory import Kind, MemoryRecord, MemoryStore
url, client, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with MemoryStore.open(url) as store:
    for number in range(count):
        record = MemoryRecord(owner="o", client_id=client, kind=Kind.FACT, text=f"{client} {number}", session="s")
        store.remember([record])
        assert record in store.recall(owner="o", client_id=client, query=record.text, k=1)
"""

SERVE = """
import sys, time
from pathlib import Path
from counselgraph.memory.server import serving
with serving(Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(60)
"""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def gone(url: str) -> bool:
    deadline = time.monotonic() + 10
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not answers(url)


def test_what_a_server_was_told_is_in_its_folder(tmp_path: Path, record: RecordMaker) -> None:
    with serving(tmp_path / "deep" / "memory") as url, MemoryStore.open(url) as store:
        store.remember([record()])
    assert gone(url)
    with MemoryStore.open(tmp_path / "deep" / "memory") as store:
        assert store.history(owner="counselor", client_id="mina") == (record(),)
    with serving(tmp_path / "deep" / "memory") as url, MemoryStore.open(url) as store:
        assert store.history(owner="counselor", client_id="mina") == (record(),)


def test_a_server_listens_on_this_machine_alone(server: str) -> None:
    assert server.startswith("http://127.0.0.1:")
    if not Path("/proc/net/tcp").exists():
        pytest.skip("this system does not list its sockets")
    port = f":{int(server.rpartition(':')[2]):04X}"
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    listening = {line[1] for line in lines if line[3] == "0A" and line[1].endswith(port)}
    assert listening == {f"0100007F{port}"}


def test_processes_share_a_server(server: str, run_python: PythonRunner) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda client: run_python(WRITE, server, client, 20), ("ann", "ben")))
    assert [(one.returncode, one.stderr) for one in done] == [(0, ""), (0, "")]
    with MemoryStore.open(server) as store:
        assert [len(store.history(owner="o", client_id=client)) for client in ("ann", "ben")] == [20, 20]


def test_a_served_folder_is_refused_to_others_until_the_server_ends(tmp_path: Path) -> None:
    with serving(tmp_path), pytest.raises(ConfigError, match=r"already open in process \d+.*Fix: .*serve the folder"):
        MemoryStore.open(tmp_path)
    MemoryStore.open(tmp_path).close()


def test_a_folder_in_use_is_not_served(tmp_path: Path) -> None:
    refused = pytest.raises(ConfigError, match=f"already open in process {os.getpid()}")
    with MemoryStore.open(tmp_path), refused, serving(tmp_path, patience_s=0):
        pass


def test_a_server_waits_for_a_folder_that_is_let_go(tmp_path: Path, record: RecordMaker) -> None:
    leftover = MemoryStore.open(tmp_path)
    leftover.remember([record()])
    threading.Timer(0.5, leftover.close).start()
    with serving(tmp_path) as url, MemoryStore.open(url) as store:
        assert store.sessions("mina") == 1


def test_a_file_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(ConfigError, match=r"cannot be made.*Fix:"), serving(tmp_path / "file"):
        pass


def test_a_damaged_database_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(InfrastructureError, match="memory server did not start"), serving(tmp_path):
        pass


def free(folder: Path) -> bool:
    """Whether a folder can be opened within some seconds: the port of a dying server closes before its files do."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(ConfigError):
            MemoryStore.open(folder).close()
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert answers(url)
        process.kill()
    assert gone(url)
    assert free(tmp_path)


def test_nobody_at_an_address_is_an_infrastructure_error() -> None:
    with pytest.raises(InfrastructureError, match=r"memory server 'http://127.0.0.1:9' failed: Could not connect"):
        MemoryStore.open("http://127.0.0.1:9")


def test_a_server_that_goes_away_is_an_infrastructure_error(tmp_path: Path, record: RecordMaker) -> None:
    with contextlib.ExitStack() as serve:
        url = serve.enter_context(serving(tmp_path))
        store = MemoryStore.open(url)
        serve.close()
        with store, pytest.raises(InfrastructureError, match=r"memory server .* failed"):
            store.remember([record()])


def test_another_embedder_is_refused_by_name_on_a_server_too(empty_server: str) -> None:
    MemoryStore.open(empty_server).close()
    with pytest.raises(ConfigError, match=r"memory server .*'lexical-v1-512', not 'lexical-v1-128'.*another server"):
        MemoryStore.open(empty_server, embedder=LexicalEmbedder(128))


def test_many_users_make_the_collection_once(empty_server: str, run_python: PythonRunner) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda client: run_python(WRITE, empty_server, client, 1), ("a", "b", "c")))
    assert [one.stderr for one in done] == ["", "", ""]


def test_a_server_on_this_machine_is_reached_past_a_proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with MemoryStore.open(server) as store:
        assert store.sessions("nobody") == 0
    assert "NO_PROXY" not in os.environ


@pytest.mark.parametrize(
    ("url", "message"), [("http://me:secret@host:1", "carries a password"), ("http://", "has no host")]
)
def test_a_url_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        MemoryStore.open(url)
    assert "secret" not in str(refusal.value)


def test_a_place_is_a_url_or_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of("http://127.0.0.1:8000/") == "http://127.0.0.1:8000"
    assert place_of("kept") == place_of(Path("kept")) == tmp_path.resolve() / "kept"
    assert not is_url(Path("http://x"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), min_size=3))
def test_a_server_recalls_what_a_folder_recalls(
    tmp_path_factory: pytest.TempPathFactory, server: str, record: RecordMaker, texts: list[str]
) -> None:
    records = [record(text, exchange=number) for number, text in enumerate(texts)]
    found = []
    for place in (tmp_path_factory.mktemp("folder"), server):
        with MemoryStore.open(place) as store:
            store.forget("mina")
            store.remember(records)
            found.append([store.recall(owner="counselor", client_id="mina", query=text, k=50) for text in texts])
    assert found[0] == found[1]


async def test_a_server_leaves_the_event_loop_free(empty_server: str, record: RecordMaker) -> None:
    from blockbuster import blockbuster_ctx

    with MemoryStore.open(empty_server) as store, blockbuster_ctx():
        await store.aremember([record()])
        assert await store.arecall(owner="counselor", client_id="mina", query="exams") == (record(),)
        assert await store.asessions("mina") == 1
