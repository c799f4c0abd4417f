"""PatientAct: a clinical formulation, and memories that are told according to how far the client trusts.

What is among the memories is told under their conditions and stands nowhere else in the persona; only thoughts and
rules are needed as such too.
"""

from __future__ import annotations

from functools import partial

from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.leaves import Path
from counselgraph.personas.importers.records import RecordFormat, take_person
from counselgraph.personas.importers.voice import from_third_person
from counselgraph.personas.loss import Fate
from counselgraph.personas.persona import When

_PROBLEM = "profile.problem_formulation"
_MIND = "profile.psychological_formulation"
_FROM = ((4.0, When.ASKED_DIRECTLY), (3.0, When.TRUSTED), (2.0, When.ASKED))
"""Disclosure levels from which a memory needs more than to be brought up."""
_FIELDS = {
    "presenting_problem.onset": f"{_PROBLEM}.precipitating_factors",
    "presenting_problem.cause": f"{_PROBLEM}.perpetuating_factors",
    "presenting_problem.triggers": f"{_MIND}.triggers",
    "presenting_problem.coping": f"{_MIND}.coping_patterns",
    "functioning.daily_life": f"{_PROBLEM}.presenting_problem.impact",
    "history.life": f"{_PROBLEM}.predisposing_factors",
    "supports": f"{_PROBLEM}.protective_factors",
}


def fill(draft: Draft) -> None:
    """Take what a record holds."""
    who = "profile.demographics."
    take_person(draft, who, marital_status="marital_status", culture="cultural_background")
    draft.keep("Age group", f"{who}age_group")
    say = partial(from_third_person, name=draft.peek(f"{who}name"), gender=draft.peek(f"{who}gender"))
    draft.take("presenting_problem.statement", *[leaf.path for leaf in draft.pick(f"{_MIND}.automatic_thoughts")[:1]])
    draft.take("conceptualization.automatic_thoughts", f"{_MIND}.automatic_thoughts")
    draft.take("conceptualization.intermediate_beliefs", f"{_MIND}.intermediate_beliefs")
    told = {_memory(draft, item) for item in draft.each("memory.items")}
    for target, pattern in _FIELDS.items():
        for leaf in draft.pick(pattern):
            if leaf.text in told:
                draft.note(Fate.OTHER, "disclosures", leaf.path)
            else:
                draft.take(target, leaf.path, say=say)
    draft.keep("Where you stand now", "situation", f"{_PROBLEM}.presenting_problem.situation")
    draft.keep("What you feel, and how easily", f"{_MIND}.emotional_range")
    for place in draft.each(f"{_MIND}.interpersonal_patterns"):
        domain = draft.peek((*place, "domain"))
        draft.keep(f"With {domain}" if domain else "With others", place)


def _memory(draft: Draft, item: Path) -> str:
    """Make one memory a disclosure; gives its text."""
    text = draft.peek((*item, "content"))
    given = draft.peek((*item, "disclosure_level"))
    try:
        level = float(given or 0)
    except ValueError:
        raise draft.fail("memory.items.disclosure_level", f"{given[:20]!r} is no number.", "use 1 to 5.") from None
    when = next((when for lowest, when in _FROM if level >= lowest), When.FREELY)
    topic = ", ".join(leaf.text for leaf in draft.pick((*item, "activation_tags")))
    draft.tell(topic, when, (*item, "content"))
    draft.note(Fate.REWORDED, "disclosures.when", (*item, "disclosure_level"))
    draft.note(Fate.OTHER, "disclosures.topic", (*item, "activation_tags"))
    return text


FORMAT = RecordFormat(
    NAME="patient-act",
    fill=fill,
    keys=("problem_formulation", "disclosure_level"),
    needs=(f"{_MIND}.automatic_thoughts",),
)
