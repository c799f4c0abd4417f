"""Eeyore: a depression profile with levels of symptoms, and a cognitive profile.

The dialogue a profile was made from stays in the source.
"""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft, level_of
from counselgraph.personas.importers.earlier import take_risk
from counselgraph.personas.importers.records import RecordFormat, take_attitude, take_person
from counselgraph.personas.importers.voice import from_third_person
from counselgraph.personas.persona import Attitude

_MIND = "cognitive profile"
_MODELS = f"{_MIND}.cognitive_models"
_ATTITUDES = {0.0: Attitude.POSITIVE, 1.0: Attitude.NEUTRAL, 2.0: Attitude.NEGATIVE}


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    take_person(draft, "profile.", marital_status="marital status")
    say = partial(from_third_person, name=draft.peek("profile.name"), gender=draft.peek("profile.gender"))
    draft.take("presenting_problem.statement", "profile.situation of the client", say=say)
    draft.take("presenting_problem.coping", f"{_MIND}.coping_strategies", say=say)
    draft.take("history.life", f"{_MIND}.life_history", say=say)
    draft.take("history.treatment", "profile.counseling history")
    draft.take("conceptualization.core_beliefs", f"{_MIND}.core_belief_description")
    beliefs = (f"{_MIND}.intermediate_beliefs", f"{_MIND}.intermediate_beliefs_during_depression")
    draft.take("conceptualization.intermediate_beliefs", *beliefs)
    draft.take("conceptualization.situations", f"{_MODELS}.situation", say=say)
    draft.take("conceptualization.automatic_thoughts", f"{_MODELS}.automatic_thoughts")
    draft.take("conceptualization.emotions", f"{_MODELS}.emotion")
    draft.take("conceptualization.behaviours", f"{_MODELS}.behavior", say=say)
    draft.keep("Kind of core belief", f"{_MIND}.core_beliefs")
    draft.keep("How strongly it shows", "profile.symptom severity")
    draft.keep("Habits of thinking", "profile.cognition distortion exhibition")
    draft.keep("Severity", "profile.depression severity")
    resistance = level_of(draft.peek("profile.resistance toward the support"), 0, 1, 2)
    take_attitude(
        draft, "profile.resistance toward the support", None if resistance is None else _ATTITUDES[resistance]
    )
    _danger(draft)


def _danger(draft: Draft) -> None:
    suicidal, others = "profile.suicidal ideation severity", "profile.homicidal ideation severity"
    none = draft.peek(suicidal).lower().lstrip("0123456789-. ").startswith("no")
    level = 0 if none else int(level_of(draft.peek(suicidal), 2, 3, 4) or 2)
    if draft.peek(suicidal):
        take_risk(draft, level, suicidal, "profile.situation of the client", _MODELS)
    draft.keep("Thoughts of hurting others", others)


FORMAT = RecordFormat(
    NAME="eeyore",
    fill=fill,
    keys=("symptom severity", "cognition distortion exhibition"),
    needs=("profile.situation of the client",),
    notes=("`conversation` is the dialogue the profile was made from; it stays in the source.",),
)
