"""Improvising for a role without rules of its own: a line out of its View, or a value of any type it asks for."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage
from pydantic import ValidationError

from counselgraph.errors import ModelError
from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.filling import Filler
from counselgraph.models.rehearsal.speech import Speech
from counselgraph.models.rehearsal.words import mirror, plain, quotable, trimmed
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, said_by, text_of

_TRIES = 8
_SMALL_WORD = 4


def improvise(request: Request) -> Answer:
    """Answer as an unknown role would.

    Raises:
        ModelError: The request names an output type whose schema cannot be filled.
    """
    messages: Sequence[AnyMessage] = request.view.get("messages", ())
    if request.output is None:
        return Answer(text=_line(request, messages))
    return Answer(text=_filled(request, messages))


def _filled(request: Request, messages: Sequence[AnyMessage]) -> str:
    assert request.output is not None
    schema, problem = request.output.model_json_schema(), ""
    for attempt in range(_TRIES):
        filler = Filler(schema, seed=request.seed + attempt, words=_words(request, messages))
        try:
            return request.output.model_validate(filler.value()).model_dump_json(by_alias=True)
        except ValidationError as error:
            problem = str(error)
    raise ModelError(
        f"The rehearsal model cannot fill {request.output.__name__!r} for role {request.role!r}: {problem}"
    )


def _words(request: Request, messages: Sequence[AnyMessage]) -> str:
    if not messages:
        return f"The {request.role} has nothing to go by yet."
    last = messages[-1]
    quote = quotable(text_of(last)) if request.language == "en" else None
    return f'The {role_of(last)} said: "{quote or _start(text_of(last))}."'


def _start(text: str, longest: int = 80) -> str:
    bare = trimmed(text) or plain(text)
    return bare if len(bare) <= longest else bare[:longest].rsplit(" ", 1)[0].rstrip(" ,;")


def _line(request: Request, messages: Sequence[AnyMessage]) -> str:
    speech = Speech(request.seed, said_by(messages, request.role))
    phrases, slots = bank("generic"), _slots(request, messages)
    seat = next((seat for seat, names in phrases["seats"].items() if request.role.casefold() in names), None)
    if seat is not None or any(role_of(message) == request.role for message in messages):
        options = phrases["voices"].get(seat, phrases["voices"]["friend"])
    else:
        options = phrases["observer"][_observed(messages)]
    usable = [line.format_map(slots) for line in options if _fits(line, slots)]
    return speech.pick(usable)


def _fits(line: str, slots: dict[str, str]) -> bool:
    return all(f"{{{name}}}" not in line or name in slots for name in ("quote", "client_quote", "mirror", "name"))


def _slots(request: Request, messages: Sequence[AnyMessage]) -> dict[str, str]:
    client = (said_by(messages, CLIENT) or [""])[-1]
    counselor = (said_by(messages, COUNSELOR) or [""])[-1]
    intake, persona = request.view.get("intake"), request.view.get("persona")
    english = request.language == "en"
    found = {
        "name": getattr(intake or persona, "name", "").split(" ")[0],
        "quote": _start(counselor),
        "client_quote": (quotable(client) if english else None) or _start(client),
        "mirror": (mirror(client) or "") if english else "",
    }
    return {key: value for key, value in found.items() if value}


def _observed(messages: Sequence[AnyMessage]) -> str:
    counselor, client = said_by(messages, COUNSELOR), said_by(messages, CLIENT)
    if not counselor or not client:
        return "start"
    asked, shared = counselor[-1].count("?"), _content(counselor[-1]) & _content(client[-1])
    if asked > 1:
        return "many_questions"
    if asked:
        return "question_close" if shared else "question_far"
    return "reflection_close" if shared else "reflection_far"


def _content(text: str) -> set[str]:
    return {
        word for word in plain(text).casefold().replace(".", " ").replace(",", " ").split() if len(word) > _SMALL_WORD
    }
