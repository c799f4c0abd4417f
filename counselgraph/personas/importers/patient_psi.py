"""PATIENT-Psi: a cognitive conceptualization diagram with one situation.

The only words of the client's own are the thoughts, so these are what the client comes with.
"""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft)
    say = partial(from_third_person, name=draft.peek("name"))
    draft.take("presenting_problem.statement", "auto_thought")
    draft.take("presenting_problem.coping", "coping_strategies", say=say)
    draft.take("conceptualization.automatic_thoughts", "auto_thought")
    draft.take("conceptualization.situations", "situation")
    draft.take("conceptualization.emotions", "emotion")
    draft.take("conceptualization.behaviours", "behavior", say=say)
    draft.take("conceptualization.intermediate_beliefs", "intermediate_belief")
    draft.take("conceptualization.core_beliefs", "helpless_belief", "unlovable_belief", "worthless_belief")
    draft.take("history.life", "history", say=say)


FORMAT = RecordFormat(
    NAME="patient-psi",
    fill=fill,
    keys=("auto_thought", "helpless_belief", "intermediate_belief"),
    needs=("auto_thought",),
    notes=("`type` lists the styles a user may choose from; none was chosen.",),
)
