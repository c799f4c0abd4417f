from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.models.base import Usage
from counselgraph.models.structured import wire_schema
from counselgraph.models.wire import ReplyError, body_for, is_loopback, is_openai, public, read_reply
from counselgraph.protocols.plan import PlanDecision
from tests.unit.models.conftest import MakeRequest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "finish_reason", "text", "prompt_tokens"]), inner
        )
    ),
    max_leaves=8,
)


def reply(content: Any, usage: Any = None, finish: Any = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return {"choices": [choice], "usage": usage}


def test_messages_go_out_as_they_are_and_unread(make_request: MakeRequest) -> None:
    request = make_request(params={"top_k": 5})
    body = body_for("m", request, "json_schema")
    assert body["messages"] is request.messages
    assert {key: body[key] for key in body if key != "messages"} == {
        "model": "m", "seed": 7, "top_k": 5, "stream": False,
    }  # fmt: skip


def test_params_cannot_take_the_place_of_what_the_call_is_about(make_request: MakeRequest) -> None:
    body = body_for("m", make_request(params={"model": "x", "stream": True, "messages": [], "seed": 1}), "json_schema")
    assert (body["model"], body["stream"], len(body["messages"]), body["seed"]) == ("m", False, 2, 1)


@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(("newer", "sent"), [(True, "max_completion_tokens"), (False, "max_tokens")])
def test_the_limit_of_an_answer_goes_under_the_name_the_server_knows(
    make_request: MakeRequest, given: str, newer: bool, sent: str
) -> None:
    body = body_for("m", make_request(params={given: 50}), "json_schema", newer=newer)
    assert {key: value for key, value in body.items() if key.startswith("max")} == {sent: 50}


def test_an_extra_body_is_part_of_the_body(make_request: MakeRequest) -> None:
    body = body_for("m", make_request(params={"extra_body": {"guided_regex": "a+"}}), "json_schema")
    assert body["guided_regex"] == "a+"
    assert "extra_body" not in body


def test_typed_output_is_asked_for_as_the_server_takes_it(make_request: MakeRequest) -> None:
    request = make_request(output=PlanDecision)
    schema = wire_schema(PlanDecision)
    strict = body_for("m", request, "json_schema")["response_format"]
    assert strict == {
        "type": "json_schema",
        "json_schema": {"name": "PlanDecision", "schema": schema, "strict": True},
    }
    assert body_for("m", request, "json_object")["response_format"] == {"type": "json_object", "schema": schema}
    words = body_for("m", request, "prompt")
    assert "response_format" not in words
    assert words["messages"][:-1] == request.messages
    assert "JSON schema" in words["messages"][-1]["content"]


def test_a_reply_is_its_text_its_end_and_its_tokens() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    found = read_reply(reply("I see.", usage, finish="length"))
    assert found == ("I see.", "length", Usage(calls=1, prompt_tokens=9, cached_tokens=4, completion_tokens=2))


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": None}, {"prompt_tokens": "9"}, {"prompt_tokens_details": None}, [], "none"],
)
def test_tokens_that_were_not_counted_are_none(usage: Any) -> None:
    assert read_reply(reply("I see.", usage)).usage == Usage(calls=1)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_a_field_of_its_own_is_no_text(field: str) -> None:
    assert read_reply(reply("I see.", **{field: "They want an answer."})).text == "I see."
    assert read_reply(reply(None, **{field: "They want an answer."})).text == ""


def test_parts_of_text_are_put_together() -> None:
    assert read_reply(reply([{"type": "text", "text": "I "}, {"type": "text", "text": "see."}])).text == "I see."


@pytest.mark.parametrize(
    "payload",
    [
        None, [], "text", {}, {"choices": None}, {"choices": []}, {"choices": {}}, {"choices": ["text"]},
        {"choices": [{}]}, {"choices": [{"message": None}]}, {"choices": [{"message": {}}]},
        reply(None), reply(7), reply({"text": "a"}), reply([7]), reply([{"text": 7}]),
        {"error": {"message": "the engine died"}},
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_reply(payload: Any) -> None:
    with pytest.raises(ReplyError):
        read_reply(payload)


@given(JSON)
def test_whatever_comes_is_a_reply_or_refused_as_one(payload: Any) -> None:
    with suppress(ReplyError):
        assert isinstance(read_reply(payload).text, str)


@pytest.mark.parametrize(
    ("address", "openai", "loopback"),
    [
        ("https://api.openai.com/v1", True, False),
        ("https://notopenai.com/v1", False, False),
        ("http://localhost:1/v1", False, True),
        ("http://[::1]:1/v1", False, True),
        ("http://user:key@127.0.0.1:1/v1", False, True),
    ],
)
def test_addresses_are_told_apart(address: str, openai: bool, loopback: bool) -> None:
    assert (is_openai(address), is_loopback(address)) == (openai, loopback)


def test_a_public_address_holds_no_credentials() -> None:
    assert public("http://user:key@127.0.0.1:1/v1") == "http://127.0.0.1:1/v1"
