from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from counselgraph.errors import ConfigError
from counselgraph.models.transport import Transport, decode, encode
from counselgraph.models.wire import ReplyError, StatusError, TransportError
from tests.fakes.openai_server import FakeOpenAI, Fault

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

BODY = {"model": "fake", "messages": [{"role": "user", "content": "What brings you here?"}]}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def connected(base_url: str) -> AsyncIterator[Transport]:
    transport = Transport(base_url, "key")
    try:
        yield transport
    finally:
        await transport.aclose()


@pytest.mark.parametrize("body", [{"a": "I \ud83d"}, {"a": 2**70}, {"a": ("b", {"c": 1.5})}, {1: "a"}])
def test_what_goes_out_is_json_whatever_is_in_it(body: dict[str, object]) -> None:
    assert decode(encode(body)) == {str(key): list(v) if isinstance(v, tuple) else v for key, v in body.items()}


def test_what_is_no_json_is_refused_with_its_beginning() -> None:
    with pytest.raises(ReplyError, match="not JSON: <html>gateway"):
        decode(b"<html>gateway</html>" * 50)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.DISCONNECT, TransportError),
        (Fault.CUT_BODY, TransportError),
        (Fault.CUT_JSON, ReplyError),
        (Fault.NOT_JSON, ReplyError),
        (Fault.SERVER_ERROR, StatusError),
        (Fault.REDIRECT, StatusError),
    ],
)
async def test_every_failure_has_its_type(fault: Fault, kind: type[Exception]) -> None:
    async with FakeOpenAI(always=fault) as server, connected(server.base_url) as transport:
        with pytest.raises(kind):
            await transport.send(BODY)


async def test_a_refusal_carries_status_words_and_headers() -> None:
    server = FakeOpenAI(always=Fault.RATE_LIMITED, retry_after_s=3)
    async with server, connected(server.base_url) as transport:
        with pytest.raises(StatusError, match="slow down") as caught:
            await transport.send(BODY)
    assert (caught.value.status_code, caught.value.headers["Retry-After"]) == (429, "3")


@pytest.mark.parametrize(
    ("told", "words"),
    [('{"detail": "Not Found"}', "Not Found"), ('{"message": "too big"}', "too big"), ("<b>no</b>", "<b>no</b>")],
)
async def test_every_way_to_say_what_is_wrong_is_understood(told: str, words: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=400, text=told)

    async with served(refuse) as base_url, connected(base_url) as transport:
        with pytest.raises(StatusError) as caught:
            await transport.send(BODY)
    assert str(caught.value) == words


async def test_a_stream_is_yielded_chunk_by_chunk() -> None:
    async with FakeOpenAI() as server, connected(server.base_url) as transport:
        chunks = [chunk async for chunk in transport.stream(BODY | {"stream": True})]
    assert len(chunks) > 10
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ('data: {"choices": [{"delta": {"content": "I"}}]}\n\n', TransportError),
        ('data: {"choices": [{"delta": {"con\n\n', ReplyError),
        ('data: {"error": {"message": "the engine died", "code": 503}}\n\n', StatusError),
        ("data: 7\n\n", ReplyError),
        (": nothing\n\ndata: [DONE]\n\n", TransportError),
    ],
)
async def test_a_stream_that_breaks_off_is_no_answer(lines: str, kind: type[Exception]) -> None:
    async def begin(_: web.Request) -> web.Response:
        return web.Response(text=lines, content_type="text/event-stream")

    async with served(begin) as base_url, connected(base_url) as transport:
        with pytest.raises(kind):
            async for _ in transport.stream(BODY):
                pass


async def test_credentials_in_an_address_win_over_the_key() -> None:
    async with FakeOpenAI() as server:
        for address in (server.base_url, server.base_url.replace("//", "//us%40er:secret@")):
            async with connected(address) as transport:
                await transport.send(BODY)
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer key", "Basic dXNAZXI6c2VjcmV0"]


async def test_what_is_not_for_this_machine_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeOpenAI() as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{proxy.port}")
        async with connected("http://model.example/v1") as transport:
            assert (await transport.send(BODY))["choices"]
    headers = proxy.requests[0].headers
    assert headers["Host"] == "model.example"
    assert headers["Proxy-Authorization"] == "Basic bWU6c2VjcmV0"
    assert headers["Authorization"] == "Bearer key"


async def test_the_key_is_never_for_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        async with connected("https://model.example/v1") as transport:
            with pytest.raises(TransportError):
                await transport.send(BODY)
    assert told[0].startswith(b"CONNECT model.example:443")
    assert b"key" not in told[0]


async def test_no_proxy_is_respected_and_an_unknown_kind_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"socks5://127\.0\.0\.1:1 for http://model\.example/v1 is no HTTP proxy"):
        Transport("http://model.example/v1", "key")
    monkeypatch.setenv("no_proxy", "model.example")
    async with connected("http://model.example/v1"):
        pass


async def test_calls_are_not_held_back_by_the_number_of_connections() -> None:
    async with FakeOpenAI(latency_s=0.3) as server, connected(server.base_url) as transport:
        await asyncio.gather(*(transport.send(BODY) for _ in range(110)))
    assert server.most_in_flight == 110


async def test_a_list_of_models_in_another_shape_is_no_list() -> None:
    async def told(_: web.Request) -> web.Response:
        return web.json_response({"data": ["fake"]})

    async with served(told) as base_url, connected(base_url) as transport:
        with pytest.raises(ReplyError, match="unknown shape"):
            await transport.models()


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/v1/{rest:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
