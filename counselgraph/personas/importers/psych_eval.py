"""PsychEval cases: a client, a plan over several sessions, and the sessions themselves.

The client as it is before the first session is imported; plan, sessions and summaries are the counselor's and stay in
the source.
"""

from __future__ import annotations

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person

_CLIENT = "client_info."
_MOMENT = f"{_CLIENT}special_situations."


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    who = f"{_CLIENT}static_traits."
    take_person(draft, who, education="educational_background", marital_status="marital_status", family="family_status")
    draft.take("presenting_problem.statement", f"{_CLIENT}main_problem")
    draft.take("reason_for_counseling", f"{_CLIENT}main_problem")
    draft.take("goals", f"{_CLIENT}core_demands")
    draft.take("conceptualization.core_beliefs", f"{_CLIENT}core_beliefs")
    draft.take("conceptualization.situations", f"{_MOMENT}event")
    draft.take("conceptualization.automatic_thoughts", f"{_MOMENT}automatic_thoughts")
    draft.take("conceptualization.intermediate_beliefs", f"{_MOMENT}conditional_assumptions")
    draft.take("conceptualization.behaviours", f"{_MOMENT}compensatory_strategies")
    draft.take("history.life", f"{_CLIENT}growth_experiences")
    draft.take("history.medical", f"{who}medical_history")
    draft.take("functioning.relationships", f"{who}social_status")
    draft.keep("How you think", f"{_MOMENT}cognitive_pattern")
    draft.keep("How you talk", f"{who}language_features")
    draft.keep("Topic", f"{_CLIENT}topic")


FORMAT = RecordFormat(
    NAME="psych-eval",
    fill=fill,
    keys=("client_info", "global_plan"),
    needs=(f"{_CLIENT}main_problem",),
    notes=("`global_plan` and `sessions` are the counselor's course of therapy; they stay in the source.",),
)
