"""Courses as runs: one folder, a log per session and per course, killed and resumed, forked, spread over workers."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from counselgraph import RunSpec, resume, run
from counselgraph.graphs.course_state import Played
from counselgraph.runner.course import is_course_settled, played_from_log
from counselgraph.runner.fork import fork
from counselgraph.runner.log import read_run, read_session
from tests.e2e.helpers import counselgraph, started, transcripts, write_clients

FLAGS = ("--recipe", "course", "--sessions-per-client", 3, "--personas", "people", "--max-exchanges", 4, "--out", "out")


def spec(folder: Path, **options: Any) -> RunSpec:
    people = folder / "people"
    if not people.exists():
        write_clients(people, 2)
    made = {"recipe": "course", "sessions_per_client": 3, "max_exchanges": 4, "personas": str(people)}
    return RunSpec.of({**made, "out": folder / "out", **options})


def course_events(folder: Path, course: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "courses" / f"{course}.jsonl").read_text().splitlines()]


def told(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a course came to, without what differs between two runs of it."""
    changing = {"at", "seconds", "run", "journaled", "latency_ms", "usage", "usage_by", "seq"}
    kept = [event for event in events if event["event"] != "model_call"]
    return [{key: value for key, value in event.items() if key not in changing} for event in kept]


async def test_a_course_is_one_folder_with_a_log_of_each_session_and_of_the_course(tmp_path: Path):
    result = await run(spec(tmp_path))
    assert result.summary.courses == {"completed": 2}
    assert result.summary.sessions == 6
    assert not result.failed
    kinds = [event["event"] for event in course_events(tmp_path / "out", "client-01") if event["event"] != "model_call"]
    once = ["session", "review", "interlude"]
    assert kinds == ["header", *once, *once, "session", "review", "end"]
    later = read_session(tmp_path / "out" / "sessions" / "client-01-s02.jsonl")
    assert later.header["course"]["number"] == 2
    assert later.header["course"]["since"]["days"] >= 1
    assert {event["action"] for event in later.of("memory")} >= {"recall", "remember"}


async def test_what_is_read_back_from_a_log_is_what_the_state_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from counselgraph.graphs import course as graph
    from counselgraph.graphs.course_state import played_from
    from counselgraph.models.events import collecting
    from counselgraph.runner import play as playing

    finals: dict[str, Played] = {}
    original = playing.step

    async def watching(compiled: Any, given: Any, context: Any, recorder: Any, **options: Any) -> None:
        if context.number is None:
            return await original(compiled, given, context, recorder, **options)
        state: dict[str, Any] = {}
        stream = compiled.astream(given, context=context, stream_mode=["updates", "values"])
        with collecting(recorder.write):
            async for mode, payload in stream:
                if mode == "values":
                    state = payload
                else:
                    recorder.take(payload)
        finals[context.session] = played_from(state, {})
        return None

    monkeypatch.setattr(playing, "step", watching)
    assert graph.COURSE_ROLES
    await run(spec(tmp_path))
    for record in read_run(tmp_path / "out"):
        read, final = played_from_log(record, record.header["persona"]["id"]), finals[record.id]
        assert [(m.id, m.content, m.name) for m in read.messages] == [(m.id, m.content, m.name) for m in final.messages]
        assert set(read.notes) == set(final.notes)
        assert (read.exchange, read.technique, read.ending) == (final.exchange, final.technique, final.ending)
        assert read.risk.level == final.risk.level
        assert read.task == final.task


def test_a_killed_course_goes_on_and_comes_to_the_same(tmp_path: Path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        write_clients(tmp_path / name / "people", 2)
    assert counselgraph("run", *FLAGS, cwd=tmp_path / "whole").returncode == 0
    running = started("run", *FLAGS, cwd=tmp_path / "killed")
    second = tmp_path / "killed" / "out" / "sessions" / "client-01-s02.jsonl"
    deadline = time.monotonic() + 60
    while not second.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not is_course_settled(tmp_path / "killed" / "out" / "courses" / "client-01.jsonl")
    resumed = counselgraph("resume", "out", cwd=tmp_path / "killed")
    assert resumed.returncode == 0, resumed.stderr
    assert transcripts(tmp_path / "killed" / "out") == transcripts(tmp_path / "whole" / "out")
    for course in ("client-01", "client-02"):
        both = [told(course_events(tmp_path / name / "out", course)) for name in ("whole", "killed")]
        assert both[0] == both[1]


async def test_a_finished_course_is_left_as_it_is(tmp_path: Path):
    await run(spec(tmp_path))
    before = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.jsonl")}
    await resume(tmp_path / "out")
    assert {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.jsonl")} == before


async def test_any_session_of_a_course_can_be_forked(tmp_path: Path):
    await run(spec(tmp_path))
    parent = read_session(tmp_path / "out" / "sessions" / "client-01-s03.jsonl")
    await fork(tmp_path / "out" / "client-01-s03", 2, out=tmp_path / "child")
    (child,) = read_run(tmp_path / "child")
    shared = [(turn["role"], turn["text"]) for turn in parent.turns if turn["exchange"] <= 2]
    assert [(turn["role"], turn["text"]) for turn in child.turns][: len(shared)] == shared
    assert child.header["course"]["number"] == 3
    assert [turn["text"] for turn in child.turns] == [turn["text"] for turn in parent.turns]


async def test_courses_are_the_same_with_several_workers(tmp_path: Path):
    await run(spec(tmp_path))
    await run(spec(tmp_path, workers=2, out=tmp_path / "spread"))
    assert transcripts(tmp_path / "spread") == transcripts(tmp_path / "out")


@pytest.mark.parametrize(
    ("flags", "fix"),
    [(("--recipe", "corse"), "recipe"), (("--protocol", "cbtt"), "did you mean"), (("--sessions-per-client", 0), "1")],
)
def test_a_wrong_course_is_refused_with_the_fix_before_anything_is_played(
    flags: tuple[Any, ...], fix: str, tmp_path: Path
):
    write_clients(tmp_path / "people", 1)
    result = counselgraph("run", "--personas", "people", "--out", "out", *flags, cwd=tmp_path)
    assert result.returncode == 2
    assert fix in result.stderr
    assert not (tmp_path / "out").exists()
