"""AnnaAgent seekers: a profile, a complaint that unfolds in stages, and what was said in an earlier session.

The counselor's report on the case stays in the source: the client has never read it.
"""

from __future__ import annotations

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.earlier import take_earlier, take_risk
from counselgraph.personas.importers.leaves import Path
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_second_person
from counselgraph.personas.loss import Fate

_HIGHEST = 3


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft, "profile.", marital_status="marital_status")
    stages = sorted(
        draft.each("complaint_chain"), key=lambda stage: _number(draft, (*stage, "stage"), "complaint_chain.stage")
    )
    for stage in stages:
        draft.take("evolving.complaints", (*stage, "content"))
        draft.note(Fate.REWORDED, "evolving.complaints", (*stage, "stage"))
    draft.take("presenting_problem.statement", *[(*stage, "content") for stage in stages[:1]])
    draft.take("conceptualization.situations", "situation", say=from_second_person)
    draft.take("evolving.since", "status")
    take_earlier(draft, "previous_conversations")
    draft.keep("Symptoms", "profile.symptoms")
    draft.keep("Things you have said", "statement")
    draft.keep("Your manner", "style")
    if draft.peek("profile.srisk"):
        take_risk(
            draft, _number(draft, "profile.srisk", "profile.srisk", highest=_HIGHEST), "profile.srisk", "statement"
        )


def _number(draft: Draft, pattern: str | Path, field: str, highest: int = 99) -> int:
    text = draft.peek(pattern)
    if not text.isdigit() or int(text) > highest:
        raise draft.fail(field, f"{text[:20]!r} is no whole number.", f"use 0 to {highest}.")
    return int(text)


FORMAT = RecordFormat(
    NAME="anna-agent",
    fill=fill,
    keys=("complaint_chain", "previous_conversations"),
    needs=("profile", "complaint_chain.content"),
    notes=("`report` is the counselor's; it stays in the source.",),
)
