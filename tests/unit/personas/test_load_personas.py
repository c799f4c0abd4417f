"""Loading personas by name, file and folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from counselgraph.errors import InputError
from counselgraph.personas import load_personas

FORM = "Name: {name}\nAge: 30\n\n2. Presenting Problem\nI can't say no.\n"


def yaml_of(persona_id: str) -> str:
    return f"id: {persona_id}\nname: Ann\npresenting_problem: {{statement: I worry.}}\n"


def message(source: str | Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        load_personas(source, **options)
    return str(caught.value)


def test_one_persona_of_the_library() -> None:
    (persona,) = load_personas("builtin/maya-okafor").personas
    assert persona.name == "Maya Okafor"
    assert persona.source is not None
    assert (persona.source.format, persona.source.file) == ("builtin", "maya-okafor.yaml")


def test_a_misspelled_library_persona() -> None:
    assert "did you mean `builtin/maya-okafor`?" in message("builtin/maya-okafer")
    assert "use one of" in message("builtin/xyzxyz")


def test_a_limit_takes_the_first_and_reads_no_further(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(f"{yaml_of('ann')}---\n{yaml_of('bob')}---\nid: broken\n", encoding="utf-8")
    assert [persona.id for persona in load_personas(path, limit=2).personas] == ["ann", "bob"]
    assert len(load_personas("builtin", limit=3).personas) == 3
    assert "limit" in message("builtin", limit=0)


def test_a_folder_of_every_format(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml_of("ann"), encoding="utf-8")
    (tmp_path / "b.txt").write_text(FORM.format(name="Bob"), encoding="utf-8")
    record = {"AI_client": {"intake_form": FORM.format(name="Cleo"), "attitude": "neutral"}}
    (tmp_path / "c.json").write_text(json.dumps([record]), encoding="utf-8")
    (tmp_path / "README.md").write_text("not a persona", encoding="utf-8")
    loaded = load_personas(tmp_path).personas
    assert [persona.id for persona in loaded] == ["ann", "001-bob-neutral", "001-cleo-neutral"]
    assert [persona.id for persona in load_personas(tmp_path, format="form").personas] == ["001-bob-neutral"]


def test_the_same_id_twice_names_both_places(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml_of("ann"), encoding="utf-8")
    said = message(tmp_path)
    assert f"{tmp_path / 'b.yaml'}, record 1, field `id`" in said
    assert f"taken by {tmp_path / 'a.yaml'}, record 1" in said


def test_bad_records_are_returned_when_skipped(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(f"{yaml_of('ann')}---\nid: bob\nname: Bob\n---\n{yaml_of('ann')}", encoding="utf-8")
    loaded = load_personas(path, skip_bad=True)
    assert [persona.id for persona in loaded.personas] == ["ann"]
    assert [(error.record, error.field) for error in loaded.bad] == [(2, "presenting_problem"), (3, "id")]
    assert all(error.fix and error.file == str(path) for error in loaded.bad)


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("people.json", b"[{]", ["not valid JSON", "line 1"]),
        ("people.json", b'[\n{"AI_client": 1,}]', ["not valid JSON", "line 2"]),
        ("people.json", b'{"AI_client": {}}', ["a list of records was expected", "[ and ]"]),
        ("people.json", b'{"other": {}}', ["a list of records was expected"]),
        ("people.json", b"[]", ["the list is empty"]),
        ("people.json", b'[{"patient": 1}]', ["format is not known", "yaml, cactus, form"]),
        ("people.json", b'[{"presenting_problem": "x"}]', ["format is not known"]),
        ("people.csv", b"a,b", ["format is not known", "yaml, cactus, form"]),
        ("people.yaml", b"", ["empty"]),
        ("people.txt", b" \n", ["empty"]),
        ("people.yaml", b"name: \xff\xfe", ["not UTF-8", "save the file as UTF-8"]),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole(tmp_path: Path, name: str, content: bytes, parts: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    said = message(path)
    assert [part for part in [str(path), "Fix:", *parts] if part not in said] == [], said


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    assert "no such file" in message(tmp_path / "nobody.yaml")
    assert "holds no personas" in message(tmp_path)
    assert "there is no format `xml`. Fix: use one of yaml, cactus, form, " in message(tmp_path, format="xml")


def test_a_forced_format_reads_a_file_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "people.data"
    path.write_text(yaml_of("ann"), encoding="utf-8")
    assert load_personas(path, format="yaml").personas[0].id == "ann"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bob.txt"
    path.write_bytes(b"\xef\xbb\xbf" + FORM.format(name="Bob").encode())
    assert load_personas(path).personas[0].name == "Bob"
