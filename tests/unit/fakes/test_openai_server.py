from __future__ import annotations

import json
import random
from datetime import date
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from counselgraph.protocols.plan import Plan
from counselgraph.safety.levels import Level
from tests.fakes.openai_server import ENDS, MIDDLES, STARTS, FakeOpenAI, Fault, reply_to
from tests.fakes.schema import Filler

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


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


class Leaf(BaseModel):
    a: int


class Limits(BaseModel):
    short: str = Field(min_length=3, max_length=3)
    long: str = Field(min_length=200)
    day: date
    n: int = Field(gt=3, le=5)
    x: float = Field(ge=0.2, lt=0.3)
    some: list[Literal["a", 1] | None] = Field(min_length=2, max_length=2)
    pair: tuple[Literal[4], bool]
    maybe: Leaf | None
    level: Level


@pytest.mark.parametrize("output", [Limits, Plan])
@given(seed=st.integers(0, 10_000))
def test_the_filler_keeps_to_the_limits_of_a_schema(output: type[BaseModel], seed: int) -> None:
    value = Filler(output.model_json_schema(), random.Random(seed)).fill()
    output.model_validate_json(json.dumps(value))


def test_values_replace_properties_by_name() -> None:
    schema = {"type": "object", "properties": {"level": {"enum": [0, 1, 2, 3, 4, 5]}, "n": {"type": "integer"}}}
    assert Filler(schema, random.Random(0), {"level": 0}).fill()["level"] == 0


async def test_the_error_rate_is_drawn_the_same_every_time() -> None:
    server = FakeOpenAI(error_rate=0.3)
    drawn = [server._drawn(call) for call in range(1, 201)]
    assert drawn == [FakeOpenAI(error_rate=0.3)._drawn(call) for call in range(1, 201)]
    assert 40 <= drawn.count(Fault.SERVER_ERROR) <= 80
