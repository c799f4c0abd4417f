"""How a turn begins: a short answer to what the client has just said."""

from __future__ import annotations

from collections.abc import Mapping

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.frames import Wording
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.counselor.risking import steady
from counselgraph.models.rehearsal.hearing import dark, heavy
from counselgraph.models.rehearsal.words import harsh, verdict
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import Phase

_TURN_TO_OTHER = 5
"""Every so many counselor turns somebody else in the room is asked to add what they see."""


def react(material: Material, wording: Wording) -> str:
    """A sentence or two that answer the client's last turn; the empty string when nothing was said."""
    if not material.last:
        return ""
    if dark(material.last):
        return steady(material, wording)
    reactions = bank("counselor/reactions")
    kinds = ["other"] if material.other else _kinds(material, wording.slots)
    frames = [frame for kind in kinds for frame in reactions[kind]]
    said = wording.choose(frames) or wording.choose(reactions["plain"])
    if material.other and len(material.own) % _TURN_TO_OTHER == 0:
        said = f"{said} {wording.choose(reactions['to_other'])}"
    return said


def _kinds(material: Material, slots: Mapping[str, str]) -> list[str]:
    if material.stance == "held":
        return ["held" if material.again else "held_on"]
    if material.rating is not None and material.stance != "resists":
        return ["number"]
    if material.stance != "tells" and not load_protocol().discloses_belief(material.last, material.language):
        return [material.stance]
    if material.feeling:
        return ["relief"] if material.feeling == "relieved" else ["feeling"]
    if "quote" not in slots:
        return ["plain"]
    if harsh(slots["quote"]):
        return ["harsh"]
    if verdict(slots["quote"]):
        return ["verdict"]
    if "Last" not in slots:
        return ["mirror", "plain"]
    exploring = material.step is None or material.step.phase in {Phase.AGENDA, Phase.EXPLORATION}
    return ["heavy", "mirror"] if exploring and heavy(slots["quote"]) else ["mirror"]
