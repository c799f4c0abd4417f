"""The command screen, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.helpers import COMMAND, counselgraph, environment, refused

CALM, PASSIVE, ACTIVE = "I went for a walk.", "I wish I would not wake up.", "I want to kill myself."
SECRET = "my neighbour Oda"


def wrote(folder: Path, rows: Iterable[Any], name: str = "in.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return file


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def read(file: Path) -> list[dict[str, Any]]:
    return lines_of(file.read_text(encoding="utf-8"))


def test_every_input_is_one_line_with_its_id_level_and_findings(tmp_path: Path) -> None:
    said = [{"role": "client", "text": ACTIVE}, {"role": "counselor", "text": "Did you sleep?"}]
    rows = [{"id": "a", "content": CALM}, {"content": PASSIVE}, {"id": 9, "content": said}]
    wrote(tmp_path, rows)
    rules = ("--layers", "rules")
    result = counselgraph("screen", "in.jsonl", "--side", "client", *rules, "--out", "out.jsonl", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "3 inputs, client's side. Levels 0: 1, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0." in result.stderr
    found = read(tmp_path / "out.jsonl")
    assert [(row["id"], row["level"]) for row in found] == [("a", 0), (2, 2), (9, 3)]
    assert found[0] == {"id": "a", "level": 0, "findings": []}
    assert set(found[1]["findings"][0]) == {"category", "level", "subject", "time", "quote", "source"}
    assert found[1]["findings"][0]["quote"] in PASSIVE
    (turn,) = found[2]["turns"]
    assert turn == {"index": 0, "side": "client", "level": 3, "turn_level": 3, "findings": found[2]["findings"]}


def test_replies_are_judged_by_what_the_client_said(tmp_path: Path) -> None:
    risk, reply = {"role": "user", "text": ACTIVE}, {"role": "assistant", "text": "Did you sleep?"}
    wrote(
        tmp_path,
        [{"content": [risk, reply]}, {"content": [{"role": "user", "text": CALM}, reply]}, {"content": [risk]}],
    )
    result = counselgraph("screen", "in.jsonl", "--side", "counselor", cwd=tmp_path)
    first, second, third = lines_of(result.stdout)
    assert "MISSED_RISK" in {finding["category"] for finding in first["findings"]}
    assert first["level"] >= 3
    assert (second["level"], third["level"]) == (0, 0)
    assert "1 inputs have no turn of the counselor's" in result.stderr


def test_text_is_read_from_standard_input_and_its_language_from_itself(tmp_path: Path) -> None:
    said = f"{CALM}\n\n我想自杀\nMe quiero morir\n"
    result = counselgraph("screen", "-", cwd=tmp_path, said=said)
    assert [row["id"] for row in lines_of(result.stdout)] == [1, 3, 4]
    assert [row["level"] >= 2 for row in lines_of(result.stdout)] == [False, True, True]
    english = counselgraph("screen", "-", "--language", "en", cwd=tmp_path, said=said)
    assert [row["level"] >= 2 for row in lines_of(english.stdout)] == [False, False, False]


def test_a_language_without_rules_is_said(tmp_path: Path) -> None:
    result = counselgraph("screen", "-", cwd=tmp_path, said="Я устала\n")
    assert lines_of(result.stdout)[0]["failed"] == ["rules"]
    assert "there are no rules for their language" in result.stderr
    assert result.returncode == 0


def test_a_run_folder_is_all_of_its_sessions(tmp_path: Path) -> None:
    flags = ("--limit", 2, "--max-exchanges", 4, "--memory", "none", "--out", "run")
    assert counselgraph("run", *flags, cwd=tmp_path).returncode == 0
    result = counselgraph("screen", "run", cwd=tmp_path)
    sessions = sorted(file.stem for file in (tmp_path / "run/sessions").iterdir())
    assert [row["id"] for row in lines_of(result.stdout)] == sessions


def test_a_layer_of_ones_own_stands_beside_the_rules_and_its_failure_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from counselgraph import Level, Verdict\n"
        "def strict(text, *, side, language): return Verdict(side=side, level=Level.CONCERN)\n"
        "def broken(text, *, side, language): raise ConnectionError(text)\n"
    )
    wrote(tmp_path, [{"content": f"{CALM} {SECRET}"}, {"content": ACTIVE}])
    path = {"PYTHONPATH": str(tmp_path)}
    strict = counselgraph("screen", "in.jsonl", "--layers", "mine:strict", cwd=tmp_path, env=path)
    assert [row["level"] for row in lines_of(strict.stdout)] == [1, 3]
    broken = counselgraph("screen", "in.jsonl", "--layers", "mine:broken", cwd=tmp_path, env=path)
    assert broken.returncode == 1
    assert [(row["level"], row["failed"]) for row in lines_of(broken.stdout)] == [
        (0, ["mine:broken"]),
        (3, ["mine:broken"]),
    ]
    assert "layer mine:broken failed on 2 inputs: ConnectionError." in broken.stderr
    assert SECRET not in broken.stderr


def test_what_cannot_be_read_stops_everything_or_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(f'{{"content": "{SECRET}"}}\n{{"content": 3}}\n{{"content": "{SECRET}\n')
    whole = counselgraph("screen", "in.jsonl", "--out", "out.jsonl", cwd=tmp_path)
    refused(whole, "2 things are wrong", "line 2, field `content`", "line 3")
    assert [file.name for file in tmp_path.iterdir()] == ["in.jsonl"]
    result = counselgraph("screen", "in.jsonl", "--out", "out.jsonl", "--skip-bad", cwd=tmp_path)
    assert result.returncode == 0
    assert [row["id"] for row in read(tmp_path / "out.jsonl")] == [1]
    assert "left out, 2 things are wrong" in result.stderr
    assert SECRET not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nothing.jsonl",), ("nothing.jsonl", "cannot be read")),
        (("empty.jsonl",), ("empty.jsonl", "nothing in it")),
        (("bad.jsonl", "--skip-bad"), ("1 thing is wrong",)),
        (("bad.jsonl",), ("bad.jsonl, line 1", "`content`", "Fix: write")),
        (("columns.csv",), ("columns.csv", "nothing in it to screen")),
        (("in.jsonl", "--side", "both"), ("client or counselor",)),
        (("in.jsonl", "--format", "xml"), ("annomi",)),
        (("in.jsonl", "--layers", "nothing"), ("rules, learned",)),
        (("in.jsonl", "--out", "in.jsonl"), ("in.jsonl", "--out")),
        (("in.jsonl", "--out", "link.jsonl"), ("link.jsonl", "--out")),
        (("folder", "--out", "folder/in.jsonl"), ("folder/in.jsonl", "--out")),
        (("in.jsonl", "--out", "folder"), ("is no file",)),
        (("in.jsonl", "--out", "no/out.jsonl"), ("no/out.jsonl",)),
    ],
)
def test_what_cannot_be_done_is_named(tmp_path: Path, arguments: tuple[str, ...], named: tuple[str, ...]) -> None:
    (tmp_path / "folder").mkdir()
    content = wrote(tmp_path, [{"content": CALM}]).read_bytes()
    wrote(tmp_path / "folder", [{"content": CALM}])
    wrote(tmp_path, [], "empty.jsonl")
    wrote(tmp_path, [{"content": 3}], "bad.jsonl")
    (tmp_path / "columns.csv").write_text("transcript_id,utterance_id,interlocutor,utterance_text\n")
    (tmp_path / "link.jsonl").hardlink_to(tmp_path / "in.jsonl")
    refused(counselgraph("screen", *arguments, cwd=tmp_path), *named)
    assert (tmp_path / "in.jsonl").read_bytes() == (tmp_path / "folder/in.jsonl").read_bytes() == content
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_a_killed_screen_leaves_what_was_there(tmp_path: Path) -> None:
    wrote(tmp_path, ({"content": f"{ACTIVE} {number}"} for number in range(200_000)))
    (tmp_path / "out.jsonl").write_text("before\n")
    command = [str(COMMAND), "screen", "in.jsonl", "--out", "out.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while not any(file.stat().st_size for file in tmp_path.glob("*.part")) and time.monotonic() < until:
            time.sleep(0.05)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    assert (tmp_path / "out.jsonl").read_text() == "before\n"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    wrote(tmp_path, ({"content": CALM} for _ in range(20_000)))
    with subprocess.Popen(
        [COMMAND, "screen", "in.jsonl"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["level"] == 0
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_the_order_of_inputs_does_not_matter(tmp_path: Path) -> None:
    rows = [{"id": number, "content": text} for number, text in enumerate((ACTIVE, CALM, PASSIVE, "我想自杀", CALM))]
    wrote(tmp_path, rows, "there.jsonl")
    wrote(tmp_path, rows[::-1], "back.jsonl")
    there, back = (
        lines_of(counselgraph("screen", name, cwd=tmp_path).stdout) for name in ("there.jsonl", "back.jsonl")
    )
    assert there == back[::-1]


def test_the_help_says_what_this_is(tmp_path: Path) -> None:
    told = " ".join(counselgraph("screen", "--help", cwd=tmp_path).stdout.split())
    assert "A research tool, not care" in told


@pytest.mark.data
def test_the_transcripts_of_other_systems_are_screened_one_line_each(tmp_path: Path, test_data: Path) -> None:
    for side in ("client", "counselor"):
        out = tmp_path / f"{side}.jsonl"
        result = counselgraph("screen", test_data / "transcripts", "--side", side, "--out", out, cwd=tmp_path)
        assert result.returncode in {0, 1}
        rows = read(out)
        assert len(rows) == len({row["id"] for row in rows}) == 200
        turns = [turn for row in rows for turn in row["turns"]]
        assert len(turns) == 4254 + (3897 if side == "counselor" else 0)
