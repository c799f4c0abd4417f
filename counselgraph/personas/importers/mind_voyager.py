"""MindVoyager: an inner cognitive diagram, and outer experiences with the reaction to each in one text."""

from __future__ import annotations

import re
from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person
from counselgraph.personas.loss import Fate

_INNER = "internal_cognitive_diagram"
_OUTER = "external_experiences"
_PARTS = re.compile(
    r"^\s*Automatic thoughts?: (?P<thought>.+?) Emotions?: (?P<emotion>.+?) Behaviou?rs?: (?P<behaviour>.+)$", re.DOTALL
)


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft)
    say = partial(from_third_person, name=draft.peek("name"))
    draft.take("presenting_problem.coping", f"{_INNER}.coping_strategies", say=say)
    draft.take("history.life", f"{_INNER}.relevant_history", say=say)
    draft.take("conceptualization.core_beliefs", f"{_INNER}.core_beliefs")
    draft.take("conceptualization.intermediate_beliefs", f"{_INNER}.intermediate_beliefs")
    draft.take("conceptualization.situations", f"{_OUTER}.situation")
    for leaf in draft.pick(f"{_OUTER}.reaction"):
        parts = _PARTS.match(leaf.text)
        if parts is None:
            draft.keep("How you react", leaf.path)
            continue
        draft.put("conceptualization.automatic_thoughts", parts["thought"].strip())
        draft.put("conceptualization.emotions", parts["emotion"].strip(" ."))
        draft.put("conceptualization.behaviours", parts["behaviour"].strip())
        draft.note(Fate.REWORDED, "conceptualization", leaf.path)
    thoughts = draft.fields.get("conceptualization.automatic_thoughts", ())
    draft.put("presenting_problem.statement", *(thoughts[:1] or [draft.peek(f"{_OUTER}.situation")]))


FORMAT = RecordFormat(
    NAME="mind-voyager",
    fill=fill,
    keys=("internal_cognitive_diagram", "external_experiences"),
    needs=(f"{_OUTER}.situation",),
)
