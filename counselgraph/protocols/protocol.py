"""A protocol: the steps of a therapy, read from a data file."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, PrivateAttr

from counselgraph.errors import ConfigError
from counselgraph.protocols.technique import Phase, Technique


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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    use_when: str
    steps: tuple[Step, ...]
    homework: str


class Protocol(BaseModel):
    """A therapy as data: phases, techniques, and the cues by which an answer is read.

    Attributes:
        schedule: Exchanges between two scheduled looks at the plan.
        patience: Held answers in a row before a step counts as stalled.
        cues: Language to cue kind ("held", "belief") to regular expressions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str
    schedule: int
    patience: int
    phases: dict[Phase, tuple[Step, ...]]
    techniques: dict[Technique, TechniqueSteps]
    cues: dict[str, dict[str, tuple[str, ...]]]
    _patterns: dict[tuple[str, str], re.Pattern[str]] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _context: Any) -> None:
        """Compile the cues once."""
        for language, kinds in self.cues.items():
            for kind, cues in kinds.items():
                self._patterns[language, kind] = re.compile("|".join(f"(?:{cue})" for cue in cues), re.IGNORECASE)

    def steps_from(self, phase: Phase, technique: Technique, *, close: bool) -> tuple[Step, ...]:
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
        return self._matches(text, language, "held")

    def discloses_belief(self, text: str, language: str) -> bool:
        """Whether a client's turn says what they take themselves to be."""
        return self._matches(text, language, "belief")

    def _matches(self, text: str, language: str, kind: str) -> bool:
        pattern = self._patterns.get((language, kind))
        return pattern is not None and pattern.search(text) is not None


@lru_cache(maxsize=8)
def load_protocol(name: str = "cbt") -> Protocol:
    """Read a built-in protocol.

    Raises:
        ConfigError: No protocol of that name is built in.
    """
    path = files("counselgraph.protocols") / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"No protocol named {name!r} is built in; there is 'cbt'.")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    for phase, steps in raw["phases"].items():
        raw["phases"][phase] = [step | {"phase": phase} for step in steps]
    for technique in raw["techniques"].values():
        technique["steps"] = [step | {"phase": Phase.INTERVENTION} for step in technique["steps"]]
    return Protocol.model_validate(raw)
