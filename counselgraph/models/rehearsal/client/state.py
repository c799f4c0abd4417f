"""The private state of a client that changes, as far as it colours how the rehearsal client talks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from counselgraph.models.rehearsal.bank import bank
from counselgraph.personas import unfolding
from counselgraph.personas.emotion import Emotion
from counselgraph.personas.evolving import Mood
from counselgraph.personas.lexicon import emotion_words
from counselgraph.personas.motivation import Stage
from counselgraph.personas.moves import Action
from counselgraph.personas.persona import Persona
from counselgraph.personas.readiness import Readiness
from counselgraph.personas.readiness import profile_of as motivation_of
from counselgraph.personas.told import About
from counselgraph.personas.unfolding import Unfolding

SUSTAINS = frozenset({Action.DENY, Action.DOWNPLAY, Action.BLAME, Action.REJECT})
"""What speaks for leaving things as they are."""
_TRUST = {Stage.PRECONTEMPLATION: 0.22, Stage.CONTEMPLATION: 0.46, Stage.PREPARATION: 0.58, Stage.ACTION: 0.68}
_RECEIVES, _GUARD = 0.3, 0.1
_FELT = 0.6
"""How much an emotion above or below its baseline shows in how open the client is."""
_EASED, _SUNK = 0.1, -0.12
_FLAT, _LOW = 0.22, -0.3
_LONGER, _SHORTER, _HEAVY = 1.25, 0.7, 0.65


@dataclass(frozen=True)
class State:
    """What a changing client feels, has opened up to, or is ready for; all None for a client that does not change.

    Attributes:
        emotion: Its emotion at this turn.
        complaint: How far it has opened up.
        readiness: Where it stands towards a change, and what it does with this turn.
        baseline: Where its emotion comes to rest.
        session: Number of the session.
        withheld: The reason for a change, which is told when the state says so and not in passing; "" if there is none.
    """

    emotion: Emotion | None = None
    complaint: Unfolding | None = None
    readiness: Readiness | None = None
    baseline: Mood = field(default_factory=Mood)
    session: int = 1
    withheld: str = ""

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> State:
        """Read a View; its states may be JSON, as they are in a log."""
        persona: Persona = view["persona"]
        emotion, complaint, readiness = (view.get(name) for name in ("emotion", "complaint", "readiness"))
        if emotion is None and complaint is None and readiness is None:
            return cls()
        return cls(
            emotion=None if emotion is None else Emotion.model_validate(emotion),
            complaint=None if complaint is None else Unfolding.model_validate(complaint),
            readiness=None if readiness is None else Readiness.model_validate(readiness),
            baseline=unfolding.profile_of(persona).baseline,
            session=int(view.get("session_number") or 1),
            withheld="" if readiness is None else motivation_of(persona).motivation,
        )

    @property
    def lift(self) -> float:
        """How far the client feels above where it comes to rest; negative below."""
        return 0.0 if self.emotion is None else self.emotion.valence - self.baseline.valence

    @property
    def eased(self) -> bool:
        """Whether the client feels clearly better than at rest."""
        return self.lift >= _EASED

    @property
    def sunk(self) -> bool:
        """Whether the client feels clearly worse than at rest."""
        return self.lift <= _SUNK

    @property
    def sustains(self) -> bool:
        """Whether this turn speaks for leaving things as they are."""
        return self.readiness is not None and self.readiness.action in SUSTAINS

    @property
    def refuses(self) -> bool:
        """Whether this turn gives the counselor no hold."""
        return self.readiness is not None and self.readiness.action in {Action.DENY, Action.REJECT}

    @property
    def family(self) -> str:
        """The family of feelings whose words the client's turn takes on; "" without an emotion."""
        return "" if self.emotion is None else family_of(self.emotion.word, self.emotion.valence, self.emotion.arousal)

    @property
    def openness(self) -> float | None:
        """Trust from 0 to 1 as the state has it; None where there is no state, and the conversation decides."""
        if self.complaint is not None:
            return min(max(self.complaint.trust + _FELT * self.lift, 0.0), 1.0)
        if self.readiness is not None:
            ready = _TRUST[self.readiness.stage] + _RECEIVES * (self.readiness.receptivity - 0.5)
            return min(max(ready - _GUARD * self.sustains, 0.0), 1.0)
        return None

    @property
    def stretch(self) -> float:
        """By how much turns are longer or shorter than this client's usual ones."""
        if self.readiness is not None:
            return _SHORTER if self.refuses else 1.0
        if self.emotion is None:
            return 1.0
        if self.emotion.arousal <= _FLAT and self.emotion.valence <= _LOW:
            return _HEAVY
        return _LONGER if self.eased else _SHORTER if self.sunk else 1.0

    def complaints_of_now(self) -> list[str]:
        """The complaints that this session has opened, oldest first."""
        told = () if self.complaint is None else self.complaint.told
        return [note.text for note in told if note.about is About.COMPLAINT and note.session == self.session]


@lru_cache(maxsize=1024)
def family_of(word: str, valence: float, arousal: float) -> str:
    """The family of a noun for an emotion; of the nearest noun that is known, for one that is not."""
    families: Mapping[str, list[str]] = bank("client/emotion")["families"]
    found = next((name for name, words in families.items() if word.casefold() in words), None)
    if found is not None:
        return found
    places = emotion_words()
    known = [noun for words in families.values() for noun in words if noun in places]
    nearest = min(known, key=lambda noun: math.dist((valence, arousal), places[noun]))
    return next(name for name, words in families.items() if nearest in words)
