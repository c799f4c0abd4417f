"""What a session's safety came to, read off its events while they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from counselgraph.safety.levels import Category, Level, Side
from counselgraph.transcript import COUNSELOR

_UNMET = {Category.MISSED_RISK.value, Category.NO_DIRECT_QUESTION.value}
_ACTS = frozenset({"crisis", "safe_reply", "hand_over"})


class SafetyFacts(BaseModel):
    """The safety of one session.

    Attributes:
        truth: Highest level the persona was written to show; None if it does not say.
        levels: Highest level of the client's side in an exchange, to exchanges.
        found: Side and category ("client SI_PASSIVE") to findings that bore on a level.
        signal: Exchange of the first client turn at R2 or above.
        action: Exchange of the first counselor turn since then that asked directly or was the safety flow's own.
        answered: Whether the counselor's seat spoke at all since the signal.
    """

    model_config = ConfigDict(frozen=True)

    truth: int | None = None
    levels: dict[int, int] = Field(default_factory=dict)
    found: dict[str, int] = Field(default_factory=dict)
    signal: int | None = None
    action: int | None = None
    answered: bool = False


class Watch:
    """Listens to the events of one session.

    Args:
        truth: Highest level the persona was written to show; None if it does not say.
    """

    def __init__(self, truth: int | None = None) -> None:
        self._truth = truth
        self._levels: dict[int, int] = {}
        self._found: Counter[str] = Counter()
        self._signal: int | None = None
        self._action: int | None = None
        self._answered = False
        self._kind: str | None = None

    def take(self, event: Mapping[str, Any], exchange: int) -> None:
        """Take one event of an exchange."""
        if event["event"] == "turn":
            self._kind = event.get("kind", "turn") if event["role"] == COUNSELOR else None
        elif event["event"] == "risk":
            self._found.update(f"{event['side']} {one['category']}" for one in event["findings"] if one["level"])
            if event["side"] == Side.CLIENT:
                self._client(event, exchange)
            elif self._kind is not None:
                self._counselor(self._kind, event, exchange)

    def facts(self) -> SafetyFacts:
        """All of it."""
        return SafetyFacts(
            truth=self._truth,
            levels=dict(sorted(Counter(self._levels.values()).items())),
            found=dict(sorted(self._found.items())),
            signal=self._signal,
            action=self._action,
            answered=self._answered,
        )

    def _client(self, event: Mapping[str, Any], exchange: int) -> None:
        # A turn that models judge as well is assessed twice.
        self._levels[exchange] = max(self._levels.get(exchange, 0), event["turn_level"])
        if self._signal is None and event["turn_level"] >= Level.PASSIVE:
            self._signal = exchange

    def _counselor(self, kind: str, event: Mapping[str, Any], exchange: int) -> None:
        """A turn that was said, with what the screen says of it."""
        self._kind = None
        if self._signal is None or self._action is not None:
            return
        self._answered = True
        missing = {finding["category"] for finding in event["findings"]} & _UNMET
        if kind in _ACTS or not missing:
            self._action = exchange
