"""Clients for motivational interviewing with a tracked readiness to change (the consistent-client work)."""

from __future__ import annotations

from counselgraph.personas.importers.draft import Draft, one_of
from counselgraph.personas.importers.leaves import Leaf
from counselgraph.personas.importers.records import RecordFormat
from counselgraph.personas.importers.voice import from_second_person
from counselgraph.personas.loss import Fate
from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.persona import When

_HIGHEST = 5
_SENTENCE = 5
"""Words from which an entry under `Motivation` is the reason itself and not a topic that leads to it."""


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    draft.take("motivation.change", "topic")
    draft.take("motivation.behaviour", "Behavior")
    draft.fields["motivation.stage"] = Stage(
        one_of(draft, "initial_stage", list(Stage), fallback=Stage.PRECONTEMPLATION)
    )
    draft.note(Fate.REWORDED, "motivation.stage", "initial_stage")
    draft.fields["motivation.suggestibility"] = tuple(_rating(draft, leaf) for leaf in draft.pick("suggestibilities"))
    draft.note(Fate.MAPPED, "motivation.suggestibility", "suggestibilities")
    draft.take("motivation.beliefs", "Beliefs", say=from_second_person)
    draft.take("motivation.plans", "Acceptable Plans", say=from_second_person)
    draft.take("conceptualization.intermediate_beliefs", "Beliefs", say=from_second_person)
    draft.take("presenting_problem.statement", "Personas", say=from_second_person)
    _reason(draft)
    draft.fields["receptivity"] = MotivationProfile(
        change=draft.peek("topic"), suggestibility=draft.fields["motivation.suggestibility"]
    ).receptivity


def _reason(draft: Draft) -> None:
    """The one reason that moves the client, and the topics that lead to it; a plain client tells it once it trusts."""
    leaves = draft.pick("Motivation")
    reasons = [leaf for leaf in leaves if len(leaf.text.split()) >= _SENTENCE]
    topics = [leaf for leaf in leaves if leaf not in reasons]
    for leaf in topics:
        draft.take("motivation.topics", leaf.path)
    for leaf in reasons:
        draft.take("motivation.motivation", leaf.path, say=from_second_person)
        about = ", ".join(dict.fromkeys(topic.text.lower() for topic in topics)) or draft.peek("topic")
        draft.tell(about, When.TRUSTED, leaf.path, say=from_second_person)


def _rating(draft: Draft, leaf: Leaf) -> int:
    if not isinstance(leaf.value, int) or not 1 <= leaf.value <= _HIGHEST:
        raise draft.fail(leaf.path, f"{leaf.text[:20]!r} is no rating.", f"use whole numbers from 1 to {_HIGHEST}.")
    return leaf.value


FORMAT = RecordFormat(
    NAME="consistent-mi",
    fill=fill,
    keys=("suggestibilities", "initial_stage", "Personas"),
    needs=("topic", "Personas"),
)
