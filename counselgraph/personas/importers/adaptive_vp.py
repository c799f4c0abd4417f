"""AdaptiveVP: patients on a hospital ward who are hard to nurse."""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person

_HEALTH = (
    "past medical history",
    "past surgical history & date",
    "primary diagnosis",
    "medication",
    "allergies",
    "immunization",
)


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft)
    say = partial(from_third_person, name=draft.peek("name"), gender=draft.peek("gender"))
    draft.take("presenting_problem.statement", "Chief complaint")
    draft.take("presenting_problem.onset", "History of present illness")
    draft.take("conceptualization.situations", "situation", say=say)
    draft.take("history.life", "social history")
    draft.take("attitude_instruction", "communication_summary")
    draft.take("opening", "first_statement")
    draft.keep("Health", *_HEALTH)
    draft.keep("Main symptom", "Main symptom")
    draft.keep("In the family", "family medical history")
    draft.keep("Body", "height", "weight")
    draft.keep("Religion", "religion")
    draft.keep("Kind of patient", "type-text")


FORMAT = RecordFormat(
    NAME="adaptive-vp",
    fill=fill,
    keys=("communication_summary", "first_statement"),
    needs=("Chief complaint",),
    notes=("Patients for nurses, not clients of counseling: the words are addressed to a nurse.",),
)
