from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import ConfigError, InfrastructureError
from counselgraph.models.base import Answer
from counselgraph.models.endpoint import ClientKind, Endpoint
from counselgraph.models.events import collecting
from counselgraph.models.load import Models
from counselgraph.models.pool import Pool, Server, Turn
from counselgraph.models.retry import Failure, RetryPolicy
from tests.fakes.openai_server import FakeOpenAI, Fault
from tests.unit.models.conftest import MakeRequest

wired = pytest.mark.allow_hosts(["127.0.0.1"])
LOST = Failure("reset", lost=True)
QUICK = RetryPolicy(base_s=0.001)


class Nowhere:
    """A connection that can be asked nothing but whether its server is well."""

    well = False

    async def models(self) -> list[dict[str, Any]]:
        if not self.well:
            raise ConnectionResetError("reset")
        return []

    async def aclose(self) -> None:
        pass


def pool_of(number: int, max_calls: int = 16, probe_s: float = 60) -> Pool:
    servers = [Server(f"http://{at}/v1", Nowhere(), asyncio.Semaphore(max_calls)) for at in range(number)]
    return Pool(servers, max_calls=max_calls, probe_s=probe_s)


def test_new_sessions_are_spread_evenly() -> None:
    pool = pool_of(3)
    homes = Counter(pool.pick(f"s{n}").address for n in range(30))
    assert set(homes.values()) == {10}


def test_a_new_session_goes_where_the_fewest_calls_are_in_flight() -> None:
    pool = pool_of(3)
    for server, load in zip(pool.servers, (4, 1, 2), strict=True):
        server.load = load
    assert pool.pick("s1") is pool.servers[1]


def test_a_session_stays_at_home_until_the_margin_is_passed_and_then_moves_for_good() -> None:
    pool = pool_of(2, max_calls=16)
    home = pool.pick("s1")
    other = next(server for server in pool.servers if server is not home)
    home.load = other.load + pool.margin
    assert pool.pick("s1") is home
    home.load += 1
    assert pool.pick("s1") is other
    home.load = other.load = 0
    assert pool.pick("s1") is other
    assert (home.homes, other.homes) == (0, 1)


async def test_another_try_goes_elsewhere_but_the_session_keeps_its_home() -> None:
    pool = pool_of(2)
    home = pool.pick("s1")
    assert pool.pick("s1", failed=[home]) is not home
    assert pool.pick("s1") is home
    assert pool.pick("s1", failed=pool.servers) is home


async def test_an_ejected_server_gets_no_calls_and_its_sessions_move() -> None:
    pool = pool_of(2)
    home = pool.pick("s1")
    pool.eject(home, LOST, "m")
    assert {pool.pick(f"s{n}") for n in range(1, 20)} == {*pool.servers} - {home}
    pool.answered(home)
    assert home in {pool.pick(f"t{n}") for n in range(2)}
    assert pool.pick("s1") is not home
    await pool.aclose()


async def test_with_every_server_ejected_the_one_that_failed_longest_ago_is_tried() -> None:
    pool = pool_of(3)
    for server in pool.servers:
        pool.eject(server, LOST, "m")
        await asyncio.sleep(0.002)
    assert pool.pick("s1") is pool.servers[0]
    pool.eject(pool.servers[0], LOST, "m")
    assert pool.pick("s1") is pool.servers[1]
    await pool.aclose()


async def test_a_single_server_is_never_ejected() -> None:
    events: list[dict[str, Any]] = []
    pool = pool_of(1)
    with collecting(events.append):
        pool.eject(pool.servers[0], LOST, "m")
    assert pool.has_healthy()
    assert events == []


async def test_an_ejection_is_told_once_and_asked_after_until_the_server_is_back() -> None:
    events: list[dict[str, Any]] = []
    pool = pool_of(2, probe_s=0.01)
    server = pool.servers[0]
    with collecting(events.append):
        pool.eject(server, LOST, "vllm/m")
        pool.eject(server, LOST, "vllm/m")
    await asyncio.sleep(0.05)
    assert not is_healthy(server)
    server.connection.well = True
    await until(lambda: is_healthy(server))
    assert events == [
        {"event": "limit", "limit": "endpoint", "model": "vllm/m", "address": "http://0/v1", "problem": "reset"}
    ]
    await pool.aclose()


async def test_calls_that_wait_at_the_gate_of_an_ejected_server_go_elsewhere() -> None:
    pool = pool_of(2, max_calls=1)
    pool.margin = 100
    first, second = Turn(pool, "s1", "m", 1), Turn(pool, "s1", "m", 1)
    home = await first.__aenter__()
    waiting = asyncio.create_task(second.__aenter__())
    await asyncio.sleep(0)
    assert home.load == 2
    await first.__aexit__(ConnectionResetError, ConnectionResetError(), None)
    assert await waiting is not home
    await second.__aexit__(None, None, None)
    assert [server.load for server in pool.servers] == [0, 0]
    await pool.aclose()


async def test_a_call_that_is_cancelled_while_it_waits_leaves_nothing_behind() -> None:
    pool = pool_of(1, max_calls=1)
    async with Turn(pool, "s1", "m", 1) as server:
        waiting = asyncio.create_task(Turn(pool, "s2", "m", 1).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert (server.load, server.gate.locked()) == (0, False)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=60), st.integers(1, 4))
def test_whatever_happens_the_choice_is_healthy_if_one_is_and_homes_are_counted(
    steps: list[tuple[int, int]], number: int
) -> None:
    pool = pool_of(number)
    for what, which in steps:
        server = pool.servers[which % number]
        if what == 0:
            server.failed_at = float(which)
        elif what == 1:
            pool.answered(server)
        elif what == 2:
            server.load = which
        else:
            picked = pool.pick(f"s{which}")
            assert picked.failed_at is None or not pool.has_healthy() or number == 1
            least = min((s.load for s in pool.servers if s.failed_at is None), default=0)
            assert number == 1 or not pool.has_healthy() or picked.load <= least + pool.margin
    assert sum(server.homes for server in pool.servers) == len(pool._homes)


@wired
async def test_sessions_stick_to_their_server(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as one, FakeOpenAI() as two, Models([one.base_url, two.base_url]) as models:
        model = models.get("vllm/fake")
        for n in range(24):
            await model.answer(make_request(session=f"s{n % 4}", seed=n))
    assert [one.calls, two.calls] == [12, 12]
    assert {request.body["seed"] % 4 for request in one.requests}.isdisjoint(
        request.body["seed"] % 4 for request in two.requests
    )


@wired
@pytest.mark.parametrize("client", ["fast", "stock"])
async def test_a_server_that_dies_mid_run_costs_retries_and_nothing_else(
    make_request: MakeRequest, client: ClientKind
) -> None:
    events: list[dict[str, Any]] = []
    async with FakeOpenAI(latency_s=0.02) as one:
        two = FakeOpenAI(latency_s=0.02)
        await two.__aenter__()
        endpoint = Endpoint(
            [one.base_url, two.base_url], "EMPTY", client=client, max_calls=8, retry=QUICK, probe_s=0.02
        )
        model = endpoint.model("fake", "vllm/fake")

        async def session(n: int) -> list[Answer]:
            return [await model.answer(make_request(session=f"s{n}", exchange=at, seed=at)) for at in range(6)]

        with collecting(events.append):
            running = asyncio.gather(*(session(n) for n in range(8)))
            await until(lambda: two.calls > 2)
            await two.__aexit__(None, None, None)
            answers = await running
            pool = await endpoint.pool()
            assert any(server.failed_at for server in pool.servers)
            async with FakeOpenAI(port=two.port) as back:
                await until(lambda: not any(server.failed_at for server in pool.servers))
                await asyncio.gather(*(session(n) for n in range(8, 16)))
                assert back.calls
        await endpoint.aclose()
    assert {len(told) for told in answers} == {6}
    ejected = [event for event in events if event["event"] == "limit"]
    assert {event["address"] for event in ejected} == {two.base_url}  # a slow machine may probe it once more
    assert {event["event"] for event in events} == {"limit", "retry"}


@wired
async def test_a_server_that_hangs_is_left_at_the_deadline(make_request: MakeRequest) -> None:
    async with FakeOpenAI(always=Fault.HANG) as one, FakeOpenAI() as two:
        endpoint = Endpoint([one.base_url, two.base_url], "EMPTY", timeout_s=0.1, retry=QUICK, probe_s=60)
        model = endpoint.model("fake", "vllm/fake")
        for n in range(6):
            assert (await model.answer(make_request(session=f"s{n}"))).text
        await endpoint.aclose()
    assert (one.calls, two.calls) == (1, 6)


@wired
@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.NOT_JSON])
async def test_an_answer_however_bad_ejects_nobody(make_request: MakeRequest, fault: Fault) -> None:
    events: list[dict[str, Any]] = []
    async with FakeOpenAI(always=fault) as one, FakeOpenAI() as two:
        endpoint = Endpoint([one.base_url, two.base_url], "EMPTY", retry=QUICK)
        with collecting(events.append):
            for n in range(6):
                assert (await endpoint.model("fake", "m").answer(make_request(session=f"s{n}"))).text
        await endpoint.aclose()
    assert {event["event"] for event in events} == {"retry"}
    assert one.calls == len(events) > 1


@wired
async def test_with_nobody_there_the_call_fails_after_its_tries(make_request: MakeRequest) -> None:
    ports = [_free_port(), _free_port()]
    endpoint = Endpoint([f"http://127.0.0.1:{port}/v1" for port in ports], "EMPTY", retry=QUICK)
    with pytest.raises(InfrastructureError, match=r"gave up after 3 tries: cannot connect to 127\.0\.0\.1"):
        await endpoint.model("fake", "m").answer(make_request())
    await endpoint.aclose()


@wired
async def test_the_limit_of_calls_is_per_server(make_request: MakeRequest) -> None:
    async with (
        FakeOpenAI(latency_s=0.02) as one,
        FakeOpenAI(latency_s=0.02) as two,
        Models(f"{one.base_url}, {two.base_url}", max_calls=3) as models,
    ):
        model = models.get("vllm/fake")
        await asyncio.gather(*(model.answer(make_request(session=f"s{n}", seed=n)) for n in range(24)))
    assert (one.most_in_flight, two.most_in_flight) == (3, 3)


@wired
async def test_every_server_describes_itself_and_the_smallest_context_counts() -> None:
    async with FakeOpenAI(max_model_len=900) as one, FakeOpenAI(models=("fake", "b")) as two, Models() as models:
        name = f"vllm/fake@{one.base_url},{two.base_url}"
        found = await models.describe(name)
        assert models.get(name).context_tokens == 900  # type: ignore[attr-defined]
    assert found["base_url"] == f"{one.base_url},{two.base_url}"
    assert found["context_tokens"] == 900
    assert [(server["base_url"], server["served"]) for server in found["servers"]] == [
        (one.base_url, ["fake"]), (two.base_url, ["b", "fake"]),
    ]  # fmt: skip


@wired
async def test_a_server_that_serves_something_else_is_named() -> None:
    async with FakeOpenAI(root="/m/a") as one, FakeOpenAI(models=("b",)) as two, FakeOpenAI(root="/m/b") as three:
        async with Models([one.base_url, two.base_url]) as models:
            with pytest.raises(ConfigError, match=f"{two.base_url} serves no `fake`, but: b"):
                await models.describe("vllm/fake")
        async with Models([one.base_url, three.base_url]) as models:
            with pytest.raises(ConfigError, match=f"{three.base_url} serves `/m/b` under this name"):
                await models.describe("vllm/fake")


@wired
async def test_a_server_that_is_not_there_is_named() -> None:
    async with FakeOpenAI() as one:
        gone = f"http://127.0.0.1:{_free_port()}/v1"
        async with Models([one.base_url, gone]) as models:
            with pytest.raises(InfrastructureError, match=gone):
                await models.describe("vllm/fake")


def is_healthy(server: Server) -> bool:
    return server.failed_at is None


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
