"""Outside formats, one module each. To add one: write the module and name it in `IMPORTERS`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from counselgraph.errors import InputError
from counselgraph.personas.importers import cactus, form, yaml_file
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


IMPORTERS: tuple[Importer, ...] = (yaml_file, cactus, form)
