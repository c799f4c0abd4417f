"""The embedded default model: a deterministic, rule-based simulator that needs no download and no server.

It fills every role from that role's own View alone. What it says is rehearsal material, not a language model's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal import client, counselor, generic, keeping, life, perceiving, planner, review
from counselgraph.models.rehearsal.bank import read_all_banks
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import ApproachName
from counselgraph.safety.levels import Side, Verdict
from counselgraph.safety.screen import screen
from counselgraph.transcript import CLIENT, said_by


class Rehearsal:
    """The rehearsal model.

    The same request gets the same answer: nothing but the request's View, seed and language decides the words.
    """

    name = "rehearsal"

    def __init__(self) -> None:
        self._read = False

    async def answer(self, request: Request) -> Answer:
        """Answer as the role of the request would.

        Raises:
            ModelError: The request names an output type that cannot be filled.
        """
        if not self._read:
            # An event loop is no place to read files.
            await asyncio.to_thread(_read_data)
            self._read = True
        return respond(request)


def _read_data() -> None:
    read_all_banks()
    for approach in ApproachName:
        load_protocol(approach)
    screen("")


def respond(request: Request) -> Answer:
    """Answer one request by the rules of its role; a role or output type without rules of its own is improvised."""
    if request.output is None:
        return _SPEAKERS.get(request.role, generic.improvise)(request)
    return _TYPED.get(request.role, generic.improvise)(request)


def judge(request: Request) -> Answer:
    """The monitor's verdict on the client's last turn, by the lexical screen."""
    if request.output is not Verdict:
        return generic.improvise(request)
    said = said_by(request.view.get("messages", ()), CLIENT)
    verdict = screen(said[-1], side=Side.CLIENT, language=request.language) if said else Verdict(side=Side.CLIENT)
    return Answer(text=verdict.model_dump_json())


_SPEAKERS: dict[str, Callable[[Request], Answer]] = {"client": client.speak, "counselor": counselor.speak}
_TYPED: dict[str, Callable[[Request], Answer]] = {
    "planner": planner.decide,
    "monitor": judge,
    "review": review.review,
    "life": life.live,
    "keeper": keeping.keep,
    "counselor": perceiving.perceive,
}
