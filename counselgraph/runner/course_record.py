"""The log of a course as its readers want it: the progress record, a row a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from counselgraph.runner.folder import RunFolder
from counselgraph.runner.log import Event, read_session
from counselgraph.runner.story import technique_label

HEADS = ("session", "day", "approach", "technique", "stop", "progress", "until the next one", "what moved")
_MOODS = {-2: "much worse", -1: "worse", 0: "as before", 1: "better", 2: "much better"}


@dataclass(frozen=True, slots=True)
class Row:
    """One session of a course, its review and the time after it.

    Attributes:
        session: Session id.
        day: Day of the course.
        approach: Approach followed.
        technique: Technique of the last plan, "" without one.
        stop: How the session ended.
        progress: What the review made of it, -2 to 2; None without a review.
        moved: What moved, or what stood in the way; "" without a review.
        after: What happened until the next session, in a few words; "" if there was none.
    """

    session: str
    day: int
    approach: str
    technique: str
    stop: str
    progress: int | None = None
    moved: str = ""
    after: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row in words, in the order of `HEADS`."""
        approach, stop = (part.replace("_", " ") for part in (self.approach, self.stop))
        technique = technique_label(self.technique) if self.technique else "none"
        progress = "" if self.progress is None else f"{self.progress:+d}" if self.progress else "0"
        return (self.session, str(self.day), approach, technique, stop, progress, self.after, self.moved)


@dataclass(frozen=True, slots=True)
class CourseRecord:
    """One course as read back from its log.

    Attributes:
        id: Course id.
        rows: Its sessions, oldest first.
        end: How it ended, in one sentence; "unfinished" if it did not.
    """

    id: str
    rows: tuple[Row, ...]
    end: str


def read_courses(folder: str | Path) -> list[CourseRecord]:
    """The courses of a run, by id; none for a run of single sessions.

    Raises:
        InputError: A log cannot be read.
    """
    return [_read(file) for file in RunFolder(Path(folder)).course_logs()]


def _read(file: Path) -> CourseRecord:
    record = read_session(file)
    end = record.end
    told = "unfinished" if end is None else f"{end['stop'].replace('_', ' ')}, by {end['by']}: {end['reason']}"
    return CourseRecord(file.stem, tuple(_rows(record.events)), told)


def _rows(events: tuple[Event, ...]) -> Iterator[Row]:
    row: Row | None = None
    for event in events:
        match event["event"]:
            case "session":
                if row is not None:
                    yield row
                row = Row(event["id"], event["day"], event["approach"], event["technique"] or "", event["stop"])
            case "review" if row is not None:
                row = replace(row, progress=event["progress"], moved=event["moved"])
            case "interlude" if row is not None:
                row = replace(row, after=_after(event))
    if row is not None:
        yield row


def _after(passed: Mapping[str, Any]) -> str:
    if passed["leaves"]:
        return "did not come back"
    parts = [f"{passed['days']} days", _MOODS[passed["mood"]]]
    if passed["homework"] != "none":
        parts.append(f"task {passed['homework']}")
    if passed["relapse"]:
        parts.append("relapse")
    return ", ".join(parts)
