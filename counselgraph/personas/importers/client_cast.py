"""ClientCast: a profile read out of a dialogue, with personality and symptom ratings."""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft, level_of
from counselgraph.personas.importers.records import RECEPTIVITY, RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person
from counselgraph.personas.persona import Attitude

_TRAITS = ("Openness", "Conscientiousness", "Extraversion", "Agreeableness", "Neuroticism")
_ATTITUDES = {0.0: Attitude.POSITIVE, 1.0: Attitude.NEUTRAL, 2.0: Attitude.NEGATIVE}


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft, "basic_profile.")
    say = partial(from_third_person, name=draft.peek("basic_profile.name"))
    draft.take("presenting_problem.statement", "basic_profile.situation", say=say)
    draft.take("presenting_problem.triggers", "basic_profile.emotion_trigger", say=say)
    draft.take("reason_for_counseling", "basic_profile.reasons", say=say)
    draft.take("conceptualization.emotions", "basic_profile.emotion", say=say)
    draft.keep("The problem in short", "basic_profile.problem")
    draft.keep("Topic", "basic_profile.topic")
    draft.keep("How you show feelings", "basic_profile.feeling_expression", "basic_profile.emotional_fluctuation")
    draft.take("attitude_instruction", "basic_profile.resistance")
    resistance = level_of(draft.peek("basic_profile.resistance"), 0, 1, 2)
    if resistance is not None:
        draft.fields["attitude"] = _ATTITUDES[resistance]
        draft.fields["receptivity"] = RECEPTIVITY[_ATTITUDES[resistance]]
    for trait in _TRAITS:
        draft.keep(trait, f"big_five.{trait}")


FORMAT = RecordFormat(
    NAME="client-cast",
    fill=fill,
    keys=("basic_profile", "big_five"),
    needs=("basic_profile.situation",),
    notes=("`symptoms` are ratings of a reader of the dialogue; they stay in the source.",),
)
