"""Everything the client knows when it is its turn to speak."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from counselgraph.memory.record import MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.agenda import spread
from counselgraph.models.rehearsal.client.material import Material, material_of
from counselgraph.models.rehearsal.client.state import State
from counselgraph.models.rehearsal.client.warmth import COOL, WARM, Pair, pairs, warmth
from counselgraph.models.rehearsal.events import event_told
from counselgraph.models.rehearsal.reading import Reading, content_words
from counselgraph.models.rehearsal.speech import Speech
from counselgraph.models.rehearsal.talk import beside_the_point
from counselgraph.models.rehearsal.turns import turn_of
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.protocols.protocol import load_protocol

_SAME = 0.75
"""Share of a sentence's topic words in one earlier turn from which it counts as told."""
_FEW_WORDS = 4
_ONCE = frozenset({"statement", "reason", "onset"})
"""Topics that are told in the first session only."""
_SINCE = "since"
"""The topic of what has happened since the last session."""
_GAIN = {Attitude.POSITIVE: 1.6, Attitude.NEUTRAL: 1.2, Attitude.NEGATIVE: 0.6}
_STORY = 4
"""Sessions over which the pieces of a story are spread."""
_BUDGET = {1: 12, 2: 24, 3: 38}
_STRETCH = {"cool": 0.6, "middle": 1.0, "warm": 1.25}


@dataclass(frozen=True)
class Scene:
    """The client's View, read.

    Attributes:
        turns: The conversation as pairs; the last one waits for the client's words.
        own: What the client has said so far, oldest first.
        warmth: Trust from 0 to 1.
        memories: What the client remembers of earlier sessions.
        since: What has happened since the last one; None in a first session and outside a course.
        state: What a client that changes feels or is ready for; it decides over warmth.
    """

    persona: Persona
    material: Material
    speech: Speech
    turns: Sequence[Pair]
    own: Sequence[str]
    warmth: float
    exchange: int
    memories: tuple[MemoryRecord, ...]
    since: Interlude | None = None
    state: State = field(default_factory=State)

    @classmethod
    def of(cls, request: Request) -> Scene:
        """Read a request; nothing but its View and seed is used."""
        persona: Persona = request.view["persona"]
        since: Interlude | None = request.view.get("since")
        messages = request.view.get("messages", [])
        turns = pairs(messages)
        own = [turn.client for turn in turns[:-1]]
        state = State.of(request.view)
        known = _known_for(request) if since else 0
        return cls(
            persona=persona,
            material=material_of(persona),
            speech=Speech(spread(request.seed, since.event if since else ""), own),
            turns=turns,
            own=own,
            warmth=warmth(persona, turns, known=known) if state.openness is None else state.openness,
            exchange=int(request.view.get("exchange", request.exchange)),
            memories=tuple(request.view.get("client_memories") or ()),
            since=since,
            state=state,
        )

    @property
    def chance(self) -> random.Random:
        """The source of chance of this turn."""
        return self.speech.random

    def sometimes(self, share: float) -> bool:
        """True in this share of turns."""
        return self.chance.random() < share

    @property
    def reading(self) -> Reading:
        """The counselor's last turn as the client takes it."""
        return self.turns[-1].reading

    @property
    def tone(self) -> str:
        """How the client meets the counselor now: "warm", "middle" or "cool"."""
        if self.warmth < COOL:
            return "cool"
        return "warm" if self.warmth > WARM else "middle"

    @property
    def register(self) -> str:
        """How the client talks, whatever word the persona uses for it: "formal", "wry", "clipped" or "plain"."""
        given = self.persona.style.register_.casefold()
        kinds = {
            "formal": ("formal", "polite", "precise", "correct"),
            "wry": ("wry", "dry", "iron", "sarcas", "sardon"),
            "clipped": ("clip", "terse", "blunt", "short", "curt"),
        }
        return next((kind for kind, words in kinds.items() if any(word in given for word in words)), "plain")

    @property
    def budget(self) -> float:
        """About how many words this client spends on an ordinary turn."""
        return _BUDGET[self.persona.style.verbosity] * _STRETCH[self.tone] * self.state.stretch

    @cached_property
    def returning(self) -> int:
        """How many sessions this client remembers; what it told in the first of them is not told again as news."""
        return max((memory.session_number for memory in self.memories), default=int(self.since is not None))

    @property
    def gain(self) -> int:
        """How far the old thought has let go of this client over its sessions, in steps of five; 0 after a relapse."""
        if self.since is None or self.since.relapse:
            return 0
        grown = self.returning * _GAIN[self.persona.attitude] * (0.6 + 0.8 * self.persona.receptivity)
        return max(round(grown) + self.since.mood, 0)

    def share(self, lines: Sequence[str], usable: Callable[[str], bool] = lambda _: True) -> list[str]:
        """The usable lines; in a course those that are this session's to say, so that the next session says others."""
        kept = [line for line in lines if usable(line)]
        if self.since is None:
            return kept
        mine = turn_of(lines, self._turn)
        return [line for line in kept if line in mine] or kept

    def tells_now(self, piece: str) -> bool:
        """Whether a piece of the client's story is this session's to tell, in a later session of a course."""
        return zlib.crc32(piece.encode()) % _STORY == self._turn % _STORY

    @property
    def _turn(self) -> int:
        return self.returning + zlib.crc32(self.persona.id.encode())

    @property
    def negative(self) -> bool:
        """Whether the client came with a negative attitude."""
        return self.persona.attitude is Attitude.NEGATIVE

    @cached_property
    def held_in_row(self) -> int:
        """How many of the client's last turns in a row gave the counselor nothing to work with."""
        count = 0
        for text in reversed(self.own):
            if not gives_nothing(text):
                break
            count += 1
        return count

    def told(self, line: str) -> bool:
        """Whether this has been said, in these words or nearly."""
        head, turn, _rest = line.partition(", but ")
        if not self.speech.fresh(line) or (turn and not self.speech.fresh(head)):
            return True
        words = content_words(line)
        return len(words) >= _FEW_WORDS and any(len(words & said) >= _SAME * len(words) for said in self._topics)

    @cached_property
    def _topics(self) -> list[frozenset[str]]:
        return [content_words(text) for text in self.own if not beside_the_point(text)]

    def untold(self, *facets: str) -> list[str]:
        """Pieces of these topics that have not been told, in the order of the topics.

        Of a piece whose first sentence has been told, the rest is left.
        """
        found = (self._rest(line) for facet in facets for line in self._facet(facet))
        return [line for line in dict.fromkeys(found) if not self.told(line)]

    def _facet(self, name: str) -> Sequence[str]:
        """The pieces of a topic, in a later session those left for it first."""
        if name == _SINCE:
            return self._since()
        lines = self.material.facets.get(name, ())
        if self.since is not None:
            return [line for line in lines if self.tells_now(line) and name not in _ONCE]
        if not self.returning or name in _ONCE:
            return () if self.returning else lines
        start = self.returning % len(lines) if lines else 0
        return (*lines[start:], *lines[:start])

    def _since(self) -> Sequence[str]:
        """What happened since the last session, and what there is to add to it."""
        if self.since is None:
            return ()
        known = event_told(self.persona, self.since.event)
        return (self.since.event, *(known.more if known else ()))

    @property
    def hard_days(self) -> bool:
        """Whether what happened since the last session is a part of the trouble."""
        known = event_told(self.persona, self.since.event) if self.since else None
        return not known.rising if known else self.since is not None and self.since.mood < 0

    def _rest(self, line: str) -> str:
        head, _stop, rest = line.partition(". ")
        return rest if rest and not self.speech.fresh(head) else line

    def nearest(self, lines: Sequence[str]) -> list[str]:
        """Lines in order of how well they meet the counselor's words; equal ones keep their order."""
        asked = content_words(self.reading.question or self.reading.text)
        return sorted(lines, key=lambda line: -len(asked & content_words(line)))


def _known_for(request: Request) -> int:
    """How many sessions client and counselor have known each other."""
    return max((memory.session_number for memory in request.view.get("client_memories") or ()), default=1)


@lru_cache(maxsize=8192)
def gives_nothing(text: str) -> bool:
    """Whether the protocol would read this turn as one that gives nothing to work with."""
    return load_protocol().holds(text, "en")
