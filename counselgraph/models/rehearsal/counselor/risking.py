"""What the counselor says when danger is in the room: plain questions, each at most once, and no method talk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.frames import Wording
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.hearing import dark
from counselgraph.models.rehearsal.words import LONG, capital, plain, sentences, trimmed
from counselgraph.safety.levels import Level

_DENIES = re.compile(r"\W*(?:no\b|not\b|never\b|I(?:'m| am) not\b|I (?:don't|wouldn't|won't)\b)", re.IGNORECASE)


def assess(material: Material, wording: Wording) -> str:
    """The counselor's turn while the plan is suspended: acknowledge, then the next question not yet asked."""
    risk = bank("counselor/risk")
    asked = _asked(material)
    open_topics = [topic for topic in risk["topics"] if topic not in asked | _told(material)]
    if "thoughts" in open_topics:
        return f"{_acknowledge(material, wording)} {wording.choose(risk['topics']['thoughts']['ask'])}"
    if not open_topics:
        return f"{steady(material, wording)} {wording.choose(risk['support'])}"
    return f"{steady(material, wording)} {wording.choose(risk['topics'][open_topics[0]]['ask'])}"


def check_in(material: Material, wording: Wording) -> str:
    """What comes before or instead of the plan's step below R3; the empty string if nothing is called for."""
    level, asked, risk = material.risk.level, _asked(material), bank("counselor/risk")
    if level is Level.NONE and not (dark(material.last) and not _DENIES.match(plain(material.last))):
        return ""
    if level is Level.PASSIVE and "thoughts" not in asked:
        return f"{_acknowledge(material, wording)} {wording.choose(risk['topics']['thoughts']['ask'])}"
    if level is Level.PASSIVE and "person" not in asked:
        return f"{steady(material, wording)} {wording.choose(risk['topics']['person']['ask'])}"
    if level <= Level.CONCERN and not asked and not _said(material, risk["concern"]):
        return f"{_acknowledge(material, wording, risk['concern'])} {wording.choose(risk['concern']['ask'])}"
    return ""


def after_check(material: Material, wording: Wording) -> str:
    """The reaction to an answer to a safety question, with which the talk goes back to its topic; else empty."""
    risk = bank("counselor/risk")
    if not material.own or material.risk.suspends_plan:
        return ""
    just = {name for name, topic in _topics(risk) if re.search(topic["asked"], plain(material.own[-1]), re.IGNORECASE)}
    return f"{steady(material, wording)} {wording.choose(risk['safe'])}" if just else ""


def _topics(risk: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [*risk["topics"].items(), ("concern", risk["concern"])]


def _asked(material: Material) -> set[str]:
    return {name for name, topic in bank("counselor/risk")["topics"].items() if _said(material, topic)}


def _told(material: Material) -> set[str]:
    """Topics the client has answered without being asked."""
    topics = {name: topic["told"] for name, topic in bank("counselor/risk")["topics"].items() if "told" in topic}
    heard = plain(" ".join(material.said))
    found = {name for name, told in topics.items() if re.search(told, heard, re.IGNORECASE)}
    # Without a plan there is nothing to ask about means and time: the questions would suggest one.
    return found | ({"means", "time"} if "plan" in found else set())


def _said(material: Material, topic: Mapping[str, Any]) -> bool:
    return any(re.search(topic["asked"], plain(turn), re.IGNORECASE) for turn in material.own)


def _acknowledge(material: Material, wording: Wording, words: Mapping[str, Any] | None = None) -> str:
    risk = words or bank("counselor/risk")
    quotes = [plain(finding.quote).strip(" .,;!\"'") for finding in material.risk.findings if finding.quote.strip()]
    heard = [quote for quote in quotes if quote in plain(material.last)]
    if not heard:
        return wording.choose(risk["acknowledge_plain"])
    slots = {**wording.slots, "quote": _whole(max(heard, key=len), material.last)}
    with_quote = Wording(wording.speech, slots, material.own)
    return with_quote.choose(risk["acknowledge"])


def _whole(quote: str, turn: str) -> str:
    """The sentence a quotation was cut from, if it is short enough to be said back, or the quotation."""
    thoughts = re.findall(r"\"([^\"]+)\"", plain(turn))
    around = [trimmed(part) for part in (*thoughts, *sentences(turn)) if quote in part]
    fits = [part for part in around if quote in part and len(part.split()) <= LONG and '"' not in part]
    return capital(fits[0] if fits else quote)


def steady(material: Material, wording: Wording) -> str:
    """A calm answer to words about dying, said or denied."""
    risk = bank("counselor/risk")
    if material.stance in {"held", "resists"} and not _DENIES.match(plain(material.last)):
        return wording.choose(risk["refused"])
    if _DENIES.match(plain(material.last)) or material.risk.denied:
        return wording.choose(risk["denied"])
    return wording.choose(risk["answered"])
