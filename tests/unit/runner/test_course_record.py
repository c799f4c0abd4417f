"""The progress record of a course."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from counselgraph.runner.course_record import read_courses
from counselgraph.runner.html import html_page
from counselgraph.runner.show import show_run

HEADER = {"event": "header", "schema_version": 1, "session": "amy", "exchange": 0, "persona": {"id": "amy"}}
SESSION = {
    "event": "session",
    "exchange": 1,
    "day": 0,
    "approach": "cbt",
    "technique": "pie_chart",
    "stop": "completed",
}
REVIEW = {"event": "review", "exchange": 1, "progress": 1, "moved": "She said <b>no</b> once."}
AFTER = {
    "event": "interlude",
    "exchange": 1,
    "days": 7,
    "mood": 2,
    "homework": "half",
    "relapse": True,
    "leaves": False,
}
END = {"event": "end", "exchange": 2, "stop": "dropped_out", "by": "client", "reason": "It costs too much."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    events: list[dict[str, Any]] = [HEADER, {**SESSION, "id": "amy-s01"}, REVIEW, AFTER]
    events += [{**SESSION, "id": "amy-s02", "day": 7, "technique": None}, {**REVIEW, "progress": -2}]
    events += [{**AFTER, "leaves": True}, END]
    for name in ("courses", "sessions"):
        (tmp_path / name).mkdir()
    (tmp_path / "courses" / "amy.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return tmp_path


def test_a_course_is_read_as_a_row_a_session(folder: Path):
    (course,) = read_courses(folder)
    assert course.end == "dropped out, by client: It costs too much."
    first, second = course.rows
    assert first.cells() == (
        "amy-s01", "0", "cbt", "Pie Chart Technique", "completed", "+1", "7 days, much better, task half, relapse",
        "She said <b>no</b> once.",
    )  # fmt: skip
    assert second.after == "did not come back"
    assert second.cells()[3] == "none"


def test_a_course_without_an_end_is_unfinished(folder: Path):
    file = folder / "courses" / "amy.jsonl"
    file.write_text("".join(f"{line}\n" for line in file.read_text().splitlines()[:2]))
    (course,) = read_courses(folder)
    assert course.end == "unfinished"
    assert course.rows[0].progress is None


def test_a_run_of_single_sessions_has_none(tmp_path: Path):
    assert read_courses(tmp_path) == []


def test_the_terminal_tells_the_progress_record(folder: Path):
    page = io.StringIO()
    show_run(folder, Console(width=100, file=page))
    told = page.getvalue()
    assert "Course amy: dropped out" in told
    assert "progress +1" in told
    assert "then: did not come back" in told


def test_no_text_of_a_course_becomes_markup(folder: Path, tmp_path: Path):
    from counselgraph import RunSpec, run_sync
    from counselgraph.runner.log import read_run

    run_sync(RunSpec(personas="builtin", limit=2, max_exchanges=1, out=tmp_path / "run", memory="none"))
    page = html_page(list(read_run(tmp_path / "run")), read_courses(folder))
    assert "She said &lt;b&gt;no&lt;/b&gt; once." in page
    assert "Course amy" in page
