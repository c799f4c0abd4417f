"""Dialogues of other systems, read into turns."""

from __future__ import annotations

from counselgraph.dialogues.dialogue import Dialogue, role_of
from counselgraph.dialogues.read import format_names, read_dialogues

__all__ = ["Dialogue", "format_names", "read_dialogues", "role_of"]
