from __future__ import annotations

import asyncio
import gc
import socket
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from langchain_core.messages import AIMessageChunk
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from counselgraph.errors import ConfigError, ContextTooLong, InfrastructureError, ModelError
from counselgraph.models.base import Answer, Model, Request, Usage
from counselgraph.models.endpoint import Endpoint, EndpointModel
from counselgraph.models.events import collecting
from counselgraph.models.journal import Journal, journaled
from counselgraph.models.load import Models
from counselgraph.models.retry import RetryPolicy
from counselgraph.models.structured import StructuredMode, parse, wire_schema
from counselgraph.protocols.plan import PlanDecision
from counselgraph.safety.levels import Verdict
from tests.fakes.openai_server import FakeOpenAI, Fault
from tests.unit.models.conftest import MakeRequest

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


PASSING = [
    Fault.SERVER_ERROR,
    Fault.RATE_LIMITED,
    Fault.DISCONNECT,
    Fault.CUT_BODY,
    Fault.CUT_JSON,
    Fault.NOT_JSON,
    Fault.NO_CHOICES,
    Fault.WRONG_TYPES,
    Fault.NULL,
]


async def ask(
    server: FakeOpenAI,
    request: Request,
    *,
    model: str = "fake",
    timeout_s: float = 5,
    structured: StructuredMode = "json_schema",
) -> Answer:
    endpoint = Endpoint(
        server.base_url, "EMPTY", timeout_s=timeout_s, structured=structured, retry=RetryPolicy(base_s=0.001)
    )
    try:
        return await endpoint.model(model, f"vllm/{model}").answer(request)
    finally:
        await endpoint.aclose()


async def test_plain_text_goes_out_as_it_should(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        answer = await ask(
            server, make_request(seed=2**62 + 1, params={"temperature": 0.7, "max_tokens": 200, "top_k": 20})
        )
    assert answer.text
    assert [dict(sent.body) for sent in server.requests] == [
        {
            "model": "fake",
            "messages": [
                {"role": "system", "content": "You are the client."},
                {"role": "user", "content": "What brings you here?"},
            ],
            "seed": 2**62 + 1,
            "temperature": 0.7,
            "max_tokens": 200,
            "top_k": 20,
            "stream": False,
        }
    ]
    assert server.requests[0].headers["Authorization"] == "Bearer EMPTY"


async def test_typed_output_is_asked_for_by_strict_json_schema(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        for output in (PlanDecision, Verdict):
            answer = await ask(server, make_request(role="planner", output=output))
            assert isinstance(parse(answer.text, output), output)
    assert server.requests[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "PlanDecision", "schema": wire_schema(PlanDecision), "strict": True},
    }


async def test_llama_cpp_gets_its_own_form(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        answer = await ask(server, make_request(output=PlanDecision), structured="json_object")
    assert parse(answer.text, PlanDecision).focus
    sent = server.requests[0].body["response_format"]
    assert sent == {"type": "json_object", "schema": wire_schema(PlanDecision)}


async def test_a_server_without_schemas_gets_the_schema_in_words(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        await ask(server, make_request(output=PlanDecision), structured="prompt")
    assert "response_format" not in server.requests[0].body
    assert '"hypothesis"' in server.requests[0].messages[-1]["content"]


async def test_usage_is_what_the_server_counted_cached_tokens_included(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        first = await ask(server, make_request())
        second = await ask(server, make_request())
    words = len(first.text.split())
    assert first.usage == Usage(calls=1, prompt_tokens=8, cached_tokens=0, completion_tokens=words)
    assert second.usage == Usage(calls=1, prompt_tokens=8, cached_tokens=8, completion_tokens=words)


@pytest.mark.parametrize("fault", [Fault.EMPTY, Fault.REASONED, Fault.UNCLOSED_THINK])
async def test_an_empty_reply_is_empty_text(make_request: MakeRequest, fault: Fault) -> None:
    async with FakeOpenAI(always=fault) as server:
        assert (await ask(server, make_request())).text == ""


async def test_reasoning_never_reaches_the_answer(make_request: MakeRequest) -> None:
    async with FakeOpenAI(faults={2: Fault.THINK}) as server:
        plain = await ask(server, make_request())
        thought = await ask(server, make_request())
    assert thought.text == plain.text


async def test_a_fence_around_typed_output_is_removed(make_request: MakeRequest) -> None:
    async with FakeOpenAI(always=Fault.FENCED) as server:
        answer = await ask(server, make_request(output=PlanDecision))
    assert answer.text.startswith("{")
    assert parse(answer.text, PlanDecision).focus


async def test_broken_typed_output_is_left_to_parse(make_request: MakeRequest) -> None:
    async with FakeOpenAI(always=Fault.BROKEN_TYPED) as server:
        answer = await ask(server, make_request(output=PlanDecision))
    with pytest.raises(ModelError, match="not valid JSON"):
        parse(answer.text, PlanDecision)
    assert server.calls == 1


async def test_typed_output_that_was_cut_off_is_a_model_error(make_request: MakeRequest) -> None:
    async with FakeOpenAI(always=Fault.TRUNCATED) as server:
        with pytest.raises(ModelError, match="cut off"):
            await ask(server, make_request(output=PlanDecision))
    assert server.calls == 1


async def test_plain_text_that_was_cut_off_is_kept_and_told(make_request: MakeRequest) -> None:
    events: list[dict[str, Any]] = []
    async with FakeOpenAI(always=Fault.TRUNCATED) as server:
        with collecting(events.append):
            answer = await ask(server, make_request())
    assert answer.text
    assert events == [{"event": "limit", "limit": "max_tokens", "model": "vllm/fake"}]


@pytest.mark.parametrize("fault", PASSING)
async def test_a_failure_that_passes_is_tried_again(make_request: MakeRequest, fault: Fault) -> None:
    events: list[dict[str, Any]] = []
    async with FakeOpenAI(faults={1: fault, 2: fault}) as server:
        with collecting(events.append):
            answer = await ask(server, make_request())
    assert answer.text
    assert server.calls == 3
    assert [event["event"] for event in events] == ["retry", "retry"]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("output", [None, PlanDecision])
async def test_a_failure_that_stays_is_an_infrastructure_error(
    make_request: MakeRequest, fault: Fault, output: type[BaseModel] | None
) -> None:
    async with FakeOpenAI(always=fault) as server:
        with pytest.raises(InfrastructureError, match="`vllm/fake`: gave up after 3 tries"):
            await ask(server, make_request(output=output))
    assert server.calls == 3


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.HANG_IN_BODY])
async def test_a_hanging_server_is_given_up_at_the_deadline(make_request: MakeRequest, fault: Fault) -> None:
    async with FakeOpenAI(always=fault) as server:
        with pytest.raises(InfrastructureError, match=r"no answer within 0\.05 s"):
            await ask(server, make_request(), timeout_s=0.05)
        assert server.calls == 3


async def test_retry_after_sets_the_wait(make_request: MakeRequest) -> None:
    events: list[dict[str, Any]] = []
    async with FakeOpenAI(faults={1: Fault.RATE_LIMITED}, retry_after_s=0.07) as server:
        with collecting(events.append):
            await ask(server, make_request())
    assert [(event["wait_s"], event["status"]) for event in events] == [(0.07, 429)]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (
            Fault.TOO_LONG,
            ContextTooLong,
            "role `client` of session `s1`: the prompt is longer than the model's context",
        ),
        (Fault.REDIRECT, ConfigError, "HTTP 307: the server sends on to http://127.0.0.1:1"),
        (Fault.BAD_REQUEST, InfrastructureError, "HTTP 400: temperature must be non-negative"),
        (Fault.UNAUTHORIZED, ConfigError, "HTTP 401: Incorrect API key provided."),
    ],
)
async def test_a_refusal_is_not_tried_again(
    make_request: MakeRequest, fault: Fault, kind: type[Exception], said: str
) -> None:
    async with FakeOpenAI(always=fault) as server:
        with pytest.raises(kind) as caught:
            await ask(server, make_request())
    assert said in str(caught.value)
    assert server.calls == 1


async def test_a_model_the_server_does_not_have_is_a_config_error(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        with pytest.raises(ConfigError, match="`vllm/other`: HTTP 404: The model `other` does not exist"):
            await ask(server, make_request(), model="other")


async def test_no_server_is_an_infrastructure_error(make_request: MakeRequest) -> None:
    endpoint = Endpoint(f"http://127.0.0.1:{_free_port()}/v1", "EMPTY", retry=RetryPolicy(base_s=0.001))
    with pytest.raises(InfrastructureError, match=r"cannot connect to 127\.0\.0\.1"):
        await endpoint.model("fake", "vllm/fake").answer(make_request())
    await endpoint.aclose()


async def test_calls_in_flight_are_limited_over_all_models_of_a_server(make_request: MakeRequest) -> None:
    names = ["vllm/a", "vllm/b"] * 6
    async with (
        FakeOpenAI(models=("a", "b"), latency_s=0.02) as server,
        Models(server.base_url, max_calls=3) as models,
    ):
        await asyncio.gather(*(models.get(name).answer(make_request(seed=n)) for n, name in enumerate(names)))
    assert (server.most_in_flight, server.calls) == (3, 12)


def test_one_process_can_run_several_event_loops(make_request: MakeRequest) -> None:
    async def run() -> str:
        async with FakeOpenAI() as server, Models(server.base_url) as models:
            return (await models.get("vllm/fake").answer(make_request())).text

    assert asyncio.run(run()) == asyncio.run(run())


# A connection whose loop is gone can no longer be closed politely.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_models_that_are_never_closed_work_in_every_loop_and_forget_the_dead_ones(make_request: MakeRequest) -> None:
    port = _free_port()
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "EMPTY")
    model = endpoint.model("fake", "vllm/fake")

    async def run() -> str:
        async with FakeOpenAI(port=port):
            return (await model.answer(make_request())).text

    assert len({asyncio.run(run()) for _ in range(3)}) == 1
    assert len(endpoint._pools) == 1
    endpoint._pools.clear()
    gc.collect()


def test_a_model_kept_over_two_event_loops_works_in_both(make_request: MakeRequest) -> None:
    port = _free_port()
    models = Models(f"http://127.0.0.1:{port}/v1")
    model = models.get("vllm/fake")

    async def run(model: Model) -> str:
        async with FakeOpenAI(port=port), models:
            return (await model.answer(make_request())).text

    assert asyncio.run(run(model)) == asyncio.run(run(model))


async def test_a_call_blocks_the_event_loop_nowhere(tmp_path: Path, make_request: MakeRequest) -> None:
    with Journal(tmp_path / "s1.jsonl") as journal:
        async with FakeOpenAI() as server, Models(server.base_url) as models:
            with blockbuster_ctx():
                answer = await journaled(models.get("vllm/fake"), journal).answer(make_request())
                again = await journaled(models.get("vllm/fake"), journal).answer(make_request())
    assert (answer.journaled, again.journaled) == (False, True)


async def test_closed_models_can_be_used_again(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server:
        models = Models(server.base_url)
        for _ in range(2):
            async with models:
                assert (await models.get("vllm/fake").answer(make_request())).text


async def test_keys_come_from_the_argument_or_from_the_environment_of_their_kind(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-openai")
    async with (
        FakeOpenAI() as server,
        Models(server.base_url) as models,
        Models(server.base_url, "key-given") as given,
    ):
        for model in (models.get("openai/fake"), models.get("vllm/fake"), given.get("vllm/fake")):
            await model.answer(make_request())
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer key-openai", "Bearer EMPTY", "Bearer key-given"]


@pytest.mark.parametrize("variable", ["OPENAI_PROXY", "HTTP_PROXY", "ALL_PROXY"])
async def test_a_local_server_is_reached_past_a_proxy(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{_free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with FakeOpenAI() as server:
        assert (await ask(server, make_request())).text


async def test_describe_says_what_the_server_serves() -> None:
    async with FakeOpenAI(models=("b", "a")) as server:
        address = server.base_url.replace("//", "//user:secret@")
        async with Models(address) as models:
            known = await models.describe("vllm/a")
            with pytest.raises(ConfigError, match="serves no `c`, but: a, b"):
                await models.describe("vllm/c")
    assert (known["kind"], known["served"]) == ("vllm", ["a", "b"])
    assert known["base_url"] == server.base_url
    assert "secret" not in str(known)
    assert known["model"]["max_model_len"] == 4096
    assert known["context_tokens"] == 4096


async def test_a_model_knows_its_context_once_the_server_has_told() -> None:
    async with FakeOpenAI(max_model_len=900) as server, Models(server.base_url) as models:
        model = models.get("vllm/fake")
        assert isinstance(model, EndpointModel)
        before = model.context_tokens
        await models.describe("vllm/fake")
    assert (before, model.context_tokens) == (None, 900)


async def test_describe_names_the_address_where_nobody_answers() -> None:
    address = f"http://127.0.0.1:{_free_port()}/v1"
    async with Models(address) as models:
        with pytest.raises(InfrastructureError, match=address):
            await models.describe("vllm/a")


class State(TypedDict, total=False):
    text: str


async def test_studio_can_stream_the_tokens_of_a_node(make_request: MakeRequest) -> None:
    async with FakeOpenAI() as server, Models(server.base_url) as models:
        answers: list[Answer] = []

        async def node(state: State) -> State:
            answers.append(await models.get("vllm/fake").answer(make_request()))
            return {**state, "text": answers[-1].text}

        builder = StateGraph(State)
        builder.add_node("node", node)
        builder.add_edge(START, "node")
        builder.add_edge("node", END)
        chunks = [
            message.text
            async for message, _ in builder.compile().astream({}, stream_mode="messages")
            if isinstance(message, AIMessageChunk)
        ]
    assert server.requests[0].body["stream"] is True
    assert len([chunk for chunk in chunks if chunk]) > 10
    assert "".join(chunks).strip() == answers[0].text
    assert answers[0].usage.completion_tokens > 10


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
