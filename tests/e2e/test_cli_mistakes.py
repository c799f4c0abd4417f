"""Mistakes at the command line: one line that names the place and the fix, exit code 2, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.helpers import counselgraph


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, a run whose manifest is torn, and a persona file with one bad record."""
    place = tmp_path_factory.mktemp("place")
    result = counselgraph("run", "--limit", 2, "--max-exchanges", 1, "--out", "run", cwd=place)
    assert result.returncode == 0, result.stderr
    (place / "torn").mkdir()
    (place / "torn" / "run.yaml").write_text("spec: [", encoding="utf-8")
    (place / "half.yaml").write_text("id: amy\n", encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("run --limit 0", ["`limit`", "must be at least 1 (got 0)"]),
        ("run --recipe corse", ["`recipe`", "there is no such recipe", "course"]),
        ("run --executor raay", ["`executor`", "must be 'local' or 'ray'"]),
        ("run --locale USA", ["`locale`", "two capital letters"]),
        ("run --language english", ["`language`", "a code such as `en`"]),
        ("run --set layers=rules", ["`layers`", "must be a list"]),
        ("run --protocol cpt", ["did you mean 'cbt'?\n"]),
        ("run --sessions-per-client 3", ["`--sessions-per-client`", "--recipe course"]),
        ("run --format cactus", ["`--format`", "built-in personas"]),
        ("run --spec nope.yaml", ["nope.yaml: cannot be read: No such file or directory. Fix:"]),
        ("show nope", ["nope: there is no such run or session. Fix:"]),
        ("show run/nobody", ["there is no such run or session", "ahmed-saleh, carmen-ruiz"]),
        ("show run/run.yaml", ["is no session log", ".jsonl"]),
        ("show run --html run", ["run: is a folder. Fix: give a file"]),
        ("resume torn", ["torn/run.yaml: cannot be read as YAML", "start the run anew"]),
        ("memory list run/memory --client nobody", ["holds nothing of 'nobody'", "ahmed-saleh, carmen-ruiz"]),
        ("memory search run/memory x --client nobody --owner client", ["holds nothing of 'nobody'"]),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_fix(place: Path, words: str, told: list[str]) -> None:
    out = ("--out", "new") if words.startswith("run") else ()
    result = counselgraph(*words.split(), *out, cwd=place)
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert all(part in result.stderr for part in told), result.stderr
    assert not [part for part in ("Value error", "Input should", "[Errno", "Traceback") if part in result.stderr]
    assert not (place / "new").exists()


def test_a_client_that_a_store_does_not_know_is_forgotten_with_a_notice(place: Path) -> None:
    result = counselgraph("memory", "forget", "run/memory", "--client", "nobody", "--yes", cwd=place)
    assert result.returncode == 0
    assert "holds nothing of nobody; its clients are ahmed-saleh, carmen-ruiz" in result.stderr


def test_bad_records_are_counted_and_not_what_is_wrong_with_them(place: Path) -> None:
    result = counselgraph("personas", "check", "half.yaml", cwd=place)
    assert result.returncode == 2
    assert "0 good, 1 bad." in result.stdout
    assert result.stderr.count("record 1") == 2
