"""Our own session logs and run folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from counselgraph.dialogues import read_dialogues
from counselgraph.runner.export import export
from counselgraph.runner.log import read_run

GOLDEN = Path(__file__).parents[2] / "golden" / "log-v1"


def test_a_run_folder_gives_the_transcripts_of_its_sessions() -> None:
    expected = {one.id: [(turn["role"], turn["text"]) for turn in one.turns] for one in read_run(GOLDEN)}
    assert expected
    assert {one.id: [tuple(turn) for turn in one.turns] for one in read_dialogues(GOLDEN)} == expected


def test_a_log_may_have_a_torn_end_but_no_hole(tmp_path: Path) -> None:
    (log,) = (GOLDEN / "sessions").glob("*.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)
    whole, torn, hole = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl", tmp_path / "hole.jsonl"
    shutil.copy(log, whole)
    torn.write_bytes(b"".join(lines) + b'{"event": "turn", "text": "\xe6')
    places = [number for number, line in enumerate(lines) if b'"turn"' in line]
    lines[places[1]] = lines[places[1]][:40] + b"\n"
    hole.write_bytes(b"".join(lines))
    (expected,) = read_dialogues(whole)
    assert list(read_dialogues(torn)) == [expected]
    bad: list[str] = []
    list(read_dialogues(hole, on_bad=lambda error: bad.append(str(error))))
    assert len(bad) == 1
    assert f"hole.jsonl, line {places[1] + 1}" in bad[0]


def test_what_export_writes_is_read_back(tmp_path: Path) -> None:
    (expected,) = read_dialogues(GOLDEN)
    for to in ("chatml", "sharegpt", "jsonl", "cactus"):
        for seat in ("counselor", "client"):
            file = tmp_path / f"{to}-{seat}.{'json' if to == 'cactus' else 'jsonl'}"
            export(GOLDEN, to, file, seat=seat)
            (found,) = read_dialogues(file)
            assert [turn.role for turn in found.turns] == [turn.role for turn in expected.turns], (to, seat)
            assert [turn.text for turn in found.turns] == [turn.text for turn in expected.turns], (to, seat)


def test_a_run_among_other_files_gives_its_sessions_alone(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "run")
    (tmp_path / "more.jsonl").write_text(json.dumps({"content": "x"}))
    assert len(list(read_dialogues(tmp_path))) == 2
