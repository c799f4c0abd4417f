"""Our own client and the stock ChatOpenAI side by side: the same bodies on the wire, the same answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda
from pydantic import BaseModel

from counselgraph.errors import ConfigError, ContextTooLong, InfrastructureError, ModelError
from counselgraph.models.base import Answer, Request
from counselgraph.models.endpoint import ClientKind, Endpoint
from counselgraph.models.retry import RetryPolicy
from counselgraph.models.structured import StructuredMode
from counselgraph.protocols.plan import PlanDecision
from counselgraph.safety.levels import Verdict
from tests.fakes.openai_server import FakeOpenAI, Fault
from tests.unit.models.conftest import MakeRequest

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

CLIENTS: tuple[ClientKind, ...] = ("fast", "stock")
PARAMS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0.7, "top_p": 0.9, "max_tokens": 200},
    {"max_completion_tokens": 50, "stop": ["\n\n"], "presence_penalty": 0.5},
    {"top_k": 20, "min_p": 0.1, "repetition_penalty": 1.1},
    {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
)


class Quiet(BaseCallbackHandler):
    """Listens, and so sends a call through the chat model."""


async def told(
    server: FakeOpenAI,
    request: Request,
    client: ClientKind = "fast",
    structured: StructuredMode = "json_schema",
    listener: BaseCallbackHandler | None = None,
) -> tuple[Answer, bytes]:
    """The answer and the body that it was an answer to, as it was on the wire but for the order of its keys."""
    retry = RetryPolicy(base_s=0.001)
    endpoint = Endpoint(server.base_url, "EMPTY", client=client, structured=structured, retry=retry, timeout_s=5)
    ask = RunnableLambda(endpoint.model("fake", "vllm/fake").answer)
    config: RunnableConfig = {"callbacks": [listener]} if listener else {}
    try:
        answer = await ask.ainvoke(request, config)
    finally:
        await endpoint.aclose()
    return answer, json.dumps(server.requests[-1].body, sort_keys=True).encode()


@pytest.mark.parametrize("params", PARAMS)
@pytest.mark.parametrize("output", [None, PlanDecision, Verdict])
@pytest.mark.parametrize("structured", ["json_schema", "json_object", "prompt"])
async def test_the_same_body_goes_out_and_the_same_answer_comes_back(
    make_request: MakeRequest, params: dict[str, Any], output: type[BaseModel] | None, structured: StructuredMode
) -> None:
    request = make_request(params=params, output=output, seed=2**63 - 1)
    found = []
    for client in CLIENTS:
        async with FakeOpenAI() as server:  # a new one, so that its prefix cache knows nothing
            found.append(await told(server, request, client, structured))
    async with FakeOpenAI() as server:
        found.append(await told(server, request, "fast", structured, Quiet()))
    assert found[0] == found[1] == found[2]
    assert found[0][0].text


async def test_a_long_dialogue_goes_out_word_for_word(make_request: MakeRequest) -> None:
    turns = tuple(
        {"role": "assistant" if at % 2 else "user", "content": f'{at}: "Größe", \\ \n\t 🙂 \u2028 </think>'}
        for at in range(60)
    )
    request = make_request(messages=({"role": "system", "content": "You are the client."}, *turns))
    async with FakeOpenAI() as server:
        bodies = [(await told(server, request, client))[1] for client in CLIENTS]
        assert server.requests[0].messages == [dict(message) for message in request.messages]
    assert bodies[0] == bodies[1]


FAULTS: dict[Fault, type[Exception] | None] = {
    Fault.SERVER_ERROR: InfrastructureError,
    Fault.RATE_LIMITED: InfrastructureError,
    Fault.DISCONNECT: InfrastructureError,
    Fault.CUT_BODY: InfrastructureError,
    Fault.NOT_JSON: InfrastructureError,
    Fault.NO_CHOICES: InfrastructureError,
    Fault.NULL: InfrastructureError,
    Fault.TOO_LONG: ContextTooLong,
    Fault.BAD_REQUEST: InfrastructureError,
    Fault.UNAUTHORIZED: ConfigError,
    Fault.TRUNCATED: ModelError,
    Fault.EMPTY: None,
    Fault.THINK: None,
    Fault.FENCED: None,
    Fault.REASONED: None,
}


@pytest.mark.parametrize(("fault", "kind"), FAULTS.items())
async def test_a_fault_is_the_same_error_after_as_many_tries(
    make_request: MakeRequest, fault: Fault, kind: type[Exception] | None
) -> None:
    request, found = make_request(output=PlanDecision), []
    ways: tuple[tuple[ClientKind, Quiet | None], ...] = (("fast", None), ("fast", Quiet()), ("stock", None))
    for client, listener in ways:
        async with FakeOpenAI(always=fault) as server:
            if kind is None:
                found.append((server.calls, (await told(server, request, client, listener=listener))[0].text))
            else:
                with pytest.raises(kind) as caught:
                    await told(server, request, client, listener=listener)
                found.append((server.calls, type(caught.value).__name__))
    assert found[0] == found[1] == found[2]
