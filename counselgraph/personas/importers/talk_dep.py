"""TalkDep: a persona with a depression level, symptoms in its own words, and how it talks."""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person

_SYMPTOMS = "key_negative_symptoms"


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft)
    say = partial(from_third_person, name=draft.peek("name"), gender=draft.peek("gender"))
    if not draft.take("presenting_problem.statement", f"{_SYMPTOMS}.description"):
        draft.take("presenting_problem.statement", "past_interactions", say=say)
    for symptom in draft.each(_SYMPTOMS):
        draft.keep("How strong it is", (*symptom, "name"), (*symptom, "severity"))
    draft.keep("Severity", "depression_level")
    draft.take("history.life", "life_history", say=say)
    draft.take("history.previous_episodes", "past_interactions", say=say)
    draft.take("functioning.relationships", "social_context", say=say)
    draft.take("attitude_instruction", "emotional_tone", "linguistic_patterns", "behavioral_constraints")
    draft.keep("What you talk about", "typical_topics")
    draft.keep("What you try to do in a talk", "response_goals")
    draft.keep("What you write online", "social_media_activity")
    draft.keep("Where you are now", "current_context_of_interaction")


FORMAT = RecordFormat(
    NAME="talk-dep",
    fill=fill,
    keys=("bdi_score", "key_negative_symptoms"),
    needs=("life_history",),
    notes=("A persona without symptoms is a control; `bdi_score` is a score; it stays in the source.",),
)
