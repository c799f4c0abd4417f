"""Recording: listens to a graph's stream, writes the session's log and sums it up for the `end` event."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from counselgraph.errors import ModelError
from counselgraph.graphs.state import Ending, StopReason
from counselgraph.models.base import Usage
from counselgraph.runner.events import events_of
from counselgraph.runner.log import Event, SessionLog
from counselgraph.runner.watch import Watch


class Recorder:
    """Turns what a graph streams into the log of one session.

    Args:
        log: Open log of the session.
        truth: Highest risk level the persona was written to show; None if it does not say.
        on_ending: Called as soon as it is known how the session ends; memories are still to be written then.

    Attributes:
        ending: How the session ended, None while it goes on.
        waiting: Payloads of the interrupts the session waits at.
    """

    def __init__(
        self, log: SessionLog, *, truth: int | None = None, on_ending: Callable[[], None] | None = None
    ) -> None:
        self.ending: Ending | None = None
        self.waiting: list[Any] = []
        self._log, self._on_ending = log, on_ending
        self._started = time.perf_counter()
        self._usage: dict[str, Usage] = {}
        self._counts = {"turns": 0, "exchanges": 0, "plans": 0, "repairs": 0, "retries": 0}
        self._counts |= {"discards": 0, "rejects": 0, "journaled": 0}
        self._unusable: Counter[str] = Counter()
        self._watch = Watch(truth)
        self._highest = 0
        self._technique: str | None = None

    def take(self, updates: Mapping[str, Any]) -> None:
        """Record one item of `graph.astream(..., stream_mode="updates")`."""
        for node, update in updates.items():
            if node == "__interrupt__":
                self._wait(update)
            else:
                self._updated(node, update or {})

    def inherit(self, events: Iterable[Event], exchange: int) -> None:
        """Record what a session takes over from another, and that it goes on with an exchange."""
        for event in events:
            self._log.exchange = event["exchange"]
            self.write(event)
        self._log.exchange = exchange

    def close(self, ending: Ending) -> Ending:
        """Write the `end` event."""
        total = sum(self._usage.values(), Usage())
        self.write(
            {
                "event": "end",
                "stop": ending.stop.value,
                "by": ending.by,
                "reason": ending.reason,
                **self._counts,
                "highest_risk": self._highest,
                "technique": self._technique,
                "safety": self._watch.facts().model_dump(mode="json"),
                "unusable_by": dict(sorted(self._unusable.items())),
                "usage": total.model_dump(),
                "usage_by": {key: used.model_dump() for key, used in sorted(self._usage.items())},
                "seconds": round(time.perf_counter() - self._started, 3),
            }
        )
        return ending

    def fail(self, error: Exception) -> Ending:
        """Write an `error` event and the `end` that follows from it.

        A model whose answer cannot be used is the model's failure; everything else is ours or the machine's.
        """
        stop = StopReason.MODEL_ERROR if isinstance(error, ModelError) else StopReason.INFRASTRUCTURE_ERROR
        trace = traceback.format_exception(error)[-3:]
        self.write({"event": "error", "type": type(error).__name__, "message": str(error), "trace": trace})
        return self.close(Ending(stop=stop, by="run", reason=f"{type(error).__name__}: {error}"))

    def _updated(self, node: str, update: Mapping[str, Any]) -> None:
        for event in events_of(node, update):
            self.write(event)
        self._log.exchange = update.get("exchange", self._log.exchange)
        if ending := update.get("ending"):
            self.ending = ending
            if self._on_ending is not None:
                self._on_ending()

    def _wait(self, interrupts: Any) -> None:
        self.waiting = [item.value for item in interrupts]
        self.write({"event": "interrupt", "role": "run", "asks": self.waiting})

    def write(self, event: Mapping[str, Any]) -> None:
        """Record one event."""
        self._count(event)
        self._watch.take(event, self._log.exchange)
        self._log.write(event)

    def _count(self, event: Event | Mapping[str, Any]) -> None:
        match event["event"]:
            case "turn":
                self._counts["turns"] += 1
                self._counts["exchanges"] = max(self._counts["exchanges"], self._log.exchange)
            case "plan":
                self._counts["plans"] += 1
                self._technique = self._technique or event["technique"]
            case "risk" if event["side"] == "client":
                self._highest = max(self._highest, event["level"])
            case "repair":
                self._counts["repairs"] += event.get("again", True)
                self._unusable[f"{event['role']} {event.get('model', '')}".strip()] += 1
            case "discard":
                self._counts["discards"] += 1
            case "reject":
                self._counts["rejects"] += 1
            case "retry":
                self._counts["retries"] += 1
            case "model_call":
                self._spend(event)

    def _spend(self, call: Mapping[str, Any]) -> None:
        key = f"{call['role']} {call['model']}"
        self._usage[key] = self._usage.get(key, Usage()) + Usage.model_validate(call["usage"])
        self._counts["journaled"] += call["journaled"]
