"""`human`: a person in a role, asked through a LangGraph interrupt and resumed with `Command(resume=...)`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langgraph.config import get_config
from langgraph.types import interrupt
from pydantic import BaseModel

from counselgraph.errors import ConfigError, ModelError
from counselgraph.models.base import Answer, Request, Usage
from counselgraph.models.structured import parse, wire_schema
from counselgraph.transcript import role_of, text_of

END = "/end"
HINT = "Type your line; /end ends the session."
TYPED_HINT = "Answer with JSON that fits the schema."
# Where LangGraph keeps the saver of the running graph; it offers no public way to ask.
_SAVER = "__pregel_checkpointer"


class Human:
    """Asks a person. The graph pauses until somebody resumes it.

    The interrupt's value is a dict: `role`, `exchange`, `last` (what the other side just said), `card` (the turn card,
    "" if the prompt has none) and `hint`; for typed output also `schema` (JSON schema), and after an answer that could
    not be used `error`. Resume with the words, or with `{"text": ..., "end": <reason or None>}`; for typed output with
    a dict or its JSON text. `/end`, or `/end <reason>`, ends the session.

    LangGraph runs the node again from its top on resume, so a node must do nothing before it asks a person.
    """

    name = "human"

    async def answer(self, request: Request) -> Answer:
        """Ask, and ask again with `error` set until the answer can be used.

        Raises:
            ConfigError: The graph has no checkpointer: it could pause but never be resumed.
        """
        _require_saver(request.role)
        card = _card(request)
        error: str | None = None
        while True:
            reply = interrupt(card if error is None else {**card, "error": error})
            try:
                return _spoken(reply) if request.output is None else _typed(reply, request.output)
            except ModelError as problem:
                error = str(problem)


def _require_saver(role: str) -> None:
    try:
        saver = get_config().get("configurable", {}).get(_SAVER)
    except RuntimeError as error:
        raise ConfigError(f"Role `{role}` is a person and can be asked only inside a running graph.") from error
    if not saver:
        raise ConfigError(
            f"Role `{role}` is a person, and the graph has no checkpointer: it would stop and never go on. "
            "Compile it with a checkpointer."
        )


def _card(request: Request) -> dict[str, Any]:
    others = [turn for turn in request.view.get("messages", ()) if role_of(turn) != request.role]
    card: dict[str, Any] = {
        "role": request.role,
        "exchange": request.exchange,
        "last": text_of(others[-1]) if others else "",
        "card": request.card,
        "hint": HINT,
    }
    if request.output is not None:
        card |= {"hint": TYPED_HINT, "schema": wire_schema(request.output)}
    return card


def _spoken(reply: Any) -> Answer:
    said = reply if isinstance(reply, Mapping) else {"text": reply}
    text = str(said.get("text") or "").strip()
    end = str(said.get("end") or "").strip() or None
    command, *reason = text.split(maxsplit=1) or [""]
    if command == END:
        text, end = "", " ".join(reason) or end or "ended by a person"
    if not text and end is None:
        raise ModelError("Nothing was said.")
    return Answer(text=text, end=end, usage=Usage())


def _typed(reply: Any, output: type[BaseModel]) -> Answer:
    text = reply if isinstance(reply, str) else json.dumps(reply)
    return Answer(text=parse(text, output).model_dump_json(), usage=Usage())
