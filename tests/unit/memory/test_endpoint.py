"""The embedder of an OpenAI-compatible server, against a server of these tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.memory import MemoryRecord, MemoryStore, endpoint, load_embedder
from counselgraph.memory.endpoint import KEY, EndpointEmbedder

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

RecordMaker = Callable[..., MemoryRecord]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def vector(text: str) -> list[float]:
    return [float(text.casefold().count(letter)) for letter in LETTERS]


@dataclass
class FakeServer:
    """What it was asked, and what it is to answer instead of embeddings."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    fake = FakeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append(asked)
            fake.keys.append(self.headers["Authorization"])
            items = [{"index": n, "embedding": vector(text)} for n, text in enumerate(asked["input"])]
            status, body = fake.refusals.pop(0) if fake.refusals else (200, json.dumps({"data": items[::-1]}))
            self.send_response(status if self.path == "/v1/embeddings" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

    monkeypatch.setattr(endpoint, "_PAUSE_S", 0.001)
    monkeypatch.delenv(KEY, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        fake.url = f"http://127.0.0.1:{serving.server_port}/v1"
        yield fake
        serving.shutdown()
        thread.join()


def test_texts_become_unit_vectors_in_their_order(server: FakeServer) -> None:
    embed = load_embedder(f"endpoint:org/letters:v2@{server.url}/")
    assert server.asked == []
    vectors = embed(["ab", "bbb", "?"])
    assert embed.name == "endpoint-v1-org/letters:v2"
    assert server.asked == [{"model": "org/letters:v2", "input": ["ab", "bbb", "?"]}]
    assert np.allclose(vectors[:2, :2], np.array([[0.5**0.5, 0.5**0.5], [0.0, 1.0]]))
    assert vectors[2].tolist() == [0.0] * 26
    assert embed([]).shape[0] == 0


def test_many_texts_go_in_several_requests(server: FakeServer) -> None:
    assert EndpointEmbedder("m", server.url)(["a" * n for n in range(1, 131)]).shape == (130, 26)
    assert [len(asked["input"]) for asked in server.asked] == [64, 64, 2]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_tried_again(server: FakeServer, status: int) -> None:
    server.refusals = [(status, "busy")] * 2
    assert EndpointEmbedder("m", server.url)(["a"]).shape == (1, 26)
    assert len(server.asked) == 3


def test_a_refusal_that_does_not_pass_is_named(server: FakeServer) -> None:
    server.refusals = [(503, "busy")] * 3
    with pytest.raises(InfrastructureError, match=r"failed after 3 tries \(503\): busy"):
        EndpointEmbedder("m", server.url)(["a"])
    server.refusals = [(401, "who are you")]
    with pytest.raises(InfrastructureError, match=r"failed after 1 tries \(401\): who are you"):
        EndpointEmbedder("m", server.url)(["a"])


@pytest.mark.parametrize(
    "body", ["no json", "{}", '{"data": [{"index": 0}]}', '{"data": []}', '{"data": [{"index": 0, "embedding": 3}]}']
)
def test_an_answer_that_is_no_embedding_is_named(server: FakeServer, body: str) -> None:
    server.refusals = [(200, body)]
    with pytest.raises(InfrastructureError, match=r"embedding server .* answered"):
        EndpointEmbedder("m", server.url)(["a"])


def test_nobody_at_an_address_is_an_infrastructure_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_PAUSE_S", 0.001)
    with pytest.raises(InfrastructureError, match="failed after 3 tries"):
        EndpointEmbedder("m", "http://127.0.0.1:9/v1")(["a"])


def test_the_key_comes_from_the_environment_and_the_proxy_does_not(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "k-123")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    EndpointEmbedder("m", server.url)(["a"])
    assert server.keys == ["Bearer k-123"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("endpoint", "needs a model and a URL"),
        ("endpoint:m", "needs a model and a URL"),
        ("endpoint:@http://h/v1", "needs a model and a URL"),
        ("endpoint:m@http://", "is no URL"),
        ("endpoint:m@http://me:secret@h/v1", "carries a password"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        load_embedder(name)
    assert "secret" not in str(refusal.value)


def test_a_store_recalls_by_the_vectors_of_a_server(server: FakeServer, tmp_path: Path, record: RecordMaker) -> None:
    embed = load_embedder(f"endpoint:letters@{server.url}")
    with MemoryStore.open(tmp_path, embedder=embed) as store:
        store.remember([record("aaa"), record("bbb")])
        found = store.recall(owner="counselor", client_id="mina", query="b a b b", k=1)
    assert [item.text for item in found] == ["bbb"]
    with pytest.raises(ConfigError, match="made with the embedder 'endpoint-v1-letters'"):
        MemoryStore.open(tmp_path)
