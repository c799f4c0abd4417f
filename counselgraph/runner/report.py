"""The report of a run: counts, usage and timings, read off the logs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from counselgraph.errors import InfrastructureError
from counselgraph.graphs.course_state import CourseStop
from counselgraph.graphs.state import StopReason
from counselgraph.models.base import Usage
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.log import Event, last_event

_SUMMED = ("exchanges", "repairs", "retries", "discards", "rejects", "journaled")
FAILED = frozenset({StopReason.MODEL_ERROR.value, StopReason.INFRASTRUCTURE_ERROR.value})


class Summary(BaseModel):
    """What `summary.json` holds.

    Attributes:
        sessions: Sessions with a log.
        unfinished: Sessions without an end; resume plays them on.
        stops: Stop reason to number of sessions.
        courses: How courses ended, to number of courses; empty for a run of single sessions.
        failed: Session id to reason, for sessions that ended in an error.
        techniques: First technique of a session to number of sessions.
        highest_risk: Highest client level of a session to number of sessions.
        exchanges: Exchanges of all ended sessions.
        repairs: Answers that had to be asked for again.
        retries: Calls that had to be made again.
        discards: Drafts thrown away with the turn they answer, because a model screen had flagged it.
        rejects: Drafts of the counselor that were not fit to be said.
        journaled: Answers that came out of a journal.
        unusable_by: Answers that did not parse or were empty, those never mended included, by role and model.
        usage: Calls and tokens of all sessions.
        usage_by: The same by role and model.
        session_seconds: Sum of the sessions' own durations; sessions run side by side.
    """

    model_config = ConfigDict(frozen=True)

    sessions: int = 0
    unfinished: int = 0
    stops: dict[str, int] = Field(default_factory=dict)
    courses: dict[str, int] = Field(default_factory=dict)
    failed: dict[str, str] = Field(default_factory=dict)
    techniques: dict[str, int] = Field(default_factory=dict)
    highest_risk: dict[int, int] = Field(default_factory=dict)
    exchanges: int = 0
    repairs: int = 0
    retries: int = 0
    discards: int = 0
    rejects: int = 0
    journaled: int = 0
    unusable_by: dict[str, int] = Field(default_factory=dict)
    usage: Usage = Usage()
    usage_by: dict[str, Usage] = Field(default_factory=dict)
    session_seconds: float = 0

    def line(self, out: Path) -> str:
        """The run in one line."""
        stops = ", ".join(f"{count} {stop}" for stop, count in self.stops.items()) or "none ended"
        rest = f", {self.unfinished} unfinished" if self.unfinished else ""
        cost = f"{self.exchanges} exchanges, {self.usage.calls} model calls"
        told = ", ".join(f"{count} {stop}" for stop, count in self.courses.items())
        courses = f"{sum(self.courses.values())} courses ({told}), " if told else ""
        return f"{out}: {courses}{self.sessions} sessions ({stops}{rest}), {cost}"


def summarize(out: str | Path) -> Summary:
    """Sum up a run from the last line of each log, and write `summary.json`.

    Raises:
        InfrastructureError: `summary.json` cannot be written.
    """
    folder, sums = RunFolder(Path(out)), _Sums()
    for file in folder.logs():
        sums.take(file.stem, last_event(file))
    for file in folder.course_logs():
        sums.take_course(file.stem, last_event(file))
    summary = sums.summary()
    draft = folder.summary.with_suffix(".part")
    text = json.dumps(summary.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder.summary)
    except OSError as error:
        raise InfrastructureError(f"{folder.summary}: the summary could not be written ({error}).") from error
    return summary


@dataclass(slots=True)
class _Sums:
    """The sums of a run while its logs are read; only the reasons of failures grow with it."""

    totals: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    courses: Counter[str] = field(default_factory=Counter)
    techniques: Counter[str] = field(default_factory=Counter)
    highest_risk: Counter[int] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    unusable: Counter[str] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)
    usage_by: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: float = 0

    def take(self, session: str, end: Event | None) -> None:
        """Add a session by the last event of its log."""
        self.totals["sessions"] += 1
        if end is None or end["event"] != "end":
            self.totals["unfinished"] += 1
            return
        self.stops[end["stop"]] += 1
        self.highest_risk[end["highest_risk"]] += 1
        if end["technique"]:
            self.techniques[end["technique"]] += 1
        if end["stop"] in FAILED:
            self.failed[session] = end["reason"]
        for key in _SUMMED:
            self.totals[key] += end.get(key, 0)
        self.seconds += end["seconds"]
        self.unusable.update(end.get("unusable_by", {}))
        self.usage.update(end["usage"])
        for key, used in end["usage_by"].items():
            self.usage_by.setdefault(key, Counter()).update(used)

    def take_course(self, course: str, end: Event | None) -> None:
        """Add a course by the last event of its log; its own calls, those of its sessions are in theirs."""
        if end is None or end["event"] != "end":
            self.courses["unfinished"] += 1
            return
        self.courses[end["stop"]] += 1
        if end["stop"] == CourseStop.FAILED:
            self.failed[course] = end["reason"]
        for key in ("repairs", "retries", "journaled"):
            self.totals[key] += end[key]
        self.usage.update(end["usage"])
        for key, used in end["usage_by"].items():
            self.usage_by.setdefault(key, Counter()).update(used)

    def summary(self) -> Summary:
        """All of it."""
        return Summary(
            courses=dict(self.courses.most_common()),
            stops=dict(self.stops.most_common()),
            failed=self.failed,
            techniques=dict(self.techniques.most_common()),
            highest_risk=dict(self.highest_risk.most_common()),
            unusable_by=dict(sorted(self.unusable.items())),
            usage=Usage.model_validate(dict(self.usage)),
            usage_by={key: Usage.model_validate(dict(used)) for key, used in self.usage_by.items()},
            session_seconds=round(self.seconds, 3),
            **self.totals,
        )
