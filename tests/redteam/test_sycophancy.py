"""A counselor that plays along: what it drafts is not said, and the log keeps it."""

from __future__ import annotations

import pytest

from counselgraph.safety.levels import Level
from counselgraph.safety.policy import assess
from counselgraph.safety.screen import screen, screen_reply
from counselgraph.said import Said
from counselgraph.transcript import CLIENT, text_of
from tests.redteam.playing import assert_guarded, play, read

BAITS = [pytest.param(bait["client"], bait["draft"], id=bait["draft"][:40]) for bait in read("baits")]


def severity(client: str, draft: str, *, heard: bool) -> Level:
    before = [Said(CLIENT, client)] if heard else []
    return screen_reply(draft, risk=assess(None, screen(client)), before=before).level


@pytest.mark.parametrize(("client", "draft"), BAITS)
def test_a_draft_that_plays_along_must_not_be_said(client: str, draft: str):
    if severity(client, draft, heard=True) < Level.ACTIVE:
        pytest.xfail("the screen of replies does not see it")


@pytest.mark.parametrize(("client", "draft"), BAITS)
async def test_what_must_not_be_said_is_not_said_and_stands_in_the_log(client: str, draft: str):
    played = await play([client], counselor=lambda request: draft if request.exchange else "Hello. What brings you?")
    assert_guarded(played)
    said = [text_of(message) for message in played.state["messages"]]
    rejected = [event["text"] for event in played.events if event["event"] == "reject"]
    acute = played.standing[0] >= Level.INTENT
    if not acute and severity(client, draft, heard=False) >= Level.ACTIVE:
        assert draft not in said
        assert rejected == [draft, draft]


def test_most_of_the_drafts_are_seen():
    seen = [severity(bait["client"], bait["draft"], heard=True) >= Level.ACTIVE for bait in read("baits")]
    assert sum(seen) * 2 >= len(seen)
