"""CARS: a persona, a conceptualization of the whole and one of the session, and what makes the client draw back."""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person

_NOW = "session_ccd.automatic_thought"


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft, "persona.")
    say = partial(from_third_person, name=draft.peek("persona.name"), gender=draft.peek("persona.gender"))
    draft.take("presenting_problem.statement", "persona.chief_complaint", say=say)
    draft.take("presenting_problem.coping", "main_ccd.coping_strategies", say=say)
    draft.take("history.life", "main_ccd.relevant_history", "persona.family_background", say=say)
    draft.take("history.medical", "persona.physical_condition", say=say)
    draft.take("functioning.relationships", "persona.interpersonal_relationships", say=say)
    draft.take("functioning.daily_life", "persona.lifestyle", say=say)
    draft.take("conceptualization.situations", f"{_NOW}.situation")
    draft.take("conceptualization.automatic_thoughts", f"{_NOW}.cognition")
    draft.take("conceptualization.emotions", f"{_NOW}.reaction")
    beliefs = ("main_ccd.intermediate_beliefs", "session_ccd.intermediate_belief")
    draft.take("conceptualization.intermediate_beliefs", *beliefs)
    draft.take("conceptualization.core_beliefs", "main_ccd.core_beliefs")
    draft.keep("Background", "background")
    draft.keep("What makes you draw back", "session_ccd.resistance_triggers", "preferences.negative")
    draft.keep("What does you good in a talk", "preferences.positive")
    how = "client_characteristics"
    draft.take("attitude_instruction", f"{how}.possible_responses_under_different_emotions")
    draft.keep("What you are like", f"{how}.other_client_characteristics")


FORMAT = RecordFormat(
    NAME="cars",
    fill=fill,
    keys=("session_ccd", "main_ccd"),
    needs=("persona.chief_complaint",),
    notes=("`session_ccd.theme` is the plan of a session; it stays in the source.",),
)
