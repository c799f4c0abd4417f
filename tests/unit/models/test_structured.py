from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from counselgraph.errors import ModelError
from counselgraph.models.structured import clean_text, parse, wire_schema
from counselgraph.protocols.plan import PlanDecision
from counselgraph.safety.levels import Level, Verdict
from tests.fakes.schema import Filler


class Inner(BaseModel):
    size: int = Field(default=2, ge=0)


class Note(BaseModel):
    """A note."""

    model_config = ConfigDict(extra="forbid")

    text: str
    marks: tuple[int, ...] = ()
    inner: Inner = Field(default=Inner(), description="What is inside.")
    other: Inner | None = None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("I see.", "I see."),
        ("  I see.\n", "I see."),
        (None, ""),
        ("", ""),
        ("<think>they want more</think>\n\nI see.", "I see."),
        ("<THINK>a</THINK>I <think>b</think>see.", "I see."),
        ("<think>they want", ""),
        ("I see. <think>they want", "I see."),
        ("they want more</think>I see.", "I see."),
        ("<thinking>x</thinking>I see.", "I see."),
        ("<think>one</think></think>I see.", "I see."),
        ("```\nI see.\n```", "I see."),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('```json\n{"a": 1}', '{"a": 1}'),
        ("I think <b>so</b>.", "I think <b>so</b>."),
        ("cut \ud83d", "cut ?"),
    ],
)
def test_clean_text_keeps_the_words_alone(raw: str | None, expected: str) -> None:
    assert clean_text(raw) == expected


@given(st.text())
def test_clean_text_is_stable_and_can_be_written_to_a_file(raw: str) -> None:
    once = clean_text(raw)
    assert "<think>" not in once.lower()
    once.encode()


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "a"}',
        '```json\n{"text": "a"}\n```',
        'Here it is:\n```json\n{"text": "a"}\n```\nAnything else?',
        'Sure! {"text": "a"} I hope this helps.',
        '<think>{"text": "wrong"}</think>{"text": "a"}',
        '{"text": "a"}{"text": "b"}',
    ],
)
def test_parse_finds_the_object(text: str) -> None:
    assert parse(text, Note) == Note(text="a")


def test_parse_takes_raw_control_characters_inside_strings() -> None:
    assert parse('{"text": "one\ntwo\tthree\x01"}', Note).text == "one\ntwo\tthree\x01"


def test_parse_reads_enumerations_and_tuples_as_json_does() -> None:
    verdict = parse('{"side": "client", "level": 3, "findings": []}', Verdict)
    assert (verdict.level, verdict.findings) == (Level.ACTIVE, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not valid JSON"),
        ("I would rather not.", "not valid JSON"),
        ('{"text": "a', "not valid JSON"),
        ("[1, 2]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ('{"marks": [1]}', "text: Field required"),
        ('{"text": "a", "mood": 1}', "mood: Extra inputs are not permitted"),
    ],
)
def test_parse_says_what_is_wrong_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse(text, Note)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parse_keeps_the_message_short_and_without_the_answer_in_it() -> None:
    text = json.dumps({"text": "a", "marks": ["private words"] * 40})
    with pytest.raises(ModelError) as caught:
        parse(text, Note)
    assert "and 35 more" in str(caught.value)
    assert "private" not in str(caught.value)
    assert len(str(caught.value)) < 700


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in _objects(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if "properties" in node else []
    return own + [found for value in node.values() for found in _objects(value)]


@pytest.mark.parametrize("output", [Note, PlanDecision, Verdict])
def test_wire_schema_is_strict_in_every_object(output: type[BaseModel]) -> None:
    schema = wire_schema(output)
    objects = _objects(schema)
    assert objects
    for node in objects:
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False
    assert "default" not in json.dumps(schema)


def test_wire_schema_gives_no_reference_siblings_and_keeps_descriptions() -> None:
    inner = wire_schema(Note)["properties"]["inner"]
    assert inner == {"anyOf": [{"$ref": "#/$defs/Inner"}], "description": "What is inside."}


def test_wire_schema_keeps_a_property_that_is_called_like_a_keyword() -> None:
    class Odd(BaseModel):
        default: str
        required: int

    assert set(wire_schema(Odd)["properties"]) == {"default", "required"}


@given(st.integers(0, 10_000))
def test_what_fits_the_wire_schema_parses(seed: int) -> None:
    for output in (Note, PlanDecision, Verdict):
        value = Filler(wire_schema(output), random.Random(seed)).fill()
        assert isinstance(parse(json.dumps(value), output), output)
