"""What somebody said, in the plainest form: for what knows no agent and no LangChain message."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """One turn.

    Attributes:
        role: "client", "counselor" or another seat.
        text: Its words.
    """

    role: str
    text: str
