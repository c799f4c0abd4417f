"""Roleplay-doh: one description of a client as a text."""

from __future__ import annotations

import re

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat
from counselgraph.personas.importers.voice import from_third_person
from counselgraph.personas.loss import Fate
from counselgraph.personas.sentences import sentences

_WHO = re.compile(r"^(?P<name>[A-Z][\w'-]+) is an? (?:\d+[- ]year[- ]old )?(?P<gender>male|female|man|woman)\b")
_NOW = re.compile(r"\b(?:currently|now|these days|recently|is dealing|is struggling|struggles)\b", re.IGNORECASE)


def fill(draft: Draft) -> None:
    """Take what a record holds: what is going on now is the problem, the rest is the client's life."""
    text = draft.peek("description")
    who = _WHO.match(text)
    name, gender = (who["name"], who["gender"]) if who else ("", "")
    draft.put("name", name)
    draft.put("demographics.gender", gender)
    told = sentences([text])
    now = [part for part in told if _NOW.search(part)] or told[-1:]
    say = {part: from_third_person(part, name=name, gender=_kind(gender)) for part in told}
    draft.put("presenting_problem.statement", *(say[part] for part in now))
    draft.put("history.life", *(say[part] for part in told if part not in now))
    changed = any(part != said for part, said in say.items())
    draft.note(Fate.REWORDED if changed else Fate.MAPPED, "presenting_problem, history.life", "description")


def _kind(gender: str) -> str:
    return {"man": "male", "woman": "female"}.get(gender, gender)


FORMAT = RecordFormat(
    NAME="roleplay-doh",
    fill=fill,
    needs=("description",),
    shape=re.compile(r"\s*\[?\s*\{\s*\"description\"\s*:"),
)
