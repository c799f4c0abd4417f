"""SimPatient: a person, four ratings of how they see their habit, and something that happened between two sessions."""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft, "persona.", culture="ethnicity")
    say = partial(from_third_person, gender=draft.peek("persona.gender"))
    draft.take("presenting_problem.statement", "between_session_event", say=say)
    draft.keep("Personality type", "persona.mbti")
    draft.keep("How you see your habit, from 0 to 10", "cognitive_model")


FORMAT = RecordFormat(
    NAME="sim-patient",
    fill=fill,
    keys=("cognitive_model", "between_session_event"),
    needs=("between_session_event",),
)
