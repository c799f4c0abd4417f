"""The client: speaks out of its persona."""

from __future__ import annotations

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.cards import attitude_card, client_card, memory_card
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import ClientView
from counselgraph.languages import language_name


@role(view=ClientView, speaks=True)
async def client(view: ClientView, ask: Ask) -> Update:
    """The person who seeks help; speaks out of its persona and knows nothing of plan, notes or risk."""
    persona, memories = view["persona"], view.get("client_memories", ())
    if persona.opening and view["exchange"] == 1 and not memories:
        return {"draft": Draft(role="client", text=persona.opening, kind="opening")}
    instruction = render(
        "client",
        case=client_card(persona),
        attitude=attitude_card(persona),
        language=language_name(ask.scene.language),
    )
    card = f"You remember: {memory_card(memories)}" if memories else "Say your next line."
    return {"draft": await ask.turn(instruction, view["messages"], card)}
