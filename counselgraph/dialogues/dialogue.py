"""What every format ends in: a dialogue with the speakers' usual names made ours."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from counselgraph.said import Said

CLIENT, COUNSELOR = "client", "counselor"
UNNAMED = ""
"""Role of a text that comes without a speaker: it is of the side it is read for."""

Id: TypeAlias = str | int | float

_NAMES = {
    CLIENT: (
        "client", "user", "human", "seeker", "help seeker", "helpseeker", "patient", "caller", "visitor",
        "来访者", "求助者", "患者", "咨询者", "クライアント", "クライエント", "相談者", "cliente", "paciente", "مراجع",
    ),
    COUNSELOR: (
        "counselor", "counsellor", "assistant", "gpt", "bot", "model", "ai", "supporter", "therapist", "psychologist",
        "psychotherapist", "doctor", "helper", "咨询师", "心理咨询师", "支持者", "治疗师", "倾听者", "カウンセラー",
        "セラピスト", "相談員", "consejero", "consejera", "terapeuta", "مشاور",
    ),
}  # fmt: skip
ROLES = {name: role for role, names in _NAMES.items() for name in names}
"""Every name of the two sides that is understood, in lower case."""

SILENT = frozenset({"system", "developer", "tool", "function"})
"""Roles of chat formats that are no speakers."""


class Dialogue(NamedTuple):
    """One record of a file.

    Attributes:
        id: As in the file; where there is none, the number of the line or record, or the name of a file of one record.
        turns: What was said, oldest first.
    """

    id: Id
    turns: tuple[Said, ...]


def role_of(name: str) -> str:
    """The role behind a speaker's name ("Therapist", "help_seeker"); a name that is not known is its own role."""
    plain = " ".join(name.replace("_", " ").replace("-", " ").split()).casefold()
    return ROLES.get(plain, plain)
