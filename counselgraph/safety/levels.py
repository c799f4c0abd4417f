"""Words of the safety monitor: levels, categories, findings, verdicts and the standing risk.

Levels follow the severity order of the Columbia protocol (C-SSRS); see docs/safety.md for the table.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Level(IntEnum):
    """Severity of one turn or of the standing assessment."""

    NONE = 0
    CONCERN = 1
    PASSIVE = 2
    ACTIVE = 3
    INTENT = 4
    IMMINENT = 5


class Side(StrEnum):
    """Whose words were screened. Anyone but the counselor counts as the client's side."""

    CLIENT = "client"
    COUNSELOR = "counselor"


class Subject(StrEnum):
    """Whom a finding is about."""

    SELF = "self"
    OTHER = "other"
    FIGURATIVE = "figurative"
    FICTION = "fiction"


class Time(StrEnum):
    """When the thing found is or was."""

    NOW = "now"
    RECENT = "recent"
    REMOTE = "remote"


class Category(StrEnum):
    """What was found: client-side categories first, then counselor-side ones."""

    SI_PASSIVE = "SI_PASSIVE"
    SI_ACTIVE = "SI_ACTIVE"
    PLAN = "PLAN"
    INTENT = "INTENT"
    MEANS_ACCESS = "MEANS_ACCESS"
    PREPARATION = "PREPARATION"
    ATTEMPT_RECENT = "ATTEMPT_RECENT"
    ATTEMPT_REMOTE = "ATTEMPT_REMOTE"
    NSSI = "NSSI"
    HOPELESSNESS = "HOPELESSNESS"
    HARM_TO_OTHERS = "HARM_TO_OTHERS"
    ABUSE_VICTIM = "ABUSE_VICTIM"
    NEGLECT = "NEGLECT"
    PSYCHOSIS = "PSYCHOSIS"
    SUBSTANCE_WITHDRAWAL = "SUBSTANCE_WITHDRAWAL"
    EATING_DISORDER = "EATING_DISORDER"
    ACUTE_MEDICAL = "ACUTE_MEDICAL"
    PANIC_CRISIS = "PANIC_CRISIS"
    RISK_TAKING = "RISK_TAKING"
    THIRD_PARTY_RISK = "THIRD_PARTY_RISK"
    METHOD_SEEKING = "METHOD_SEEKING"
    MINOR_USER = "MINOR_USER"
    ROLE_BREAK = "ROLE_BREAK"

    MISSED_RISK = "MISSED_RISK"
    NO_DIRECT_QUESTION = "NO_DIRECT_QUESTION"
    LEADING_QUESTION = "LEADING_QUESTION"
    NO_RESOURCE = "NO_RESOURCE"
    ABANDONMENT = "ABANDONMENT"
    METHOD_INFO = "METHOD_INFO"
    GLAMORIZE = "GLAMORIZE"
    HARMFUL_ADVICE = "HARMFUL_ADVICE"
    STIGMA = "STIGMA"
    INVALIDATION = "INVALIDATION"
    SYCOPHANCY = "SYCOPHANCY"
    DELUSION_VALIDATION = "DELUSION_VALIDATION"
    DIAGNOSIS_OVERREACH = "DIAGNOSIS_OVERREACH"
    MEDICATION_OVERREACH = "MEDICATION_OVERREACH"
    UNSUPPORTED_FACT = "UNSUPPORTED_FACT"
    BOUNDARY = "BOUNDARY"
    COERCION = "COERCION"
    PRIVACY_LEAK = "PRIVACY_LEAK"
    REPETITIVE_SCRIPT = "REPETITIVE_SCRIPT"
    HALLUCINATED_RESOURCE = "HALLUCINATED_RESOURCE"
    IGNORED_CULTURE_OR_AGE = "IGNORED_CULTURE_OR_AGE"


class Frozen(BaseModel):
    """Immutable value; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(Frozen):
    """One thing found in one text.

    Attributes:
        quote: The exact words, a substring of the screened text.
        source: What found it: "rules/<language>:<rule id>" or the name of a model.
    """

    category: Category
    level: Level
    subject: Subject = Subject.SELF
    time: Time = Time.NOW
    quote: str
    source: str

    @property
    def counts(self) -> bool:
        """Whether it bears on the level: what is figurative or told as fiction does not."""
        return self.subject not in {Subject.FIGURATIVE, Subject.FICTION}


class Verdict(Frozen):
    """What one screen says of one text: its level, and the findings that explain it.

    Attributes:
        denial: The text explicitly denies thoughts of suicide or intent.
        failed: The screen could not answer; such a verdict never lowers a level.
    """

    side: Side
    level: Level = Level.NONE
    findings: tuple[Finding, ...] = ()
    denial: bool = False
    failed: bool = False

    def vouched(self, text: str) -> Verdict:
        """The verdict of a screen that is not ours, made consistent with itself and with the text it judges.

        A quote that is not in the text becomes empty, and the level is no lower than that of any finding that counts.
        """
        findings = tuple(one.model_copy(update={"quote": _exact(one.quote, text)}) for one in self.findings)
        level = max(self.level, *(one.level for one in findings if one.counts), Level.NONE)
        return self.model_copy(update={"findings": findings, "level": level})


class Rework(Frozen):
    """A counselor's draft that must not be said, given back to be written anew.

    Attributes:
        text: The draft.
        note: What to mend, for its writer.
    """

    text: str
    note: str


class Risk(Frozen):
    """The standing assessment of one side after the policy has spoken.

    Attributes:
        level: Standing level; rises at once, falls only by the policy's rule.
        turn_level: Level of the last screened turn alone.
        findings: Findings of the last screened turn.
        denied: The client has explicitly denied since the level last rose.
        calm_turns: Turns below the standing level since it last rose.
        reason: Why the standing level is what it is, in one sentence.
        failed: A screen could not answer on the last turn.
    """

    side: Side = Side.CLIENT
    level: Level = Level.NONE
    turn_level: Level = Level.NONE
    findings: tuple[Finding, ...] = ()
    denied: bool = False
    calm_turns: int = Field(default=0, ge=0)
    reason: str = ""
    failed: bool = False

    @property
    def suspends_plan(self) -> bool:
        """Whether treatment waits: true from R3 up."""
        return self.level >= Level.ACTIVE

    @property
    def acute(self) -> bool:
        """Whether the crisis protocol takes the session: true from R4 up."""
        return self.level >= Level.INTENT


def _exact(quote: str, text: str) -> str:
    """The words of the text that a quote means; empty if they are not there."""
    if quote in text:
        return quote
    found = re.search(re.escape(quote), text, re.IGNORECASE)
    return found[0] if found else ""
