"""Cactus records: what goes where, what never reaches the client, what is wrong with bad ones."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counselgraph.errors import InputError
from counselgraph.personas import Persona, load_personas
from counselgraph.personas.importers.cactus import gold_techniques, turns_of

FORM = """Name:
Ada Lind
Age:
45
Gender:
female
Occupation: Carpenter

2. Presenting Problem
I believe that nothing I build will last, and this keeps me awake.

3. Reason for Seeking Counseling
I want to enjoy my trade again.
"""
RECORD: dict[str, Any] = {
    "AI_client": {
        "intake_form": FORM,
        "attitude": "negative",
        "attitude_instruction": "Grumbles.",
        "dialogue_history_init": "Counselor: Hello Ada.\nClient: Hi.\nIt's about my work.",
        "dialogue_history": None,
    },
    "AI_counselor": {
        "CBT": {
            "client_information": "Name: Ada, told to the counselor",
            "reason_counseling": "Reason told to the counselor",
            "dialogue_history_init": "Counselor: Good day.\nClient: Only the counselor's record has this line.",
            "init_history_counselor": "Good day to you.",
            "init_history_client": "Only the counselor's record has this line.",
        },
        "Response": {"cbt_plan": None},
    },
    "ground_truth_CBT": ["Pie Chart Technique"],
    "extra": {"kept": True},
}
HEADING = re.compile(
    r"^(?:\d\. )?(?:Name|Age|Gender|Occupation|Education|Marital Status|Family Details|Presenting Problem"
    r"|Reason for Seeking Counseling|Past History(?: \(including medical history\))?"
    r"|(?:Academic/)?occupational functioning level|Occupational|Interpersonal relationships|Daily life"
    r"|Social Support System)\s*(?::|$)",
    re.IGNORECASE,
)


def load(folder: Path, *records: Any) -> tuple[Persona, ...]:
    path = folder / "records.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return load_personas(path).personas


def changed(**paths: Any) -> dict[str, Any]:
    """The record with some fields set, dots written as two underscores; `...` takes a field out."""
    record = copy.deepcopy(RECORD)
    for path, value in paths.items():
        *parents, last = path.split("__")
        part = record
        for parent in parents:
            part = part[parent]
        if value is ...:
            del part[last]
        else:
            part[last] = value
    return record


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


def pieces(record: dict[str, Any]) -> set[str]:
    """Lines and sentences of every string in a part of a record."""
    lines = (line for text in strings(record) for line in re.split(r"\n|(?<=[.!?])\s+|(?<=[。\uff1f])", text))
    return {line.strip() for line in lines if line.strip()}


@pytest.fixture(scope="module", params=["intake_dev.json", "intake_zh_dev.json"])
def real(request: pytest.FixtureRequest, test_data: Path) -> tuple[Persona, ...]:
    return load_personas(test_data / "cactus" / request.param).personas


def data_of(persona: Persona) -> dict[str, Any]:
    assert persona.source is not None
    return persona.source.data


def test_a_record_fills_a_persona_and_is_kept_whole(tmp_path: Path) -> None:
    (persona,) = load(tmp_path, RECORD)
    assert persona.id == "001-ada-lind-negative"
    assert persona.source is not None
    assert (persona.source.format, persona.source.file, persona.source.record) == ("cactus", "records.json", 1)
    assert persona.source.data == RECORD
    assert (persona.attitude, persona.attitude_instruction, persona.receptivity) == ("negative", "Grumbles.", 0.2)
    assert persona.opening == "Hi. It's about my work."
    assert persona.conceptualization.automatic_thoughts == ("Nothing I build will last.",)
    assert persona.goals == ("I want to enjoy my trade again.",)


def test_the_counselor_is_told_what_the_record_says(tmp_path: Path) -> None:
    intake = load(tmp_path, RECORD)[0].for_counselor()
    assert intake.name == "Ada Lind"
    assert intake.client_information == "Name: Ada, told to the counselor"
    assert intake.reason_for_counseling == "Reason told to the counselor"
    assert intake.opening == "Good day to you."


@pytest.mark.parametrize("counselor", [..., None, {}, {"CBT": None}, {"CBT": {"client_information": None}}])
def test_without_a_counselor_part_the_form_tells_the_counselor(tmp_path: Path, counselor: Any) -> None:
    intake = load(tmp_path, changed(AI_counselor=counselor))[0].for_counselor()
    assert intake.client_information == "Name: Ada Lind\nAge: 45\nGender: female\nOccupation: Carpenter"
    assert intake.reason_for_counseling == "I want to enjoy my trade again."
    assert intake.opening == "Hello Ada."


def test_an_opening_in_another_language_gives_way_to_one_in_the_persona_s(tmp_path: Path) -> None:
    record = changed(AI_counselor__CBT__init_history_counselor="你好\uff0c很高兴见到你。")
    assert load(tmp_path, record)[0].for_counselor().opening == "Hello Ada."


def test_the_client_s_words_cut_into_the_counselor_s_place_are_no_opening(tmp_path: Path) -> None:
    record = changed(
        AI_counselor__CBT__init_history_counselor="ient: I came early.",
        AI_client__dialogue_history_init="Client: I came early.\nCounselor: Thank you for that.",
    )
    (persona,) = load(tmp_path, record)
    assert persona.opening == "I came early."
    assert persona.for_counselor().opening == ""


@pytest.mark.parametrize("dialogue", [..., None, "", "Counselor: Hello."])
def test_a_record_without_a_client_line_has_no_opening(tmp_path: Path, dialogue: Any) -> None:
    assert load(tmp_path, changed(AI_client__dialogue_history_init=dialogue))[0].opening == ""


def test_turns_of_either_side() -> None:
    dialogue = "Therapist: One.\nPatient: Two\ntwo.\n来访者\uff1a三。\nCounselor: Four."
    assert turns_of(dialogue, client=True) == "Two two. 三。"
    assert turns_of(dialogue, client=False) == "One. Four."
    assert turns_of("no names", client=True) == ""


def test_ids_number_the_records_and_survive_names_in_other_scripts(tmp_path: Path) -> None:
    names = ["José Núñez", "王芳", "'; -- ../x"]
    records = [changed(AI_client__intake_form=FORM.replace("Ada Lind", name)) for name in names]
    ids = [persona.id for persona in load(tmp_path, *records)]
    assert ids == ["001-jose-nunez-negative", "002-client-negative", "003-x-negative"]


@pytest.mark.parametrize(
    ("labels", "techniques"),
    [
        (["Pie Chart Technique", " Continuum Technique "], ("Pie Chart Technique", "Continuum Technique")),
        ([], ()),
        (None, ()),
        (..., ()),
        ("Role-playing and Simulation", ("Role-playing and Simulation",)),
        ([1, None], ()),
        ({"a": 1}, ()),
    ],
)
def test_gold_labels_in_any_shape(tmp_path: Path, labels: Any, techniques: tuple[str, ...]) -> None:
    assert gold_techniques(load(tmp_path, changed(ground_truth_CBT=labels))[0]) == techniques


def test_a_persona_from_elsewhere_has_no_gold_labels() -> None:
    persona = load_personas("builtin/maya-okafor").personas[0]
    assert gold_techniques(persona) == ()
    assert gold_techniques(persona.for_client()) == ()


def test_an_attitude_line_in_the_form_is_kept_but_does_not_decide(tmp_path: Path) -> None:
    record = changed(AI_client__intake_form="Attitude: sunny\nLanguage: Welsh\n" + FORM)
    (persona,) = load(tmp_path, record)
    assert persona.attitude == "negative"
    assert persona.other == {"Attitude": "sunny", "Language": "Welsh"}


@pytest.mark.parametrize(
    ("record", "field", "problem"),
    [
        (changed(AI_client=...), "AI_client", "missing"),
        (changed(AI_client=None), "AI_client", "missing"),
        (changed(AI_client=["x"]), "AI_client", "not a list"),
        (changed(AI_client__intake_form=...), "AI_client.intake_form", "missing"),
        (changed(AI_client__intake_form="  "), "AI_client.intake_form", "empty"),
        (changed(AI_client__intake_form={"Name": "Ada"}), "AI_client.intake_form", "not a mapping"),
        (changed(AI_client__intake_form=FORM.replace("Ada Lind", "")), "AI_client.intake_form", "no name"),
        (
            changed(AI_client__intake_form=FORM.replace("2. Pres", "2. X")),
            "AI_client.intake_form",
            "no presenting problem",
        ),
        (changed(AI_client__intake_form=FORM.replace("45", "400")), "AI_client.intake_form", "age is 400"),
        (changed(AI_client__attitude=...), "AI_client.attitude", "missing"),
        (changed(AI_client__attitude="hostile"), "AI_client.attitude", "'hostile' is no attitude"),
        (changed(AI_client__attitude=3), "AI_client.attitude", "not a number"),
        (changed(AI_client__attitude_instruction=["x"]), "AI_client.attitude_instruction", "not a list"),
        (changed(AI_client__dialogue_history_init=[]), "AI_client.dialogue_history_init", "not a list"),
        (changed(AI_counselor="x"), "AI_counselor", "not text"),
        (changed(AI_counselor__CBT=[]), "AI_counselor.CBT", "not a list"),
        (changed(AI_counselor__CBT__reason_counseling=5), "AI_counselor.CBT.reason_counseling", "not a number"),
        ("just text", None, "not text"),
        (None, None, "not nothing"),
    ],
)
def test_a_bad_record_is_named_with_field_and_fix(tmp_path: Path, record: Any, field: str | None, problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        load(tmp_path, RECORD, record)
    error = caught.value
    assert (error.file, error.record, error.field) == (str(tmp_path / "records.json"), 2, field)
    assert error.fix


def test_all_bad_records_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, changed(AI_client=...), RECORD, changed(AI_client__attitude="x"))
    said = str(caught.value)
    assert "record 1, field `AI_client`" in said
    assert "record 3, field `AI_client.attitude`" in said
    assert "record 2" not in said


@pytest.mark.data
def test_every_real_record_loads_with_its_whole_record(real: tuple[Persona, ...]) -> None:
    assert len(real) in {60, 6}
    assert len({persona.id for persona in real}) == len(real)
    for persona in real:
        client = data_of(persona)["AI_client"]
        assert persona.attitude == client["attitude"]
        assert persona.attitude_instruction == client["attitude_instruction"]
        assert persona.language == "en"
        assert persona.demographics.age is not None
        assert persona.other == {}
        assert gold_techniques(persona)


@pytest.mark.data
def test_no_sentence_of_a_real_form_is_lost(real: tuple[Persona, ...]) -> None:
    for persona in real:
        own = persona.model_dump(exclude={"conceptualization", "goals", "source", "intake", "opening"})
        kept = " ".join(" ".join(str(value) for value in strings_and_numbers(own)).split())
        for line in data_of(persona)["AI_client"]["intake_form"].splitlines():
            rest = HEADING.sub("", line.strip()).removeprefix("- ").strip()
            for sentence in re.split(r"(?<=[.!?])\s+", rest):
                assert sentence in kept or sentence.lower() in {"not specified", "undisclosed"}, persona.id


def strings_and_numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from strings_and_numbers(inner)
    else:
        yield value


@pytest.mark.data
def test_nothing_of_the_counselor_s_part_or_the_labels_reaches_the_client(real: tuple[Persona, ...]) -> None:
    secrets = 0
    for persona in real:
        record = data_of(persona)
        own = json.dumps(record["AI_client"], ensure_ascii=False)
        private = {
            text for text in pieces({key: record[key] for key in record if key != "AI_client"}) if text not in own
        }
        seen = json.dumps(persona.for_client().model_dump(mode="json"), ensure_ascii=False)
        assert [text for text in private if text in seen] == [], persona.id
        assert persona.for_client().source is None
        secrets += len(private)
    assert secrets > len(real)


@pytest.mark.data
def test_openings_of_real_records_are_each_side_s_own(real: tuple[Persona, ...]) -> None:
    for persona in real:
        dialogue = data_of(persona)["AI_client"]["dialogue_history_init"]
        assert persona.opening in " ".join(dialogue.split())
        assert persona.opening
        opening = persona.for_counselor().opening
        assert not opening or f"Counselor: {opening}" in dialogue
    assert sum(not persona.for_counselor().opening for persona in real) == 1


@pytest.mark.data
def test_most_real_forms_give_thoughts_emotions_and_situations(real: tuple[Persona, ...]) -> None:
    minds = [persona.conceptualization for persona in real]
    assert sum(bool(mind.automatic_thoughts) for mind in minds) >= 0.8 * len(minds)
    assert sum(bool(mind.emotions) for mind in minds) >= 0.9 * len(minds)
    assert sum(bool(mind.situations) for mind in minds) >= 0.9 * len(minds)
