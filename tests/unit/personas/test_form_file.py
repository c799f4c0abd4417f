"""Plain-text intake forms as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from counselgraph.errors import InputError
from counselgraph.personas import load_personas

ADA = "Name: Ada Lind\nAge: 45\n\nPresenting Problem\nI can't finish anything I build.\n"
JUAN = (
    "Language: es\nAttitude: Negative\nNombre: Juan\nEdad: 30 años\n\n"
    "Problema\nNo duermo.\n\nMotivo de consulta\nQuiero dormir.\n"
)


def write(folder: Path, text: str) -> Path:
    path = folder / "forms.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_several_clients_in_one_file(tmp_path: Path) -> None:
    ada, juan = load_personas(write(tmp_path, f"---\n{ADA}\n ---- \r\n{JUAN}---\n")).personas
    assert (ada.id, ada.attitude, ada.language) == ("001-ada-lind-neutral", "neutral", "en")
    assert (juan.id, juan.attitude, juan.language) == ("002-juan-negative", "negative", "es")
    assert (juan.demographics.age, juan.presenting_problem.statement) == (30, "No duermo.")
    assert juan.reason_for_counseling == "Quiero dormir."
    assert juan.other == {}


def test_the_form_as_given_is_the_source(tmp_path: Path) -> None:
    (persona,) = load_personas(write(tmp_path, ADA)).personas
    assert persona.source is not None
    assert persona.source.data == {"intake_form": ADA}
    assert persona.for_counselor().client_information == "Name: Ada Lind\nAge: 45"


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        (ADA.replace("Name: Ada Lind\n", ""), "Name", "no name"),
        (ADA.replace("Presenting Problem\n", ""), "Presenting Problem", "no presenting problem"),
        (ADA.replace("45", "400"), "Age", "age is 400"),
        ("Attitude: hostile\n" + ADA, "Attitude", "'hostile' is no attitude"),
        ("Language: Spanish\n" + ADA, "language", "'Spanish' has the wrong form"),
    ],
)
def test_a_bad_form_is_named_with_field_and_fix(tmp_path: Path, text: str, field: str, problem: str) -> None:
    path = write(tmp_path, f"{JUAN}---\n{text}")
    with pytest.raises(InputError, match=problem) as caught:
        load_personas(path)
    assert (caught.value.file, caught.value.record, caught.value.field) == (str(path), 2, field)
    assert caught.value.fix


def test_a_file_of_dashes_holds_no_form(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no form"):
        load_personas(write(tmp_path, "---\n---\n"))
