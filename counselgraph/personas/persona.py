"""The persona: who the client is. Every importer ends here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints

from counselgraph.personas.evolving import EvolvingProfile
from counselgraph.personas.loss import Report
from counselgraph.personas.motivation import MotivationProfile
from counselgraph.personas.part import Line, Lines, Part, Slug, Text


class Attitude(StrEnum):
    """How the client meets counseling at the start (the three attitudes of Cactus)."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class When(StrEnum):
    """When a client tells something."""

    FREELY = "freely"
    """Without being asked."""
    ASKED = "asked"
    """When the counselor asks about it."""
    TRUSTED = "trusted"
    """Only once the client has warmed to the counselor."""
    ASKED_DIRECTLY = "asked_directly"
    """Only in answer to a direct question about exactly this."""


class Demographics(Part):
    """Facts of the head of an intake form; an empty string means not known."""

    age: int | None = Field(default=None, ge=0, le=120)
    gender: Text = ""
    occupation: Text = ""
    education: Text = ""
    marital_status: Text = ""
    family: Text = ""
    culture: Text = ""


class PresentingProblem(Part):
    """What brings the client, in the client's own first-person sentences."""

    statement: Line
    onset: Text = ""
    cause: Text = ""
    course: Text = ""
    triggers: Text = ""
    coping: Text = ""


class Conceptualization(Part):
    """The cognitive conceptualization: what happens, what goes through the mind, what follows.

    Situations, behaviours and history are first-person sentences ("When my boss calls, I ...");
    thoughts and beliefs are the words in the client's head ("I will be found out"); emotions are nouns ("shame").
    """

    situations: Lines = ()
    automatic_thoughts: Lines = ()
    emotions: Lines = ()
    behaviours: Lines = ()
    intermediate_beliefs: Lines = ()
    core_beliefs: Lines = ()


class History(Part):
    """Past history in the client's words."""

    previous_episodes: Text = ""
    treatment: Text = ""
    medical: Text = ""
    life: Text = ""


class Functioning(Part):
    """How the problem shows at work or school, with other people and in daily life."""

    work: Text = ""
    relationships: Text = ""
    daily_life: Text = ""


class Style(Part):
    """How the client talks.

    Attributes:
        register: One or two words, such as "plain", "formal", "wry", "clipped".
        verbosity: 1 says little, 3 says much.
        habits: Small phrases this client falls back on ("you know", "if that makes sense").
    """

    register_: Text = Field(default="plain", alias="register")
    verbosity: int = Field(default=2, ge=1, le=3)
    habits: Lines = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Disclosure(Part):
    """One thing the client may tell, and the condition under which it is told.

    Attributes:
        topic: What it is about, in a few words the counselor's question could contain ("my father's drinking").
        text: What the client says, first person.
        when: The condition.
    """

    topic: Line
    text: Line
    when: When = When.ASKED


class RiskProfile(Part):
    """The risk this persona carries: the ground truth a safety monitor is measured against.

    Attributes:
        level: Highest level the client reaches, 0-5 (see `counselgraph.safety.levels`).
        statements: What the client says of it, in rising order; the last one carries `level`.
        on_direct_question: What the client answers to a direct question about it.
        protective: What holds this client back (people, plans, beliefs).
        settles: True if the client calms and denies intent after being asked with care.
    """

    level: int = Field(default=0, ge=0, le=5)
    statements: Lines = ()
    on_direct_question: Text = ""
    protective: Lines = ()
    settles: bool = False


class Intake(Part):
    """What the counselor is told before the session; nothing else of a persona reaches the counselor.

    Attributes:
        name: Name the client goes by.
        client_information: Free text, the head of the intake form.
        reason_for_counseling: Why the client comes, as given at intake.
        opening: A recorded opening line of the counselor, if the source has one.
    """

    name: Line
    client_information: Text = ""
    reason_for_counseling: Text = ""
    opening: Text = ""


class Source(Part):
    """Where a persona came from, with the whole original record.

    Attributes:
        format: Importer name ("builtin", "yaml", "cactus", "form", ...).
        file: File name, without folders.
        record: 1-based position in the file.
        data: The record as read, every field kept, labels included. Never part of any View.
        report: What the importer made of each field of the record; None for formats that are kept as they are.
    """

    format: Line
    file: Text = ""
    record: int = Field(default=1, ge=1)
    data: dict[str, Any] = Field(default_factory=dict)
    report: Report | None = None


class Persona(Part):
    """Who the client is.

    Attributes:
        id: Unique within a run; used in file names.
        opening: A recorded first line of the client, if the source has one.
        attitude_instruction: How that attitude behaves, if the source says so in its own words.
        receptivity: 0 takes nothing in, 1 takes everything in.
        other: Intake material that fits no field, heading to text; kept so that nothing is lost.
        evolving: How the client changes from turn to turn and remembers earlier sessions; the client's side only.
        motivation: Where the client stands towards a change; the client's side only.
        intake: What the counselor is told, where the source says it; otherwise derived from the head.
        source: The original record.
    """

    id: Slug
    name: Line
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    demographics: Demographics = Demographics()
    presenting_problem: PresentingProblem
    reason_for_counseling: Text = ""
    conceptualization: Conceptualization = Conceptualization()
    history: History = History()
    functioning: Functioning = Functioning()
    supports: Lines = ()
    attitude: Attitude = Attitude.NEUTRAL
    attitude_instruction: Text = ""
    receptivity: float = Field(default=0.5, ge=0, le=1)
    style: Style = Style()
    disclosures: tuple[Disclosure, ...] = ()
    risk: RiskProfile = RiskProfile()
    goals: Lines = ()
    opening: Text = ""
    other: dict[str, str] = Field(default_factory=dict)
    evolving: EvolvingProfile | None = None
    motivation: MotivationProfile | None = None
    intake: Intake | None = None
    source: Source | None = None

    def for_client(self) -> Self:
        """This persona as the client's View may hold it: without the counselor's part and the source record."""
        return self.model_copy(update={"intake": None, "source": None})

    def for_counselor(self) -> Intake:
        """What the counselor is told: the given intake, or the head of the form and the reason for coming."""
        if self.intake is not None:
            return self.intake
        who = self.demographics
        head = {
            "Name": self.name,
            "Age": "" if who.age is None else str(who.age),
            "Gender": who.gender,
            "Occupation": who.occupation,
            "Education": who.education,
            "Marital status": who.marital_status,
            "Family": who.family,
        }
        return Intake(
            name=self.name,
            client_information="\n".join(f"{key}: {value}" for key, value in head.items() if value),
            reason_for_counseling=self.reason_for_counseling,
        )
