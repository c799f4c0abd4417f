"""From what a model wrote to what can be used: clean text, JSON out of text, schemas for the wire."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from counselgraph.errors import ModelError
from counselgraph.models.base import ChatMessage

T = TypeVar("T", bound=BaseModel)

StructuredMode = Literal["json_schema", "json_object", "prompt"]
"""How a server is asked for typed output: OpenAI's `json_schema` (vLLM, OpenAI), `json_object` with a schema
(llama.cpp), or in words, for servers that take neither."""

_THOUGHT = re.compile(r"<(think|thinking)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_UNCLOSED = re.compile(r"<(?:think|thinking)>.*\Z", re.DOTALL | re.IGNORECASE)
# Some chat templates open the block in the prompt, so that the text holds the closing tag alone.
_UNOPENED = re.compile(r"\A.*?</(?:think|thinking)>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"\A```[\w-]*[ \t]*\n?(.*?)\n?[ \t]*(?:```)?\Z", re.DOTALL)
_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_SHOWN_ERRORS = 5


def clean_text(raw: str | None) -> str:
    """The words of a reply: reasoning blocks, outer code fence and surrounding space removed.

    A reasoning block that never closes takes the rest of the reply with it; None becomes "". Half a surrogate pair,
    what is left of an emoji that was cut, becomes "?", because no file and no server takes it.
    """
    text = (raw or "").encode(errors="replace").decode()
    if "<" in text:
        text = _UNCLOSED.sub("", _UNOPENED.sub("", _THOUGHT.sub("", text)))
    text = text.strip()
    fenced = _FENCE.match(text) if text.startswith("```") and text.count("```") <= 2 else None  # noqa: PLR2004
    return fenced[1].strip() if fenced else text


def parse(text: str, schema: type[T]) -> T:
    """The typed value in a reply.

    Takes JSON alone, in a code fence, or with prose around it. Raw control characters inside JSON strings are kept as
    they are: guided decoding is known to let them through.

    Args:
        text: A reply, cleaned or not.
        schema: Type to validate against.

    Raises:
        ModelError: There is no JSON object, or it does not fit; the message is short enough for a repair prompt.
    """
    value = first_object(text)
    try:
        return schema.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise ModelError(f"The JSON does not fit `{schema.__name__}`: {_short(error)}") from error


def first_object(text: str) -> dict[str, Any]:
    """The first JSON object in a reply, whatever stands around it.

    Raises:
        ModelError: There is none.
    """
    problem = "The answer is not a JSON object."
    for candidate in _candidates(clean_text(text)):
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(candidate.strip())
        except json.JSONDecodeError as error:
            problem = f"The answer is not valid JSON: {error.msg} at character {error.pos}."
        else:
            if isinstance(value, dict):
                return value
    raise ModelError(problem)


@cache
def wire_schema(output: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a type as strict structured output takes it; callers must not change it.

    Every property is required, nothing else is allowed, and no `$ref` has siblings.
    """
    schema: dict[str, Any] = _strict(output.model_json_schema())
    return schema


@cache
def response_format(output: type[BaseModel], mode: Literal["json_schema", "json_object"]) -> dict[str, Any]:
    """The `response_format` that asks for a type; callers must not change it."""
    schema = wire_schema(output)
    if mode == "json_object":
        return {"type": "json_object", "schema": schema}
    return {"type": "json_schema", "json_schema": {"name": output.__name__, "schema": schema, "strict": True}}


def schema_prompt(output: type[BaseModel]) -> tuple[ChatMessage, ...]:
    """The message that asks for a type in words."""
    schema = json.dumps(wire_schema(output))
    asked = f"Answer with one JSON object and nothing else. Its JSON schema:\n{schema}"
    return ({"role": "user", "content": asked},)


def _candidates(text: str) -> list[str]:
    """Where the object may be, the likeliest place first: the text, its code fences, from the first brace on."""
    brace = text.find("{")
    return [text, *_FENCED.findall(text), *([text[brace:]] if brace > 0 else [])]


def _short(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, problem['loc'])) or 'value'}: {problem['msg']}" for problem in problems]
    more = len(told) - _SHOWN_ERRORS
    return "; ".join(told[:_SHOWN_ERRORS]) + (f"; and {more} more" if more > 0 else "")


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and len(node) > 1:
        return {"anyOf": [{"$ref": node["$ref"]}], **_without(node, "$ref", "default")}
    if "properties" not in node:
        return {key: _strict(value) for key, value in _without(node, "default").items()}
    properties = {name: _strict(schema) for name, schema in node["properties"].items()}
    rest = {key: _strict(value) for key, value in node.items() if key not in {"properties", "default", "required"}}
    return {
        **rest,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": node.get("additionalProperties", False),
    }


def _without(node: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in keys}
