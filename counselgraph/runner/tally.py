"""The tally of an export: everything its data card says in figures, counted while the rows are written."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counselgraph.runner.log import SessionRecord
from counselgraph.runner.public import public_model
from counselgraph.runner.splits import client_of

SHOWN_PROMPTS = 12
"""Prompts of a role that a card names; every row names its own."""
SHOWN_FILES = 40
"""Persona files of an importer that a card names; every row names its own."""


class Capped:
    """Counts the first values it meets, and the rest of them together.

    Args:
        room: How many values are counted on their own.

    Attributes:
        first: Value to count.
        rest: Count of all other values.
    """

    def __init__(self, room: int) -> None:
        self.first: Counter[str] = Counter()
        self.rest = 0
        self._room = room

    def add(self, value: str) -> None:
        """Count a value once more."""
        if value in self.first or len(self.first) < self._room:
            self.first[value] += 1
        else:
            self.rest += 1


@dataclass(slots=True)
class Part:
    """One file of an export.

    Attributes:
        sessions: Rows.
        exchanges: Exchanges of these sessions.
        clients: Who they are, as short digests; replicates and attitudes of one form are one client.
    """

    sessions: int = 0
    exchanges: int = 0
    clients: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Tally:
    """Counts over the sessions of an export, in memory that does not grow with them but for the clients' digests.

    Attributes:
        parts: Split to its figures; the nameless one where there are no splits.
        runs: Run id to sessions.
        turns: (role, kind) to turns.
        tokens: (role, model) to calls, tokens and answers that could not be used.
        assessments: (side, level of the turn) to safety assessments.
        findings: (side, category, level) to safety findings.
        sources: Importer to sessions by persona file.
        prompts: Role to sessions by hash of its system prompt.
        counts: What else there is: column to value to sessions.
        unfinished: Sessions left out because they have no end.
        failed: Stop reason to sessions left out because an error ended them.
        marked: Sessions that are rehearsal material.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)
    turns: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    assessments: Counter[tuple[str, int]] = field(default_factory=Counter)
    findings: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    sources: dict[str, Capped] = field(default_factory=dict)
    prompts: dict[str, Capped] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    unfinished: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    marked: int = 0

    @property
    def sessions(self) -> int:
        """Sessions written."""
        return sum(part.sessions for part in self.parts.values())

    def add(self, record: SessionRecord, row: Mapping[str, Any], split: str) -> None:
        """Count a session that is written.

        Args:
            record: The session.
            row: What is written of it.
            split: Where it is written.
        """
        end = record.events[-1]
        part = self.parts[split]
        part.sessions += 1
        part.exchanges += end["exchanges"]
        part.clients.add(hashlib.sha256(client_of(record.header).encode()).digest()[:8])
        self.runs[row["run"]] += 1
        self.marked += row["rehearsal"]
        source = row["source"]
        self.sources.setdefault(source["format"] or "unknown", Capped(SHOWN_FILES)).add(source["file"] or "")
        self._describe(record)
        self._listen(record)
        self._spend(end["usage_by"], end.get("unusable_by", {}))
        self._prompted(row["prompt_hashes"])

    def _describe(self, record: SessionRecord) -> None:
        header, end = record.header, record.events[-1]
        values = {
            "language": header["language"],
            "attitude": header["persona"]["attitude"],
            "technique": end["technique"] or "none",
            "stop": end["stop"],
            "highest risk": f"R{end['highest_risk']}",
        }
        for column, value in values.items():
            self.counts.setdefault(column, Counter())[value] += 1

    def _listen(self, record: SessionRecord) -> None:
        for said in record.turns:
            self.turns[said["role"], said["kind"]] += 1
        for risk in record.of("risk"):
            self.assessments[risk["side"], risk["turn_level"]] += 1
            for finding in risk["findings"]:
                self.findings[risk["side"], finding["category"], finding["level"]] += 1

    def _spend(self, usage_by: Mapping[str, Mapping[str, int]], unusable_by: Mapping[str, int]) -> None:
        for key, used in usage_by.items():
            role, _, model = key.partition(" ")
            spent = self.tokens.setdefault((role, public_model(model)), Counter())
            spent.update(used)
            spent["unusable"] += unusable_by.get(key, 0)

    def _prompted(self, prompt_hashes: Mapping[str, Sequence[str]]) -> None:
        for role, hashes in prompt_hashes.items():
            known = self.prompts.setdefault(role, Capped(SHOWN_PROMPTS))
            for each in hashes:
                known.add(each)
