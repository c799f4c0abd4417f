"""Sorts the sentences of an intake form into the persona's fields by the words in them.

Cues are for English and Chinese; a sentence without a cue goes to the field named as the default, so that none is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from counselgraph.personas.persona import Functioning, History, PresentingProblem
from counselgraph.personas.sentences import join

Cues = Sequence[tuple[str, re.Pattern[str]]]


def _cues(*pairs: tuple[str, str]) -> Cues:
    return [(field, re.compile(pattern, re.IGNORECASE)) for field, pattern in pairs]


_PROBLEM = _cues(
    ("coping", r"\b(?:have|had|has|i've|haven't) (?:\w+ ){0,2}?(?:tried|attempted|sought|researched|used|relied)\b"),
    ("coping", r"\bi (?:tried|cope|manage)\b|\bto cope with (?:it|this|these)\b"),
    ("coping", r"尝试|试过|应对"),
    ("cause", r"\bstress levels?\b|压力水平"),
    ("onset", r"\b(?:start|began|begun|started|arose|first (?:noticed|occurred|appeared|experienced|felt))\b"),
    ("onset", r"\b(?:has|have) been (?:present|there|going on)\b|^(?:ever )?since\b"),
    ("onset", r"开始|最初|起初|出现于"),
    ("course", r"\b(?:progress(?:ed|es|ing)|worse|worsen(?:ed|s|ing)?|intensif\w+|escalat\w+|persisted|over time)\b"),
    ("course", r"\b(?:grown|improved|spread)\b|\bgot(?:ten)? better\b|\bon my mind\b"),
    ("course", r"\bmore (?:convinced|pronounced|frequent|intense|severe)\b"),
    ("course", r"加重|恶化|越来越|逐渐|持续"),
    ("triggers", r"\b(?:whenever|every time|each time|daily|regularly|occurs?)\b"),
    ("triggers", r"\b(?:especially|mostly|mainly) (?:when|before|after|during|at|in)\b"),
    ("triggers", r"\bi (?:\w+ )?experience (?:this|these|it|such)\b"),
    ("triggers", r"每当|每次|尤其是|特别是"),
    ("cause", r"\b(?:the|a) (?:main )?cause\b|\bcaused by\b|\bstems? from\b|\bcontribut\w+|\btriggered\b"),
    ("cause", r"\bi (?:believe|think) (?:the|it'?s|this)\b"),
    ("cause", r"原因|由于|导致|源于"),
)
_HISTORY = _cues(
    ("treatment", r"\b(?:treat|counsel|therap|medicat|psychiatr|hospitali[sz])\w*"),
    ("treatment", r"治疗|咨询|服药|住院"),
    ("medical", r"\b(?:physical|medical|illness|disease|surger|chronic|health)\w*"),
    ("medical", r"疾病|手术|身体"),
    ("previous_episodes", r"\bsimilar\b|\bbefore\b|\bprevious\w*|\bhistory of\b|\bin the past\b"),
    ("previous_episodes", r"类似|以前|曾经|过去"),
)
_FUNCTIONING = _cues(
    ("work", r"\b(?:work|job|academic|school|career|grade|unemploy|occupation)\w*|\bstud(?:y|ies|ying)\b"),
    ("work", r"工作|学业|学习|成绩"),
    ("relationships", r"\b(?:relationship|friend|famil|partner|colleague)\w*|\b(?:wife|husband|social)\b"),
    ("relationships", r"关系|朋友|家人|同学"),
)


def problem_of(texts: Sequence[str]) -> PresentingProblem:
    """The presenting problem; the first sentence is always part of the statement."""
    sorted_ = _sort(texts[1:], _PROBLEM, default="statement")
    sorted_["statement"] = [texts[0], *sorted_.get("statement", [])]
    return PresentingProblem(**_joined(sorted_))


def history_of(texts: Iterable[str], *, treatment: Sequence[str] = (), medical: Sequence[str] = ()) -> History:
    """Past history, with what stood under headings of its own."""
    sorted_ = _sort(texts, _HISTORY, default="life")
    sorted_.setdefault("treatment", []).extend(treatment)
    sorted_.setdefault("medical", []).extend(medical)
    return History(**_joined(sorted_))


def functioning_of(texts: Iterable[str], **headed: Sequence[str]) -> Functioning:
    """How the client gets on; `headed` holds the sentences that stood under a heading, by field."""
    sorted_ = _sort(texts, _FUNCTIONING, default="daily_life")
    for field, more in headed.items():
        sorted_.setdefault(field, []).extend(more)
    return Functioning(**_joined(sorted_))


def _sort(texts: Iterable[str], cues: Cues, *, default: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for text in texts:
        field = next((field for field, pattern in cues if pattern.search(text)), default)
        fields.setdefault(field, []).append(text)
    return fields


def _joined(fields: dict[str, list[str]]) -> dict[str, str]:
    return {field: join(texts) for field, texts in fields.items()}
