"""PSYCHE: a psychiatric case with a profile, the client's own account and how they behave in an interview."""

from __future__ import annotations

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.earlier import take_risk
from counselgraph.personas.importers.records import RecordFormat, take_person

_CASE = "MFC-Profile."
_DANGER = f"{_CASE}Impulsivity"
_HIGH = {"high": 3, "moderate": 2, "medium": 2, "low": 0}


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    head = f"{_CASE}Identifying data."
    take_person(
        draft, head, name="Name", age="Age", gender="Sex", occupation="Occupation", marital_status="Marital status"
    )
    draft.take("presenting_problem.statement", f"{_CASE}Chief complaint")
    draft.take("presenting_problem.triggers", f"{_CASE}Present illness.*.Triggering factor")
    draft.keep("What you notice", f"{_CASE}Present illness")
    draft.take("history.life", "MFC-History")
    draft.take("history.previous_episodes", f"{_CASE}Past psychiatric history.Description")
    draft.take("history.medical", f"{_CASE}Past medical history.History")
    draft.keep("Medication", f"{_CASE}Current medication")
    draft.keep("In the family", f"{_CASE}Family history")
    draft.keep("Growing up", f"{_CASE}Developmental/social history")
    draft.keep("How you come across", "MFC-Behavior")
    level = _HIGH.get(draft.peek(f"{_DANGER}.Suicidal ideation").lower())
    if level is not None:
        take_risk(draft, level, f"{_DANGER}.Suicidal ideation", "MFC-History")


FORMAT = RecordFormat(
    NAME="psyche",
    fill=fill,
    keys=("MFC-Profile",),
    needs=(f"{_CASE}Chief complaint",),
    notes=("`Impulsivity` is a clinician's rating; what the client does not put into words stays in the source.",),
)
