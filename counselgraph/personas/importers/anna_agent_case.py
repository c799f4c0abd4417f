"""AnnaAgent's case files: one earlier conversation, a portrait of the client and the counselor's report on it."""

from __future__ import annotations

from counselgraph.personas.evolving import Speaker
from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.earlier import take_earlier
from counselgraph.personas.importers.records import RecordFormat, take_person


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft, "portrait.", marital_status="marital_status")
    take_earlier(draft, "conversation")
    said = [memory.text for memory in draft.fields["evolving.earlier"] if memory.by is Speaker.CLIENT]
    draft.put("presenting_problem.statement", *said[:1])
    draft.keep("Symptoms", "portrait.symptoms")


FORMAT = RecordFormat(
    NAME="anna-agent-case",
    fill=fill,
    keys=("portrait", "conversation", "report"),
    needs=("portrait", "conversation"),
    notes=("`report` is the counselor's; it stays in the source.",),
)
