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
    return {"draft": opening(view) or await spoken(view, ask)}


def opening(view: ClientView) -> Draft | None:
    """The client's recorded first line, if it has one and this is where it belongs."""
    persona = view["persona"]
    if not persona.opening or view["exchange"] != 1 or view.get("client_memories") or view.get("since"):
        return None
    return Draft(role=CLIENT, text=persona.opening, kind="opening")


async def spoken(view: ClientView, ask: Ask, *, moment: str = "", memories: str = "", since: str = "") -> Draft:
    """The client's next turn out of its persona, its memories and the conversation.

    Args:
        view: What the client knows.
        ask: Its way to its model.
        moment: What holds of the client at this very turn; goes into the turn card.
        memories: What it remembers of earlier sessions; by default the memories of its View.
        since: How it has fared since the last session; by default what its View says.

    Raises:
        ModelError: The answer was empty twice.
    """
    persona = view["persona"]
    language = language_name(ask.scene.language)
    instruction = render(
        "client",
        case=client_card(persona),
        attitude=attitude_card(persona),
        memories=memories or memory_card(view.get("client_memories", ())),
        since=since or since_card(view.get("since")),
        language=language,
    )
    card = _NEXT.format(name=persona.name, language=language)
    if view["exchange"] <= 1:
        card = _AGAIN if view.get("since") or since else _FIRST
    return _leaving(await ask.turn(instruction, view["messages"], f"{moment}\n{card}".strip()))


def _leaving(draft: Draft) -> Draft:
    """A draft without the sign by which a model leaves, `/end` behind its last words, and with its `end`."""
    words, signs = _LEAVES.subn("", draft.text)
    return draft.model_copy(update={"text": words.strip(), "end": draft.end or _LEFT}) if signs else draft
