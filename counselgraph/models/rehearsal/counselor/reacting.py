"""How a turn begins: a short answer to what the client has just said."""

from __future__ import annotations

from collections.abc import Mapping

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.counselor.risking import steady
from counselgraph.models.rehearsal.frames import Wording
from counselgraph.models.rehearsal.hearing import dark, heavy, moves, outcome, unconvinced
from counselgraph.models.rehearsal.lines import reactions_in
from counselgraph.models.rehearsal.talk import has_content, small_talk
from counselgraph.models.rehearsal.words import harsh, verdict
from counselgraph.protocols.approach import read_markers
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName, Phase
from counselgraph.safety.levels import Level

_AFTER = {"agenda": "settled", "homework": "agrees"}
"""Steps whose answer is met as the yes or no that it is."""
_TO_ANSWERS = {
    **dict.fromkeys(
        ("evidence_for", "what_it_costs", "cons", "pros", "what_avoided", "list_causes", "what_it_does"), "noted"
    ),
    **dict.fromkeys(("worst_case", "prediction", "own_reading", "find_rule", "rule_price"), "taken_in"),
    **dict.fromkeys(("first_try", "second_try", "hold_ground", "i_sentence"), "rehearsed"),
}
"""How an answer to a step of a technique is met; any other is met as something the client has found."""
_TURN_TO_OTHER = 5
"""Every so many counselor turns somebody else in the room is asked to add what they see."""


def react(material: Material, wording: Wording) -> str:
    """A sentence or two that answer the client's last turn; the empty string when nothing was said."""
    if not material.last:
        return ""
    if dark(material.last):
        return steady(material, wording)
    reactions = reactions_in(material.plan.approach if material.plan else ApproachName.CBT)
    kinds = ["other"] if material.other else _kinds(material, wording.slots)
    kinds = ["misfit"] if material.in_course and _misfits(material) else kinds
    frames = [frame for kind in kinds for frame in reactions[kind]]
    if material.in_course:
        strange = bank("counselor/later")["not_again"]
        frames = [frame for frame in frames if not any(words in frame for words in strange)]
    said = wording.choose(frames) or wording.choose(reactions["plain"])
    if material.other and len(material.own) % _TURN_TO_OTHER == 0:
        said = f"{said} {wording.choose(reactions['to_other'])}"
    return said


def _misfits(material: Material) -> bool:
    """Whether the client says that this way of working does not suit it."""
    if material.plan is None or material.stance == "held":
        return False
    return bool(read_markers(material.plan.protocol.approach, [material.last], material.language).misfit)


def _kinds(material: Material, slots: Mapping[str, str]) -> list[str]:
    if material.stance == "held":
        return ["held" if material.again else "held_on"]
    if material.risk.turn_level > Level.NONE and not material.english:
        return ["careful"]
    if material.recalled is not None and len(material.said) == 1 and material.recalled.task is not None:
        return [f"task_{outcome(material.last)}"]
    if material.stance in {"resists", "asks_why", "asks_view", "checks"}:
        return [material.stance]
    if material.asked == "summary" and material.stance != "resists":
        return ["summed_cool" if unconvinced(material.last) else "summed"]
    if material.rating is not None and material.stance != "resists":
        return ["number"]
    if material.asked in _AFTER and not has_content(material.last):
        return [_AFTER[material.asked]]
    if len(material.said) == 1 and material.english and small_talk(material.last):
        return ["greeted"]
    return _to_content(material, slots)


def _to_content(material: Material, slots: Mapping[str, str]) -> list[str]:
    if not material.english:
        return ["plain"]
    if not has_content(material.last):
        return [material.stance] if material.stance in {"agrees", "warm"} else ["plain"]
    told_belief = load_protocol().discloses_belief(material.last, material.language)
    if material.feeling and not (material.worked or material.inward or told_belief):
        return ["relief"] if material.feeling == "relieved" else ["feeling"]
    if moves(material.last):
        return ["warm"]
    if material.wordless:
        return ["wordless"]
    if "quote" not in slots:
        return ["plain"]
    return _to_quote(material, slots)


def _to_quote(material: Material, slots: Mapping[str, str]) -> list[str]:
    if material.worked:
        return [_TO_ANSWERS.get(material.asked or "", "answer")]
    if harsh(slots["quote"]):
        return ["harsh"]
    if material.inward and "Last" not in slots:
        return ["sentence"]
    if verdict(slots["quote"]):
        return ["verdict"]
    if "Last" not in slots:
        return ["mirror", "plain"]
    exploring = material.step is None or material.step.phase in {Phase.AGENDA, Phase.EXPLORATION}
    return ["heavy", "mirror"] if exploring and heavy(slots["quote"]) else ["mirror"]
