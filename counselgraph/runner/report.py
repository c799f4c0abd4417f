"""The report of a run: counts, usage and timings, read off the logs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from counselgraph.errors import InfrastructureError
from counselgraph.graphs.state import StopReason
from counselgraph.models.base import Usage
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.log import Event, last_event

FAILED = frozenset({StopReason.MODEL_ERROR.value, StopReason.INFRASTRUCTURE_ERROR.value})


class Summary(BaseModel):
    """What `summary.json` holds.

    Attributes:
        sessions: Sessions with a log.
        unfinished: Sessions without an end; resume plays them on.
        stops: Stop reason to number of sessions.
        failed: Session id to reason, for sessions that ended in an error.
        techniques: First technique of a session to number of sessions.
        highest_risk: Highest client level of a session to number of sessions.
        exchanges: Exchanges of all ended sessions.
        repairs: Answers that had to be asked for again.
        retries: Calls that had to be made again.
        journaled: Answers that came out of a journal.
        usage: Calls and tokens of all sessions.
        usage_by: The same by role and model.
        session_seconds: Sum of the sessions' own durations; sessions run side by side.
    """

    model_config = ConfigDict(frozen=True)

    sessions: int = 0
    unfinished: int = 0
    stops: dict[str, int] = Field(default_factory=dict)
    failed: dict[str, str] = Field(default_factory=dict)
    techniques: dict[str, int] = Field(default_factory=dict)
    highest_risk: dict[int, int] = Field(default_factory=dict)
    exchanges: int = 0
    repairs: int = 0
    retries: int = 0
    journaled: int = 0
    usage: Usage = Usage()
    usage_by: dict[str, Usage] = Field(default_factory=dict)
    session_seconds: float = 0

    def line(self, out: Path) -> str:
        """The run in one line."""
        stops = ", ".join(f"{count} {stop}" for stop, count in self.stops.items()) or "none ended"
        rest = f", {self.unfinished} unfinished" if self.unfinished else ""
        cost = f"{self.exchanges} exchanges, {self.usage.calls} model calls"
        return f"{out}: {self.sessions} sessions ({stops}{rest}), {cost}"


def summarize(out: str | Path) -> Summary:
    """Sum up a run from the last line of each log, and write `summary.json`.

    Raises:
        InfrastructureError: `summary.json` cannot be written.
    """
    folder = RunFolder(Path(out))
    ends = {file.stem: last_event(file) for file in sorted(folder.sessions.glob("*.jsonl"))}
    summary = _sum(
        {session: end for session, end in ends.items() if end is not None and end["event"] == "end"}, len(ends)
    )
    draft = folder.summary.with_suffix(".part")
    text = json.dumps(summary.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder.summary)
    except OSError as error:
        raise InfrastructureError(f"{folder.summary}: the summary could not be written ({error}).") from error
    return summary


def _sum(ends: dict[str, Event], sessions: int) -> Summary:
    return Summary(
        sessions=sessions,
        unfinished=sessions - len(ends),
        stops=_count(end["stop"] for end in ends.values()),
        failed={session: end["reason"] for session, end in ends.items() if end["stop"] in FAILED},
        techniques=_count(end["technique"] for end in ends.values() if end["technique"]),
        highest_risk=_count(end["highest_risk"] for end in ends.values()),
        usage=sum((Usage.model_validate(end["usage"]) for end in ends.values()), Usage()),
        usage_by=_usage_by(ends.values()),
        session_seconds=round(sum(end["seconds"] for end in ends.values()), 3),
        **{key: sum(end[key] for end in ends.values()) for key in ("exchanges", "repairs", "retries", "journaled")},
    )


def _count(values: Iterable[Any]) -> dict[Any, int]:
    return dict(Counter(values).most_common())


def _usage_by(ends: Iterable[Event]) -> dict[str, Usage]:
    total: dict[str, Usage] = {}
    for end in ends:
        for key, used in end["usage_by"].items():
            total[key] = total.get(key, Usage()) + Usage.model_validate(used)
    return total
