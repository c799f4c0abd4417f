"""Which formats the test inputs have, and ways to look into records and personas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from counselgraph.personas import Persona, load_personas

FILES = {
    "adaptiveVP.json": ("adaptive-vp", 5),
    "annaAgent.json": ("anna-agent", 1),
    "annaAgent_family_stress_case.json": ("anna-agent-case", 1),
    "cars.json": ("cars", 1),
    "clientCast.json": ("client-cast", 1),
    "consistentMI.json": ("consistent-mi", 5),
    "eeyore.json": ("eeyore", 5),
    "mindVoyager.json": ("mind-voyager", 1),
    "patientAct.json": ("patient-act", 5),
    "patientPsi.json": ("patient-psi", 3),
    "patientZero.json": ("patient-zero", 5),
    "psychEval_cbt_1.json": ("psych-eval", 1),
    "psyche.json": ("psyche", 2),
    "roleplayDoh.json": ("roleplay-doh", 1),
    "saps.json": ("saps", 5),
    "simPatient.json": ("sim-patient", 1),
    "simPsyBot_user_profiles.json": ("sim-psybot", 5),
    "talkDep.json": ("talk-dep", 5),
}
"""Real files of the test inputs: format and number of records."""


def load(folder: Path, *records: Any, **options: Any) -> tuple[Persona, ...]:
    """The personas of a JSON list of these records."""
    path = folder / "records.json"
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    return load_personas(path, **options).personas


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Field and value of everything in a record, lists unnumbered; nothing of the importers' own code."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield ".".join(path) or "record", value


def plain(text: Any) -> str:
    """Text with its white space evened out."""
    return re.sub(r"\s+", "", str(text))


def told(persona: Persona) -> str:
    """Everything a persona holds apart from its source record, white space left out."""
    own = persona.model_dump(mode="json", exclude={"source"})
    return plain(" ".join(str(value) for _, value in leaves(own)))
