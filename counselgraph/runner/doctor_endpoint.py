"""What a model server can do for a run: how much it reads, whether it keeps prefixes, whether it obeys a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel

from counselgraph.errors import CounselgraphError, ModelError
from counselgraph.models.base import Answer, Model, Request
from counselgraph.models.serving.preflight import Check
from counselgraph.models.structured import parse

_ENOUGH = 4096
_LINES = 40  # some hundred tokens: caches keep whole blocks of up to 128
_DOCS = "see docs/serving.md"


class _Taste(BaseModel):
    """Never mentioned in the prompt: an answer has this form only where the server holds it to the schema."""

    taste: Literal["sweet", "sour", "salty"]


async def examine_endpoint(model: Model, description: Mapping[str, Any]) -> list[Check]:
    """Look at a server that answers, with two small calls.

    Args:
        model: The model, ready to be asked.
        description: What `Models.describe` says of it.
    """
    checks = [_context(description)]
    try:
        checks.append(_typed(await _ask(model)))
        return [*checks, _cache(await _ask(model))]
    except ModelError as error:
        return [*checks, _ignored(str(error))]
    except CounselgraphError as error:
        return [*checks, Check("a call", ok=False, found=str(error), fix=f"look at the server's log; {_DOCS}")]


async def _ask(model: Model) -> Answer:
    system = "\n".join(f"Course {number} of the dinner was served on a plate of its own." for number in range(_LINES))
    return await model.answer(
        Request(
            role="doctor",
            messages=(
                {"role": "system", "content": system},
                {"role": "user", "content": "Write one sentence about the dinner."},
            ),
            output=_Taste,
            params={"max_tokens": 200},
        )
    )


def _context(description: Mapping[str, Any]) -> Check:
    length = description.get("context_tokens")
    if length is None:
        return Check("context of the server", ok=True, found="the server does not say how long it is")
    fine = length >= _ENOUGH
    fix = "" if fine else f"serve it with --context {_ENOUGH} or more, if the model can; long sessions need it"
    return Check("context of the server", fine, f"{length} tokens", fix)


def _typed(answer: Answer) -> Check:
    try:
        parse(answer.text, _Taste)
    except ModelError as error:
        return _ignored(str(error))
    return Check("typed output", ok=True, found="the server holds answers to a JSON schema")


def _ignored(problem: str) -> Check:
    found = f"the server does not hold answers to a JSON schema ({problem})"
    return Check("typed output", ok=False, found=found, fix=f"switch structured outputs on; {_DOCS}")


def _cache(answer: Answer) -> Check:
    cached, prompt = answer.usage.cached_tokens, answer.usage.prompt_tokens
    if cached:
        return Check("prefix cache", ok=True, found=f"{cached} of {prompt} prompt tokens of a repeated call")
    return Check("prefix cache", ok=True, found=f"the server reports no cached tokens; {_DOCS}")
