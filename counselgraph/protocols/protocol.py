"""A protocol: the steps of a therapy, read from a data file."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property, lru_cache

from pydantic import BaseModel, ConfigDict, Field

from counselgraph.errors import ConfigError
from counselgraph.protocols.approach import Approach
from counselgraph.protocols.files import PACKAGE, did_you_mean, read_protocol_file
from counselgraph.protocols.technique import AnyTechnique, ApproachName, Phase


class Step(BaseModel):
    """One step of a session: what the counselor's next turn is for.

    Attributes:
        id: Name within its phase or technique ("evidence_for").
        phase: Phase it belongs to.
        aim: What the counselor should do, in one or two sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    phase: Phase
    aim: str


class TechniqueSteps(BaseModel):
    """How one technique is worked.

    Attributes:
        label: Name as the literature writes it.
        use_when: When it fits, in one sentence.
        homework: The task that goes with it.
        seen: What the client shows when it fits, as a clause ("the client is of two minds").
        cues: Language to regular expressions with their weights: what calls for it in the client's words. Empty where
            the reading of cues lives elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    use_when: str
    steps: tuple[Step, ...] = Field(min_length=1)
    homework: str
    seen: str = ""
    cues: dict[str, dict[str, float]] = Field(default_factory=dict)


class Protocol(BaseModel):
    """A therapy as data: phases, techniques, and the cues by which an answer is read.

    Attributes:
        approach: What the therapy is, when it fits and how one hears whether it helps.
        schedule: Exchanges between two scheduled looks at the plan.
        patience: Held answers in a row before a step counts as stalled.
        phase_names: The approach's own words for the phases, where it has any.
        choosing: Rules for a planner that finds several techniques to fit.
        phasing: Rules for a planner that chooses a phase.
        cues: Language to cue kind ("held", "belief") to regular expressions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: ApproachName
    approach: Approach
    schedule: int = Field(ge=1)
    patience: int = Field(ge=1)
    phase_names: dict[Phase, str] = Field(default_factory=dict)
    phases: dict[Phase, tuple[Step, ...]]
    techniques: dict[AnyTechnique, TechniqueSteps]
    choosing: tuple[str, ...] = ()
    phasing: dict[Phase, str]
    cues: dict[str, dict[str, tuple[str, ...]]]

    # Not private attributes: pydantic takes twenty times as long to find those, and every answer is looked up here.
    @cached_property
    def patterns(self) -> dict[tuple[str, str], re.Pattern[str]]:
        """Language and cue kind to one expression for all cues of that kind."""
        return {
            (language, kind): re.compile("|".join(f"(?:{cue})" for cue in cues), re.IGNORECASE)
            for language, kinds in self.cues.items()
            for kind, cues in kinds.items()
        }

    @cached_property
    def matches(self) -> Callable[[str, str, str], bool]:
        """Whether a text gives a cue, by language and kind; remembered, since a plan reads all at every turn."""

        def found(text: str, language: str, kind: str) -> bool:
            pattern = self.patterns.get((language, kind))
            return pattern is not None and pattern.search(text) is not None

        return lru_cache(maxsize=8192)(found)

    def steps_from(self, phase: Phase, technique: AnyTechnique, *, close: bool) -> tuple[Step, ...]:
        """All steps from `phase` to the end of the session, or to the end of the technique if not `close`."""
        if phase is Phase.CLOSING:
            return self.phases[Phase.CLOSING]
        before = {
            Phase.AGENDA: self.phases[Phase.AGENDA] + self.phases[Phase.EXPLORATION],
            Phase.EXPLORATION: self.phases[Phase.EXPLORATION],
            Phase.INTERVENTION: (),
        }[phase]
        after = self.phases[Phase.CLOSING] if close else ()
        return before + self.techniques[technique].steps + after

    def holds(self, text: str, language: str) -> bool:
        """Whether a client's answer gives nothing to work with."""
        return self.matches(text, language, "held")

    def discloses_belief(self, text: str, language: str) -> bool:
        """Whether a client's turn says what they take themselves to be."""
        return self.matches(text, language, "belief")


def load_protocol(name: str = ApproachName.CBT) -> Protocol:
    """Read a built-in protocol; the same object every time.

    Args:
        name: One of `ApproachName`.

    Raises:
        ConfigError: No protocol of that name is built in.
        InputError: Its file is broken; the message names file, field and fix.
    """
    return _read(str(name))


@lru_cache(maxsize=16)
def _read(name: str) -> Protocol:
    if name not in list(ApproachName):
        raise ConfigError(f"No protocol named {name!r} is built in; {did_you_mean(name, ApproachName)}")
    return read_protocol_file(PACKAGE / f"{name}.yaml", Protocol)


def load_approaches() -> tuple[Approach, ...]:
    """Every approach that is built in, the default first."""
    return tuple(load_protocol(name).approach for name in ApproachName)
