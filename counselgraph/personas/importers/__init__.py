"""Outside formats, one module each. To add one: write the module and name it in `IMPORTERS`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from counselgraph.errors import InputError
from counselgraph.personas.importers import (
    adaptive_vp,
    anna_agent,
    anna_agent_case,
    cactus,
    cars,
    client_cast,
    consistent_mi,
    eeyore,
    form,
    mind_voyager,
    patient_act,
    patient_psi,
    patient_zero,
    psych_eval,
    psyche,
    roleplay_doh,
    saps,
    sim_patient,
    sim_psybot,
    talk_dep,
    yaml_file,
)
from counselgraph.personas.importers.records import RecordFormat
from counselgraph.personas.persona import Persona


class Importer(Protocol):
    """What a module of this package offers.

    Attributes:
        NAME: Format name, as written in `format=`.
        SUFFIXES: File name endings this format comes with; other files of a folder are passed over.
    """

    NAME: str
    SUFFIXES: tuple[str, ...]

    def detect(self, path: Path, head: str) -> bool:
        """Whether the file, which begins with `head`, looks like this format."""
        ...

    def read(self, path: Path) -> Iterator[Persona | InputError]:
        """The personas of the file in order; a record that cannot be used yields its errors instead.

        Raises:
            InputError: The file as a whole cannot be read.
        """
        ...


RECORDS: tuple[RecordFormat, ...] = (
    adaptive_vp.FORMAT,
    anna_agent.FORMAT,
    anna_agent_case.FORMAT,
    cars.FORMAT,
    client_cast.FORMAT,
    consistent_mi.FORMAT,
    eeyore.FORMAT,
    mind_voyager.FORMAT,
    patient_act.FORMAT,
    patient_psi.FORMAT,
    patient_zero.FORMAT,
    psych_eval.FORMAT,
    psyche.FORMAT,
    roleplay_doh.FORMAT,
    saps.FORMAT,
    sim_patient.FORMAT,
    sim_psybot.FORMAT,
    talk_dep.FORMAT,
)
"""Formats of JSON records, each told by keys of its own."""

IMPORTERS: tuple[Importer, ...] = (yaml_file, cactus, form, *RECORDS)
