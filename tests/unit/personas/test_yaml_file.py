"""Personas as YAML: reading, error messages, writing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import InputError
from counselgraph.personas import Persona, dump_persona, load_personas
from counselgraph.personas.importers import yaml_file

MINIMAL = "id: ann\nname: Ann\npresenting_problem:\n  statement: I can't decide.\n"
TEXT = st.text(max_size=60).map(lambda text: "".join(char for char in text if char.isprintable() or char == "\n"))
LINE = TEXT.map(str.strip).filter(bool)


def write(folder: Path, text: str, name: str = "people.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_personas(path)
    return str(caught.value)


def test_one_persona_gets_a_source(tmp_path: Path) -> None:
    (persona,) = load_personas(write(tmp_path, MINIMAL)).personas
    assert persona.source is not None
    assert (persona.source.format, persona.source.file, persona.source.record) == ("yaml", "people.yaml", 1)


@pytest.mark.parametrize("between", ["\n---\n", "\n---\n---\n"])
def test_several_documents(tmp_path: Path, between: str) -> None:
    text = MINIMAL + between + MINIMAL.replace("ann", "bob")
    assert [persona.id for persona in load_personas(write(tmp_path, text)).personas] == ["ann", "bob"]


def test_a_list(tmp_path: Path) -> None:
    text = "- {id: ann, name: Ann, presenting_problem: {statement: I worry.}}\n" * 2
    text = text.replace("ann", "bob", 1)
    loaded = load_personas(write(tmp_path, text)).personas
    assert [(persona.id, persona.source.record) for persona in loaded if persona.source] == [("bob", 1), ("ann", 2)]


def test_json_of_our_own_fields(tmp_path: Path) -> None:
    text = '[{"id": "ann", "name": "Ann", "presenting_problem": {"statement": "I worry."}}]'
    assert load_personas(write(tmp_path, text, "people.json")).personas[0].id == "ann"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (MINIMAL + "atitude: negative\n", ["record 1", "field `atitude`", "did you mean `attitude`"]),
        (MINIMAL + "style: {registr: wry}\n", ["field `style.registr`", "did you mean `register`"]),
        (MINIMAL + "intake: {nam: x, name: y}\n", ["field `intake.nam`", "did you mean `name`"]),
        (
            MINIMAL + "disclosures:\n- {topic: a, text: b}\n- {topic: a, txt: b, text: c}\n",
            ["field `disclosures.2.txt`", "did you mean `text`"],
        ),
        (MINIMAL + "1: x\n", ["field `1`", "must be text"]),
        (MINIMAL + "zzz: 1\n", ["field `zzz`", "use one of id, name"]),
        ("id: ann\nname: Ann\n", ["record 1", "field `presenting_problem`", "missing"]),
        (MINIMAL.replace("ann", "Ann Lee", 1), ["field `id`", "lower-case"]),
        (MINIMAL + "language: no\n", ["field `language`", "quotes"]),
        (MINIMAL + "language: english\n", ["field `language`", "`es`"]),
        (MINIMAL + "goals: sleep\n", ["field `goals`", "after a dash"]),
        (MINIMAL + "goals: ['']\n", ["field `goals.1`", "empty"]),
        (MINIMAL + "demographics: {age: 400}\n", ["field `demographics.age`", "400"]),
        (MINIMAL + "style: wry\n", ["field `style`", "mapping"]),
        (MINIMAL + "attitude: hostile\n", ["field `attitude`", "hostile", "positive"]),
        (MINIMAL + "name: Bob\n", ["line 5", "`name` stands here twice"]),
        ("id: [ann\nname: Ann\n", ["not valid YAML", "line 2", "Fix:"]),
        ("- just text\n", ["record 1", "text", "`id:`"]),
        ("# nothing\n", ["no persona"]),
        ("a: !!python/object:os.system x\n", ["not valid YAML", "line 1"]),
    ],
)
def test_what_is_wrong_is_said_with_place_and_fix(tmp_path: Path, text: str, parts: list[str]) -> None:
    path = write(tmp_path, text)
    said = message(path)
    assert [part for part in [str(path), "Fix:", *parts] if part not in said] == [], said


def test_a_list_of_bad_records_names_each(tmp_path: Path) -> None:
    said = message(write(tmp_path, f"{MINIMAL}zzz: 1\n---\n{MINIMAL}\n---\nname: Bob\n"))
    assert "3 things are wrong" in said
    assert "record 1, field `zzz`" in said
    assert "record 3, field `id`" in said
    assert "record 3, field `presenting_problem`" in said


@given(
    persona=st.builds(
        Persona,
        id=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True),
        name=LINE,
        presenting_problem=st.fixed_dictionaries({"statement": LINE, "course": TEXT}),
        demographics=st.fixed_dictionaries({"age": st.none() | st.integers(0, 120), "family": TEXT}),
        conceptualization=st.fixed_dictionaries({"automatic_thoughts": st.lists(LINE, max_size=3).map(tuple)}),
        style=st.fixed_dictionaries({"register": TEXT, "verbosity": st.integers(1, 3)}),
        disclosures=st.lists(
            st.fixed_dictionaries({"topic": LINE, "text": LINE, "when": st.sampled_from(["freely", "trusted"])}),
            max_size=2,
        ).map(tuple),
        risk=st.fixed_dictionaries({"level": st.integers(0, 5), "settles": st.booleans()}),
        receptivity=st.floats(0, 1),
        other=st.dictionaries(LINE, TEXT, max_size=2),
        source=st.none()
        | st.fixed_dictionaries({"format": LINE, "data": st.dictionaries(LINE, st.integers(), max_size=2)}),
    )
)
def test_what_is_dumped_loads_back_equal(persona: Persona, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.getbasetemp(), dump_persona(persona), "dumped.yaml")
    assert list(yaml_file.read(path)) == [persona]


def test_the_library_survives_a_round_trip(tmp_path: Path) -> None:
    for persona in load_personas("builtin").personas:
        assert list(yaml_file.read(write(tmp_path, dump_persona(persona)))) == [persona]
