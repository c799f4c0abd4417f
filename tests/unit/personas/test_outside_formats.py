"""Every outside format: recognised by its content, read into personas, with nothing lost and nothing leaked."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from counselgraph.errors import InputError
from counselgraph.personas import Persona, dump_persona, load_personas
from counselgraph.personas.importers import IMPORTERS, RECORDS
from counselgraph.personas.loss import Fate, Report
from tests.unit.personas.formats import ACT, CASE, MI
from tests.unit.personas.formats import RECORDS as MADE_UP
from tests.unit.personas.looking import FILES, leaves, load, plain, told

VERBATIM = {Fate.MAPPED, Fate.OTHER, Fate.UNREAD}
FRAME = re.compile(
    r"your|yours|yourself|they|their|them|themselves|himself|herself|were|client|patient"
    r"|automatic|thoughts|emotions|behavior"
)
"""Words that speak about a client or label what it does, and not of what it says."""
SAID = {*VERBATIM, Fate.REWORDED}
every_format = pytest.mark.parametrize("name", [form.NAME for form in RECORDS])
every_file = pytest.mark.parametrize("file", FILES)


def report_of(persona: Persona) -> Report:
    assert persona.source is not None
    assert persona.source.report is not None
    return persona.source.report


def record_of(persona: Persona) -> Any:
    """The record behind a persona, as it stood in the file."""
    assert persona.source is not None
    return persona.source.data.get("record", persona.source.data)


def lost(persona: Persona) -> list[str]:
    """Fields whose text the report calls kept word for word and which is not in the persona."""
    kept = told(persona)
    report = report_of(persona)
    fates: dict[str, set[Fate]] = {}
    for loss in report.losses:
        fates.setdefault(loss.field, set()).add(loss.fate)
    return [
        field
        for field, value in leaves(record_of(persona))
        if fates[field] <= VERBATIM and plain(value).strip("{}[]") and plain(value) not in kept
    ]


def thinned(persona: Persona) -> list[str]:
    """Fields of which the report says that they were kept or reworded, and most of whose words are gone."""
    kept = told(persona).casefold()
    report = report_of(persona)
    used = {loss.field for loss in report.losses} - {loss.field for loss in report.losses if loss.fate not in SAID}
    thin = []
    for field, value in leaves(record_of(persona)):
        words = [word for word in re.findall(r"[^\W\d_]{4,}", str(value).casefold()) if not FRAME.fullmatch(word)]
        if field in used and len(words) > 3 and sum(word[:-1] in kept for word in words) < 0.9 * len(words):
            thin.append(field)
    return thin


def miscounted(persona: Persona) -> Counter[str]:
    """Values that the report leaves out or counts twice."""
    expected = Counter(field for field, _ in leaves(record_of(persona)))
    reported: Counter[str] = Counter()
    for loss in report_of(persona).losses:
        reported[loss.field] += loss.values
    return Counter(
        {
            field: expected[field] - reported[field]
            for field in expected | reported
            if expected[field] != reported[field]
        }
    )


@every_format
def test_a_record_is_recognised_by_what_it_holds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "any-name.json"
    path.write_text(json.dumps([MADE_UP[name]], ensure_ascii=False), encoding="utf-8")
    head = path.read_text(encoding="utf-8")
    assert [importer.NAME for importer in IMPORTERS if importer.detect(path, head)] == [name]
    assert not any(importer.detect(tmp_path / "notes.md", head) for importer in RECORDS)


@every_format
def test_every_value_of_a_record_is_in_the_report_once_and_none_is_lost(name: str, tmp_path: Path) -> None:
    (persona,) = load(tmp_path, MADE_UP[name])
    assert record_of(persona) == MADE_UP[name]
    assert miscounted(persona) == Counter()
    assert lost(persona) == []
    assert thinned(persona) == []


@every_format
def test_an_imported_persona_loads_back_from_yaml_with_its_report(name: str, tmp_path: Path) -> None:
    (persona,) = load(tmp_path, MADE_UP[name])
    (tmp_path / "one.yaml").write_text(dump_persona(persona), encoding="utf-8")
    assert load_personas(tmp_path / "one.yaml").personas == (persona,)


@pytest.mark.parametrize("name", [name for name, record in MADE_UP.items() if isinstance(record, dict)])
def test_a_field_nobody_knows_stays_in_the_source_and_is_reported(name: str, tmp_path: Path) -> None:
    (persona,) = load(tmp_path, MADE_UP[name] | {"gold label": "never to be seen"}, format=name)
    assert "gold label" in report_of(persona).fields(Fate.SOURCE)
    assert "nevertobeseen" not in told(persona)


@every_format
def test_a_record_of_the_wrong_kind_is_named(name: str, tmp_path: Path) -> None:
    wrong = {"a": 1} if isinstance(MADE_UP[name], str) else "just text"
    with pytest.raises(InputError) as caught:
        load(tmp_path, MADE_UP[name], wrong, format=name)
    assert (caught.value.file, caught.value.record) == (str(tmp_path / "records.json"), 2)
    assert caught.value.fix


@pytest.mark.parametrize("form", [form for form in RECORDS if form.needs], ids=lambda form: form.NAME)
def test_a_needed_field_that_is_missing_or_blank_is_named(form: Any, tmp_path: Path) -> None:
    for field in form.needs:
        for value in (..., "", None):
            with pytest.raises(InputError) as caught:
                load(tmp_path, without(MADE_UP[form.NAME], field, value), format=form.NAME)
            assert caught.value.field == field
            assert caught.value.record == 1
            assert caught.value.fix


def without(record: Any, field: str, value: Any) -> Any:
    """The record with a field taken out, or set in every place it occurs."""
    changed = copy.deepcopy(record)
    *parents, last = field.split(".")
    parts = [changed]
    for parent in parents:
        parts = [inner for part in parts for inner in as_list(part[parent])]
    for part in parts:
        if value is ...:
            del part[last]
        else:
            part[last] = value
    return changed


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def bad(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(record) | changes


@pytest.mark.parametrize(
    ("name", "record", "field", "fix"),
    [
        ("consistent-mi", bad(MI, initial_stage="Asleep"), "initial_stage", "precontemplation, contemplation"),
        ("consistent-mi", bad(MI, suggestibilities=[3, 9]), "suggestibilities", "1 to 5"),
        ("consistent-mi", bad(MI, suggestibilities=["many"]), "suggestibilities", "1 to 5"),
        (
            "anna-agent-case",
            bad(CASE, conversation=[{"role": "Cat", "content": "Miaow."}]),
            "conversation.role",
            "client",
        ),
        (
            "patient-act",
            bad(ACT, memory={"items": [{"content": "x", "disclosure_level": "deep"}]}),
            "memory.items.disclosure_level",
            "1 to 5",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, record: Any, field: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, MADE_UP[name], record, format=name)
    assert (caught.value.record, caught.value.field) == (2, field)
    assert caught.value.fix is not None
    assert fix in caught.value.fix


def test_a_single_record_needs_no_list_around_it(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE), encoding="utf-8")
    assert [persona.id for persona in load_personas(path).personas] == ["anna-agent-case-001-client"]


@pytest.mark.data
@every_file
def test_a_real_file_is_recognised_and_gives_a_persona_for_every_record(file: str, test_data: Path) -> None:
    path = test_data / "personas_formats" / file
    name, count = FILES[file]
    head = path.read_text(encoding="utf-8")[:100_000]
    assert [importer.NAME for importer in IMPORTERS if importer.detect(path, head)] == [name]
    found = load_personas(path)
    assert (len(found.personas), found.bad) == (count, ())
    assert len({persona.id for persona in found.personas}) == count
    data = json.loads(path.read_text(encoding="utf-8"))
    records = data if isinstance(data, list) else [data]
    assert [record_of(persona) for persona in found.personas] == records


@pytest.mark.data
@every_file
def test_no_value_of_a_real_file_is_lost(file: str, test_data: Path) -> None:
    for persona in load_personas(test_data / "personas_formats" / file).personas:
        assert miscounted(persona) == Counter(), persona.id
        assert lost(persona) == [], persona.id
        assert thinned(persona) == [], persona.id


HIDDEN = (
    "core",
    "belief",
    "thought",
    "diagnosis",
    "disease",
    "score",
    "severity",
    "symptom",
    "risk",
    "ideation",
    "examination",
)


@pytest.mark.data
@every_file
def test_the_counselor_of_a_real_client_is_told_nothing_hidden_or_clinical(file: str, test_data: Path) -> None:
    looked_at = 0
    for persona in load_personas(test_data / "personas_formats" / file).personas:
        intake = plain(persona.for_counselor().model_dump_json())
        hidden = [
            plain(value)
            for field, value in leaves(record_of(persona))
            if any(word in field.lower() for word in HIDDEN) and isinstance(value, str) and len(plain(value)) > 8
        ]
        assert [text for text in hidden if text in intake] == [], persona.id
        mind = persona.conceptualization
        private = (*mind.core_beliefs, *mind.automatic_thoughts, *mind.intermediate_beliefs, *persona.other.values())
        assert [text for text in private if plain(text) in intake] == [], persona.id
        looked_at += len(private)
    assert looked_at or FILES[file][0] in {"saps", "sim-psybot", "roleplay-doh"}


@pytest.mark.data
@every_file
def test_the_key_fields_of_a_real_client_are_filled(file: str, test_data: Path) -> None:
    name = FILES[file][0]
    for persona in load_personas(test_data / "personas_formats" / file).personas:
        assert persona.language == ("zh" if name in {"sim-psybot", "psych-eval", "anna-agent-case"} else "en")
        if name in {"patient-psi", "cars", "mind-voyager", "eeyore", "patient-act", "psych-eval"}:
            mind = persona.conceptualization
            assert mind.automatic_thoughts
            assert mind.intermediate_beliefs or name == "psych-eval"
        if name in {"adaptive-vp", "talk-dep", "patient-zero", "sim-patient", "psyche", "psych-eval", "cars"}:
            assert persona.demographics.age is not None
            assert persona.demographics.gender
        if name in {"adaptive-vp", "talk-dep", "patient-zero", "patient-psi", "cars", "patient-act", "psych-eval"}:
            assert persona.name not in {"Client", "来访者"}
