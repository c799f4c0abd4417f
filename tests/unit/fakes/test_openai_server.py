from __future__ import annotations

import random
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.protocols.plan import Plan
from tests.fakes.openai_server import ENDS, MIDDLES, STARTS, FakeOpenAI, Fault, reply_to
from tests.fakes.schema import Filler


def test_a_conversation_of_two_never_hears_the_same_line_twice() -> None:
    said: list[str] = []
    for n in range(120):
        messages = [{"role": "system", "content": "You speak."}, *({"role": "user", "content": line} for line in said)]
        said.append(reply_to({"seed": n, "messages": messages}))
    sentences = [sentence for line in said for sentence in line.replace("?", ".").split(". ")]
    assert len(set(said)) == 120
    assert len(set(sentences)) == len(sentences)


def test_replies_depend_on_seed_and_messages_alone() -> None:
    body: dict[str, Any] = {"seed": 1, "messages": [{"role": "user", "content": "Hello."}]}
    assert reply_to(body) == reply_to({**body, "temperature": 1})
    assert len({reply_to({**body, "seed": seed}) for seed in range(20)}) > 15


def test_the_stock_of_lines_is_without_repetition() -> None:
    for stock in (STARTS, MIDDLES, ENDS):
        assert len(set(stock)) == len(stock)


@given(st.integers(0, 10_000))
def test_the_filler_keeps_to_the_limits_of_a_schema(seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {
            "short": {"type": "string", "maxLength": 3, "minLength": 3},
            "long": {"type": "string", "minLength": 200},
            "day": {"type": "string", "format": "date"},
            "n": {"type": "integer", "exclusiveMinimum": 3, "maximum": 5},
            "x": {"type": "number", "minimum": 0.2, "exclusiveMaximum": 0.3},
            "list": {"type": "array", "items": {"enum": ["a", 1, None]}, "minItems": 2, "maxItems": 2},
            "pair": {"type": "array", "prefixItems": [{"const": 4}, {"type": "boolean"}], "items": False},
            "maybe": {"anyOf": [{"$ref": "#/$defs/Leaf"}, {"type": "null"}]},
            "kind": {"type": ["string", "null"]},
        },
        "required": ["short", "long", "day", "n", "x", "list", "pair", "maybe", "kind"],
        "$defs": {"Leaf": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    }
    jsonschema.validate(Filler(schema, random.Random(seed)).fill(), schema)
    plan = Plan.model_json_schema()
    jsonschema.validate(Filler(plan, random.Random(seed)).fill(), plan)


def test_values_replace_properties_by_name() -> None:
    schema = {"type": "object", "properties": {"level": {"enum": [0, 1, 2, 3, 4, 5]}, "n": {"type": "integer"}}}
    assert Filler(schema, random.Random(0), {"level": 0}).fill()["level"] == 0


async def test_the_error_rate_is_drawn_the_same_every_time() -> None:
    server = FakeOpenAI(error_rate=0.3)
    drawn = [server._drawn(call) for call in range(1, 201)]
    assert drawn == [FakeOpenAI(error_rate=0.3)._drawn(call) for call in range(1, 201)]
    assert 40 <= drawn.count(Fault.SERVER_ERROR) <= 80
