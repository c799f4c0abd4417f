"""The client: speaks out of its persona."""

from __future__ import annotations

import re

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.cards import attitude_card, client_card, memory_card, since_card
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import ClientView
from counselgraph.languages import language_name
from counselgraph.transcript import CLIENT

_LEAVES = re.compile(r"(?<![\w/])/end\b.*\Z", re.DOTALL | re.IGNORECASE)
_LEFT = "The client ended the session."
_FIRST = "This is your first turn. Say in your own words what brings you, and leave most of it for later."
_AGAIN = (
    "This is your first turn today. You know this counselor. Say how you are and what is on your mind, as it really is "
    "since the last session; keep some of it for later."
)
_NEXT = "Your turn. Answer as {name}, out loud, in {language}."


@role(view=ClientView, speaks=True)
async def client(view: ClientView, ask: Ask) -> Update:
    """The person who seeks help; speaks out of its persona and knows nothing of plan, notes or risk."""
    persona, memories = view["persona"], view.get("client_memories", ())
    if persona.opening and view["exchange"] == 1 and not memories:
        return {"draft": Draft(role=CLIENT, text=persona.opening, kind="opening")}
    language = language_name(ask.scene.language)
    instruction = render(
        "client",
        case=client_card(persona),
        attitude=attitude_card(persona),
        memories=memory_card(memories),
        since=since_card(view.get("since")),
        language=language,
    )
    card = _NEXT.format(name=persona.name, language=language)
    if view["exchange"] <= 1:
        card = _AGAIN if view.get("since") else _FIRST
    return {"draft": _leaving(await ask.turn(instruction, view["messages"], card))}


def _leaving(draft: Draft) -> Draft:
    """A draft without the sign by which a model leaves, `/end` behind its last words, and with its `end`."""
    words, signs = _LEAVES.subn("", draft.text)
    return draft.model_copy(update={"text": words.strip(), "end": draft.end or _LEFT}) if signs else draft
