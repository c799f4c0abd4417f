"""Hybrid recall: memories ranked by meaning, words, recency, importance and what is still owed. Pure functions.

    score = meaning * cosine + words * BM25 / best BM25 + recency * R + importance * (i - 1) / 4 + open * (0 or 1)

R is the retention of `forgetting.py`. The weights are those that benchmarks/memory.md settled.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counselgraph.memory.forgetting import Forgetting
from counselgraph.memory.lexical import terms
from counselgraph.memory.record import LEAST, MOST, MemoryRecord, Moment

Vector = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
Counts = tuple[Counter[str], ...]

# Scores are compared to this many decimals, so that the last bits of a sum never decide an order.
_DECIMALS = 6
# BM25's usual constants: how fast a repeated word stops counting, and how much a long memory is held back.
_SATURATION, _LENGTH = 1.2, 0.75


@dataclass(frozen=True)
class Weights:
    """What counts how much in recall; zero switches a part off."""

    meaning: float = 0.5
    words: float = 1.0
    recency: float = 0.05
    importance: float = 0.1
    open: float = 0.1


@dataclass(frozen=True)
class Candidates:
    """Memories of one owner and client, ready to be ranked.

    Attributes:
        records: The memories.
        vectors: Their vectors, shape (len(records), dimension); none where Chroma computed the cosines.
        counts: How often each word stem occurs in each of them.
        sample: Word stems of the memories from which a word's rarity is taken, where these are only the nearest of
            many: among them the words of the query are never rare. None: these themselves.
    """

    records: tuple[MemoryRecord, ...]
    vectors: Vector
    counts: Counts
    sample: Counts | None = None

    @classmethod
    def of(
        cls, records: Sequence[MemoryRecord], vectors: Vector | None = None, sample: Counts | None = None
    ) -> Candidates:
        """Count the words of memories."""
        known = np.zeros((0, 0), np.float32) if vectors is None else vectors
        return cls(tuple(records), known, tuple(Counter(terms(record.text)) for record in records), sample)


@dataclass(frozen=True)
class Sight:
    """From where memories are looked at.

    Attributes:
        at: The session at hand.
        unless: Session whose memories are left out.
        forgetting: Policy, None if nothing is out of reach.
    """

    at: Moment | None
    unless: str | None
    forgetting: Forgetting | None

    def sees(self, record: MemoryRecord, now: Moment) -> bool:
        """Whether a memory is known, valid and in reach."""
        if record.session == self.unless or not (record.known_at(self.at) and record.valid_at(self.at)):
            return False
        return self.forgetting is None or not self.forgetting.out_of_reach(record, now)

    def now(self, records: Sequence[MemoryRecord]) -> Moment:
        """The session at hand; if there is none, the one after the last that is remembered, on its day."""
        if self.at is not None:
            return self.at
        latest = max((record.session_number for record in records), default=0)
        return Moment(latest + 1, max((record.day for record in records), default=0.0))


def rank(
    candidates: Candidates, meaning: Scores, query: str, sight: Sight, weights: Weights
) -> tuple[MemoryRecord, ...]:
    """Return the memories that can be seen, the best first.

    Args:
        candidates: Memories of one owner and client.
        meaning: Cosine of each with the query, shape (len(candidates.records),).
        query: The text whose words count.
        sight: From where they are looked at.
        weights: What counts how much.

    Returns:
        Memories by falling score; of equal ones the later session first, then by exchange, text and id.
    """
    records, now = candidates.records, sight.now(candidates.records)
    fading = sight.forgetting or Forgetting()
    total = (
        weights.meaning * meaning
        + weights.words * bm25(candidates.counts, terms(query), candidates.sample)
        + weights.recency * np.array([fading.retention(record, now.day) for record in records])
        + weights.importance * np.array([(record.importance - LEAST) / (MOST - LEAST) for record in records])
        + weights.open * np.array([record.open_at(sight.at) for record in records])
    )
    scores = total.round(_DECIMALS).tolist()
    seen = [(score, record) for score, record in zip(scores, records, strict=True) if sight.sees(record, now)]
    seen.sort(key=lambda pair: (-pair[0], -pair[1].session_number, pair[1].exchange, pair[1].text, pair[1].id))
    return tuple(record for _, record in seen)


def cosines(vectors: Vector, query: Vector) -> Scores:
    """Cosine of each unit vector with another, shape (len(vectors),); of no vectors, none."""
    # Row by row, not as a matrix product, whose last bits depend on where in the matrix a row stands.
    products: Scores = (vectors.reshape(-1, len(query)).astype(np.float64) * query).sum(axis=1)
    return products


def bm25(counts: Sequence[Counter[str]], query: Sequence[str], sample: Sequence[Counter[str]] | None = None) -> Scores:
    """BM25 of each text for a query, divided by the best, so from 0 to 1.

    Args:
        counts: Word stems of each text with how often they occur.
        query: Word stems of the query.
        sample: Texts that say how rare a word is and how long a text is; the texts themselves if None.

    Returns:
        Array of shape (len(counts),), all 0 where no word is shared.
    """
    among = counts if sample is None else sample
    scores = np.zeros(len(counts))
    mean = (sum(count.total() for count in among) / len(among) if among else 0.0) or 1.0
    lengths = np.array([count.total() for count in counts], dtype=np.float64)
    held_back = _SATURATION * (1 - _LENGTH + _LENGTH * lengths / mean)
    for term, asked in sorted(Counter(query).items()):
        occurs = np.array([count[term] for count in counts], dtype=np.float64)
        if occurs.any():
            texts = sum(term in count for count in among)
            rarity = math.log(1 + (len(among) - texts + 0.5) / (texts + 0.5))
            scores += asked * rarity * occurs * (_SATURATION + 1) / (occurs + held_back)
    best: float = scores.max(initial=0.0)
    return scores / best if best else scores
