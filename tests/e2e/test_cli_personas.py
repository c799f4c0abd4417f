"""`personas inspect` and `personas import` say what became of every field, and never show a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from counselgraph import load_personas
from tests.e2e.helpers import counselgraph
from tests.unit.personas.formats import ANNA, MI, RECORDS
from tests.unit.personas.looking import leaves


def write(path: Path, *records: object) -> None:
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")


def test_inspect_shows_numbers_and_names_of_fields(tmp_path: Path) -> None:
    write(tmp_path / "mi.json", MI, MI | {"idx": 8})
    result = counselgraph("personas", "inspect", "mi.json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "consistent-mi: 2 records."
    (source,) = (line.strip() for line in lines if line.strip().startswith("source"))
    assert " ".join(source.split()) == "source 4 values, 2 fields: idx, quality"


@pytest.mark.parametrize("command", [("inspect",), ("import", "--out", "mine")])
def test_no_text_of_a_record_is_shown(command: tuple[str, ...], tmp_path: Path) -> None:
    for name, record in RECORDS.items():
        write(tmp_path / f"{name}.json", record)
    (tmp_path / "all").mkdir()
    for path in tmp_path.glob("*.json"):
        path.rename(tmp_path / "all" / path.name)
    verb, *options = command
    result = counselgraph("personas", verb, "all", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    texts = [value for record in RECORDS.values() for _, value in leaves(record) if isinstance(value, str)]
    assert [text for text in texts if len(text.split()) > 3 and text in result.stdout + result.stderr] == []
    assert result.stdout.count(" 1 records.") == len(RECORDS)


def test_import_writes_personas_that_load_and_says_what_was_kept(tmp_path: Path) -> None:
    write(tmp_path / "seeker.json", ANNA)
    done = counselgraph("personas", "import", "seeker.json", "--out", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Wrote 1 personas to mine."
    assert "note: `report` is the counselor's" in done.stdout
    assert load_personas(tmp_path / "mine").personas == load_personas(tmp_path / "seeker.json").personas


def test_a_bad_record_is_named_and_the_rest_inspected(tmp_path: Path) -> None:
    write(tmp_path / "mi.json", MI, MI | {"suggestibilities": [0]})
    result = counselgraph("personas", "inspect", "mi.json", cwd=tmp_path)
    assert result.returncode == 2
    assert "record 2, field `suggestibilities`" in result.stderr
    assert "consistent-mi: 1 records." in result.stdout


def test_formats_without_a_report_say_so(tmp_path: Path) -> None:
    (tmp_path / "ann.yaml").write_text("id: ann\nname: Ann\npresenting_problem: {statement: I worry.}\n")
    result = counselgraph("personas", "inspect", "ann.yaml", cwd=tmp_path)
    assert result.stdout.strip() == "yaml: 1 records, kept as they are."


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    (tmp_path / "people.data").write_text(json.dumps([MI]), encoding="utf-8")
    result = counselgraph("personas", "inspect", "people.data", "--format", "consistent-mi", cwd=tmp_path)
    assert result.stdout.startswith("consistent-mi: 1 records.")
