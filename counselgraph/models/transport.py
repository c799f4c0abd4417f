"""HTTP to one server over aiohttp, JSON by orjson. Imports aiohttp: import it in a thread, when it is needed."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from counselgraph.errors import ConfigError
from counselgraph.models.wire import ReplyError, StatusError, TransportError, is_loopback, public

_KEEPALIVE_S = 60.0
_REDIRECT = 300
_SHOWN_CHARACTERS = 200


class Transport:
    """Connections to one server; belongs to the event loop it was made in.

    It opens as many connections as there are calls: the limit is the caller's. It sets no deadline and tries nothing
    twice, for the same reason.

    Args:
        base_url: Address, up to and including the version; credentials in it win over the key.
        api_key: Key of the server.

    Raises:
        ConfigError: The environment names a proxy that is no HTTP proxy.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        address = public(base_url).rstrip("/")
        self._completions = f"{address}/chat/completions"
        self._models = f"{address}/models"
        self._proxy = _proxy_for(base_url)
        # With every request and not once for the session: aiohttp sends a session's headers, the key too, to a proxy.
        self._headers = {
            "Authorization": _basic(base_url) or f"Bearer {api_key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "counselgraph",
        }
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )

    async def send(self, body: Mapping[str, Any]) -> Any:
        """Ask for a chat completion and return what came back, parsed.

        Raises:
            TransportError: No whole answer came.
            StatusError: The server refused or failed.
            ReplyError: The answer was not JSON.
        """
        return decode(await self._exchange("POST", self._completions, encode(body)))

    async def stream(self, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Ask for a chat completion in pieces and yield each chunk as it comes; errors as for `send`.

        A stream that ends before the model has finished is a TransportError.
        """
        finished = False
        try:
            async with self._request("POST", self._completions, encode(body)) as response:
                if response.status >= _REDIRECT:
                    raise _refusal(response, await response.read())
                async for line in response.content:
                    chunk = _chunk(line)
                    if chunk is not None:
                        finished = finished or _is_last(chunk)
                        yield chunk
        except aiohttp.ClientError as error:
            raise TransportError(_said(error)) from error
        if not finished:
            raise TransportError("the stream ended before the answer did")

    async def models(self) -> list[dict[str, Any]]:
        """What the server says it serves; errors as for `send`."""
        page = decode(await self._exchange("GET", self._models, None))
        entries = page.get("data") if isinstance(page, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) and "id" in entry for entry in entries):
            raise ReplyError("the list of models has an unknown shape")
        return entries

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _exchange(self, method: str, url: str, body: bytes | None) -> bytes:
        try:
            async with self._request(method, url, body) as response:
                raw: bytes = await response.read()
        except aiohttp.ClientError as error:
            raise TransportError(_said(error)) from error
        if response.status >= _REDIRECT:
            raise _refusal(response, raw)
        return raw

    def _request(
        self, method: str, url: str, body: bytes | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        # No redirects: what is meant for one address should not go to another that nobody named.
        return self._session.request(
            method, url, data=body, headers=self._headers, proxy=self._proxy, allow_redirects=False
        )


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON. Half a surrogate pair and integers beyond 64 bits, which orjson refuses, are escaped or kept by `json`."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body).encode()


def decode(raw: bytes) -> Any:
    """The value of a JSON text; half a surrogate pair is let through, as some servers send it.

    Raises:
        ReplyError: It is not JSON.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            return json.loads(raw)
        except ValueError as error:
            raise ReplyError(f"the reply was not JSON: {_excerpt(raw)}") from error


def _chunk(line: bytes) -> dict[str, Any] | None:
    """What a line of a stream carries; None for blank lines, comments and the end mark."""
    if not line.startswith(b"data:"):
        return None
    data = line[len(b"data:") :].strip()
    if data == b"[DONE]":
        return None
    chunk = decode(data)
    if not isinstance(chunk, dict):
        raise ReplyError(f"a chunk has an unknown shape: {_excerpt(data)}")
    problem = chunk.get("error")
    if problem:
        body = problem if isinstance(problem, dict) else {"message": str(problem)}
        code = body.get("code")
        raise StatusError(code if isinstance(code, int) else 500, body, {})
    return chunk


def _is_last(chunk: dict[str, Any]) -> bool:
    choices = chunk.get("choices") or [{}]
    return choices[0].get("finish_reason") is not None


def _refusal(response: aiohttp.ClientResponse, raw: bytes) -> StatusError:
    if "Location" in response.headers:
        body = {"message": f"the server sends on to {response.headers['Location']}; give that address"}
        return StatusError(response.status, body, response.headers)
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        told = _excerpt(raw)
    if isinstance(told, dict):
        told = told.get("error") or told.get("detail") or told
    return StatusError(response.status, told if isinstance(told, dict) else {"message": str(told)}, response.headers)


def _proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for an address, credentials included."""
    parts = urlsplit(base_url)
    if is_loopback(base_url) or proxy_bypass(parts.hostname or ""):
        return None
    known = getproxies()
    proxy = known.get(parts.scheme) or known.get("all")
    if proxy and not proxy.startswith(("http://", "https://")):
        raise ConfigError(f"The proxy {public(proxy)} for {public(base_url)} is no HTTP proxy; use client `stock`.")
    return proxy


def _basic(address: str) -> str | None:
    """The header for credentials that stand in an address."""
    parts = urlsplit(address)
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _said(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}"
    return str(error) or type(error).__name__


def _excerpt(raw: bytes) -> str:
    return " ".join(raw[:_SHOWN_CHARACTERS].decode(errors="replace").split())
