"""Who the client is: the persona, its importers and the built-in library."""

from __future__ import annotations

from counselgraph.personas.importers.yaml_file import dump_persona
from counselgraph.personas.load import Personas, load_personas
from counselgraph.personas.persona import Persona

__all__ = ["Persona", "Personas", "dump_persona", "load_personas"]
