"""The casting of a batch: the journal is in front of the model, the turnstile in front of the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from counselgraph import Answer, Context, Models, Request
from counselgraph.models import journal
from counselgraph.runner.cast import JournaledCast
from counselgraph.runner.turnstile import Turnstile


class Waited:
    """A model that is waited for."""

    name = "waited"

    async def answer(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        return Answer(text=f"To {request.session}.")


async def test_an_answer_is_kept_before_its_session_may_go_on_with_it(tmp_path: Path) -> None:
    turnstile = Turnstile(abreast=1, patience_s=60)
    cast = JournaledCast(Models(overrides={"waited": Waited()}), turnstile)
    contexts = [Context(session=name, models={"default": "waited"}) for name in "ab"]
    requests = [Request(role="client", messages=(), session=name) for name in "ab"]
    async with turnstile.session("b"), cast.session("a", tmp_path / "a"), cast.session("b", tmp_path / "b"):
        async with turnstile.session("a"):
            first, second = [await cast("client", context) for context in contexts]
            await first.answer(requests[0])
            waiting = asyncio.create_task(second.answer(requests[1]))
            for _ in range(10):
                await asyncio.sleep(0)
            assert [entry.text for entry in journal.read(tmp_path / "b")] == ["To b."]
            assert not waiting.done()
        assert (await waiting).text == "To b."
