"""What the counselor says when danger is in the room: plain questions, each at most once, and no method talk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.material import Material
from counselgraph.models.rehearsal.frames import Wording, safety_topics
from counselgraph.models.rehearsal.hearing import dark
from counselgraph.models.rehearsal.words import LONG, STOPS, capital, plain, sentences, trimmed
from counselgraph.safety.levels import Level
from counselgraph.safety.resources import resources_for

_DENIES = re.compile(r"\W*(?:no\b|not\b|never\b|I(?:'m| am) not\b|I (?:don't|wouldn't|won't)\b)", re.IGNORECASE)


def assess(material: Material, wording: Wording) -> str:
    """The counselor's turn while the plan is suspended: acknowledge, then the next question not yet asked."""
    risk = bank("counselor/risk")
    asked = _asked(material)
    open_topics = [topic for topic in risk["topics"] if topic not in asked | _told(material)]
    if "thoughts" in open_topics:
        question = wording.choose(risk["topics"]["thoughts"]["ask"])
        return " ".join(filter(None, (_acknowledge(material, wording), _service(material, wording), question)))
    question = wording.choose(risk["topics"][open_topics[0]]["ask"] if open_topics else risk["support"])
    taken_up = steady(material, wording) if asked and not _just_said(material) else _acknowledge(material, wording)
    return " ".join(filter(None, (taken_up, _service(material, wording), question)))


def _just_said(material: Material) -> bool:
    """Whether the client's last turn itself speaks of suicide, so that its words are to be taken up."""
    return material.risk.turn_level >= Level.PASSIVE and not material.risk.calm_turns


def _service(material: Material, wording: Wording) -> str:
    """The offer of a service of the client's country, once; empty when one has been offered."""
    resources = resources_for(material.locale)
    if any(map(resources.named_in, material.own)):
        return ""
    named = Wording(wording.speech, {"service": resources.first.name, "contact": resources.first.contact}, material.own)
    return named.choose(bank("counselor/risk")["service" if resources.first.numbers else "directory"])


def check_in(material: Material, wording: Wording) -> str:
    """What comes before or instead of the plan's step below R3; the empty string if nothing is called for."""
    level, asked, risk = material.risk.level, _asked(material), bank("counselor/risk")
    if level is Level.NONE and (not dark(material.last) or _denies(material)):
        return ""
    if level is Level.PASSIVE and "thoughts" not in asked:
        return f"{_acknowledge(material, wording)} {wording.choose(risk['topics']['thoughts']['ask'])}"
    if level is Level.PASSIVE and "person" not in asked:
        return f"{steady(material, wording)} {wording.choose(risk['topics']['person']['ask'])}"
    if level <= Level.CONCERN and not asked:
        return f"{_acknowledge(material, wording, risk['concern'])} {wording.choose(risk['concern']['ask'])}"
    return ""


def after_check(material: Material, wording: Wording) -> str:
    """The reaction to an answer to a safety question, with which the talk goes back to its topic; else empty."""
    risk = bank("counselor/risk")
    if not material.own or material.risk.suspends_plan:
        return ""
    asked = safety_topics(material.own[-1])
    return f"{steady(material, wording)} {wording.choose(risk['safe'])}" if asked else ""


def _asked(material: Material) -> frozenset[str]:
    return frozenset().union(*map(safety_topics, material.own))


def _told(material: Material) -> set[str]:
    """Topics the client has answered without being asked, in a turn that was about nothing else."""
    topics = {name: topic["told"] for name, topic in bank("counselor/risk")["topics"].items() if "told" in topic}
    pairs = zip(material.said, material.own, strict=False)
    heard = "\n".join(plain(said) for said, before in pairs if dark(said) or safety_topics(before))
    found = {name for name, told in topics.items() if re.search(told, heard, re.IGNORECASE)}
    # Without a plan there is no time to ask for.
    return found | ({"time"} if "plan" in found else set())


def _acknowledge(material: Material, wording: Wording, words: Mapping[str, Any] | None = None) -> str:
    risk = words or bank("counselor/risk")
    quotes = [plain(finding.quote).strip(f"{STOPS}\"'") for finding in material.risk.findings if finding.quote.strip()]
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
    if _denies(material):
        return wording.choose(risk["denied"])
    return wording.choose(risk["refused" if material.stance in {"held", "resists"} else "answered"])


def _denies(material: Material) -> bool:
    """Whether the client's last turn says no, and nothing beside it that is a sign of danger itself."""
    if material.risk.turn_level >= Level.PASSIVE:
        return False
    return material.risk.denied or any(_DENIES.match(sentence) for sentence in sentences(material.last))
