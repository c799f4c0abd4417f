from __future__ import annotations

import json
from pathlib import Path

import pytest

from counselgraph.runner.report import Summary, summarize
from tests.unit.runner.logs import USAGE, end, header, session, write_run


def test_sessions_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    failed = end("model_error", reason="ModelError: empty twice", technique=None, retries=2)
    run = write_run(
        tmp_path,
        {
            "a": session(),
            "b": session(finish=end("crisis", highest_risk=4)),
            "c": session(finish=failed),
            "d": session(),
            "e": [header()],
        },
    )
    summary = summarize(run)
    assert summary.sessions == 5
    assert summary.unfinished == 1
    assert summary.stops == {"completed": 2, "crisis": 1, "model_error": 1}
    assert next(iter(summary.stops)) == "completed"
    assert summary.failed == {"c": "ModelError: empty twice"}
    assert summary.techniques == {"decatastrophizing": 3}
    assert summary.highest_risk == {1: 3, 4: 1}
    assert (summary.exchanges, summary.retries) == (8, 2)
    assert summary.usage.calls == 4 * USAGE["calls"]
    assert summary.usage_by["client rehearsal"].prompt_tokens == 4 * USAGE["prompt_tokens"]
    assert summary.session_seconds == 5.0


def test_the_summary_is_written_and_reads_back(tmp_path: Path) -> None:
    summary = summarize(write_run(tmp_path, {"a": session()}))
    assert Summary.model_validate(json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))) == summary
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("torn", [b"", b'{"event": "end", "stop"'])
def test_a_torn_log_counts_as_unfinished(tmp_path: Path, torn: bytes) -> None:
    run = write_run(tmp_path, {"a": session(), "b": session()})
    (run / "sessions" / "b.jsonl").write_bytes(torn)
    summary = summarize(run)
    assert (summary.sessions, summary.unfinished) == (2, 1)


def test_one_line_tells_the_run() -> None:
    summary = Summary(sessions=3, unfinished=1, stops={"completed": 2}, exchanges=20)
    assert summary.line(Path("out")) == "out: 3 sessions (2 completed, 1 unfinished), 20 exchanges, 0 model calls"
    assert "none ended" in Summary().line(Path("out"))
