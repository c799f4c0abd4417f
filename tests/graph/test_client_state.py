"""A course carries its client's private state from session to session."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from counselgraph import Context
from counselgraph.graphs.course import build_course, course_start
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName
from counselgraph.testing import sample_persona
from tests.fakes.models import Recording

KEEP = Review(
    decision="keep", approach=ApproachName.CBT, evidence="e", reason="r", progress=0, moved="m", agenda="a"
).model_dump_json()


@pytest.mark.parametrize(("name", "channel"), [("evolving", "complaint"), ("mi", "readiness")])
async def test_a_client_comes_to_its_next_session_as_it_left_the_last(name: str, channel: str) -> None:
    cast = Recording(review=lambda _request: KEEP)
    builder = await asyncio.to_thread(build_course, roles=[name], cast=cast)
    context = Context(session="c", sessions=3, persona="sample-client", max_exchanges=5, seed=3)
    final: dict[str, Any] = await builder.compile().ainvoke(course_start(sample_persona()), context=context)
    assert json.loads(json.dumps(final["client_state"])) == final["client_state"]
    views = [request.view for request in cast.requests if request.role == "client"]
    firsts = [at for at, view in enumerate(views) if view["exchange"] == 1]
    assert len(firsts) == len(final["outcomes"]) > 1
    for at in firsts[1:]:
        before, now = views[at - 1][channel], views[at][channel]
        assert views[at]["carried"][channel]["told"] == before.model_dump(mode="json")["told"]
        assert {note.text for note in before.told} <= {note.text for note in now.told}
        assert now.told[-1].session <= views[at]["session_number"]
