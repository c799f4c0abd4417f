"""What may happen in a client's life between two sessions, out of a bank and with the people of that life."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.material import material_of
from counselgraph.models.rehearsal.slotted import filled
from counselgraph.models.rehearsal.words import capital, plain
from counselgraph.personas.persona import Persona

_KIN = "sister|brother|mother|mum|mom|father|dad|aunt|uncle|cousin|grandmother|grandfather"
_PARTNER = "husband|wife|partner|boyfriend|girlfriend|fiancée|fiancé|fiancee|fiance|spouse"
_FRIEND = re.compile(r"^(?:my|a|an|one) (?:[\w-]+ )?(?:friend|neighbour|neighbor|flatmate|roommate)$", re.IGNORECASE)
_GONE = (
    r"(?:\blate |\bex-?|\bmy ex )(?:{who})\b"
    r"|\b(?:{who})\b[^.;,]*\b(?:died|passed away|dead|left (?:me|us)|is gone|lost)\b"
    r"|\b(?:{who})\b[^.;,]*\b(?:not spoken|no contact|was ill|prison)\b"
    r"|\b(?:death|loss|funeral|miss) (?:of )?my (?:{who})\b"
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that may happen.

    Attributes:
        area: Part of life it belongs to.
        rising: Whether it lifts the mood.
        tell: How the client tells of it.
        more: What is added when it is asked further.
    """

    area: str
    rising: bool
    tell: str
    more: tuple[str, ...]


def events_for(persona: Persona) -> list[Event]:
    """What may happen in this life, with its people in place; the same every time."""
    return list(_events(_told(persona), tuple(slots_of(persona).items())))


def event_told(persona: Persona, told: str) -> Event | None:
    """The event a client tells of in these words; None for one out of another source than the bank."""
    return next((event for event in events_for(persona) if event.tell == told), None)


def slots_of(persona: Persona) -> dict[str, str]:
    """People of this client by the part they play in an event; a missing name means there is nobody."""
    told, known = _told(persona), material_of(persona).slots
    helper = known.get("helper", "")
    found = {
        "kin": _somebody(told, _KIN),
        "partner": _somebody(told, _PARTNER),
        "helper": helper if _FRIEND.match(helper) else "",
        "adj": next((words for _noun, words in material_of(persona).emotions if words), "bad"),
    }
    named = {name: who for name, who in found.items() if who}
    return named | {capital(name): capital(who) for name, who in named.items()}


@lru_cache(maxsize=64)
def _events(told: str, people: tuple[tuple[str, str], ...]) -> tuple[Event, ...]:
    areas: Mapping[str, Mapping[str, Any]] = bank("life")["areas"]
    lived = [name for name, area in areas.items() if _lived(area, told)]
    return tuple(event for name in lived for event in _in_area(name, areas[name], dict(people)))


def _in_area(name: str, area: Mapping[str, Any], slots: Mapping[str, str]) -> Iterator[Event]:
    for rising in (True, False):
        for entry in area["rising" if rising else "falling"]:
            for tell in filled([entry["tell"]], slots):
                yield Event(name, rising, tell, tuple(filled(entry["more"], slots)))


def _lived(area: Mapping[str, Any], told: str) -> bool:
    if area.get("always"):
        return True
    without = "not" in area and _search(area["not"], told)
    return not without and _search(area["cues"], told)


@lru_cache(maxsize=1024)
def _search(cue: str, told: str) -> bool:
    return re.search(cue, told, re.IGNORECASE) is not None


def _somebody(told: str, who: str) -> str:
    """Somebody of that kind whom the client speaks of and has not lost ("my sister")."""
    for found in re.finditer(rf"\b(?:{who})\b(?!-)", told, re.IGNORECASE):
        name = found.group().casefold()
        if not _search(_GONE.format(who=name), told):
            return f"my {name}"
    return ""


def _told(persona: Persona) -> str:
    """All that is known of a life, in one text."""
    who, past, now, problem = (
        persona.demographics,
        persona.history,
        persona.functioning,
        persona.presenting_problem,
    )
    parts = (
        who.occupation,
        who.marital_status,
        who.family,
        *problem.model_dump().values(),
        persona.reason_for_counseling,
        *persona.conceptualization.situations,
        *persona.conceptualization.behaviours,
        past.life,
        *now.model_dump().values(),
        *persona.supports,
        *persona.goals,
    )
    return plain(". ".join(part for part in parts if part))
