"""What every part of a persona is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
Lines = tuple[Line, ...]


class Part(BaseModel):
    """Base of every part of a persona: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
