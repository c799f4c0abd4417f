"""SAPS: medical cases as one text. They hold no client of counseling; an import shows how little there is to map."""

from __future__ import annotations

import re

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat

_WHO = re.compile(r"\b(?P<age>\d{1,3})[- ]year[- ]old (?:\w+ ){0,3}?(?P<gender>man|woman|boy|girl|male|female)\b")


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    who = _WHO.search(draft.peek("patient_info"))
    if who:
        draft.fields["demographics.age"] = int(who["age"])
        draft.put("demographics.gender", who["gender"])
    draft.take("presenting_problem.statement", "patient_info")


FORMAT = RecordFormat(
    NAME="saps",
    fill=fill,
    keys=("patient_info",),
    needs=("patient_info",),
    notes=("A medical case, not a client of counseling: nothing but the case text, age and gender could be used.",),
)
