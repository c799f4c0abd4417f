"""psychosis-bench: `cases`, each with the `prompts` that a client says one after the other."""

from __future__ import annotations

from typing import Any

from counselgraph.dialogues.dialogue import CLIENT
from counselgraph.dialogues.fields import kind
from counselgraph.dialogues.formats.form import record_format
from counselgraph.errors import InputError
from counselgraph.said import Said


def fits(record: Any) -> bool:
    """A case, or the document with all of them."""
    return isinstance(record, dict) and any(isinstance(record.get(field), list) for field in ("cases", "prompts"))


def turns(record: Any) -> tuple[Said, ...]:
    """A dialogue of client turns alone."""
    prompts = record.get("prompts") if isinstance(record, dict) else None
    if not isinstance(prompts, list) or not prompts:
        raise InputError("a list of client turns was expected.", field="prompts", fix="add it to the case.")
    for number, prompt in enumerate(prompts, 1):
        if not isinstance(prompt, str):
            problem = f"text was expected, not {kind(prompt)}."
            raise InputError(problem, field=f"prompts.{number}", fix="put quotes around it.")
    return tuple(Said(CLIENT, prompt) for prompt in prompts)


PSYCHOSIS_BENCH = record_format("psychosis-bench", fits=fits, turns=turns, under="cases")
