"""What a review makes of a session: how it went, whether the approach still fits, and what comes next."""

from __future__ import annotations

from pydantic import Field

from counselgraph.protocols.approach import ApproachDecision


class Review(ApproachDecision):
    """What a review answers after a session of a course."""

    progress: int = Field(ge=-2, le=2, description="Compared with the session before: -2 much worse, 2 much better.")
    moved: str = Field(
        min_length=1, max_length=300, description="What moved in this session, or what stands in the way; one sentence."
    )
    agenda: str = Field(
        min_length=1, max_length=300, description="What the next session should take up first; one sentence."
    )
    finished: bool = Field(
        default=False, description="Whether the client has what they came for and needs no further session."
    )
