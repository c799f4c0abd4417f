"""SimPsyBot user profiles: a JSON list of texts in which people tell what troubles them."""

from __future__ import annotations

from counselgraph.personas.cues import problem_of
from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import STRINGS, RecordFormat
from counselgraph.personas.loss import Fate
from counselgraph.personas.sentences import sentences


def fill(draft: Draft) -> None:
    """Take what a record holds: every sentence goes to that part of the presenting problem it speaks of."""
    told = sentences(draft.peek("").splitlines())
    for field, text in problem_of(told) if told else ():
        draft.put(f"presenting_problem.{field}", text)
    draft.note(Fate.MAPPED, "presenting_problem", "")


FORMAT = RecordFormat(
    NAME="sim-psybot",
    fill=fill,
    shape=STRINGS,
    notes=("Profiles are free text without a name; only the presenting problem is told.",),
)
