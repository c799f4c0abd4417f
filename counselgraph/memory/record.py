"""One memory: something one owner keeps of one client."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Kind(StrEnum):
    """What a memory is about."""

    SUMMARY = "summary"
    FACT = "fact"
    HOMEWORK = "homework"
    INSIGHT = "insight"
    RISK = "risk"
    PREFERENCE = "preference"
    PROMISE = "promise"


class MemoryRecord(BaseModel):
    """Something one owner keeps of one client.

    Attributes:
        owner: Role that keeps it ("client", "counselor"); another owner never recalls it.
        client_id: Persona id of the client it is about; another client's session never recalls it.
        kind: What it is about.
        text: The memory, one or two sentences.
        session: Id of the session it comes from.
        session_number: 1 for the client's first session, 2 for the next.
        exchange: Exchange it comes from, 0 for the opening.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str = Field(min_length=1)
    client_id: str = Field(min_length=1)
    kind: Kind
    text: str = Field(min_length=1)
    session: str = Field(min_length=1)
    session_number: int = Field(default=1, ge=1)
    exchange: int = Field(default=0, ge=0)

    @property
    def id(self) -> str:
        """Content address: writing the same memory twice is writing it once."""
        parts = (self.owner, self.client_id, self.kind, self.session, str(self.exchange), self.text)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
