"""The responder: whoever takes the counselor's seat once a crisis is handed over. By default a person."""

from __future__ import annotations

from counselgraph.agents.ask import Ask
from counselgraph.agents.cards import intake_card, memory_card, stance_card
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import ResponderView
from counselgraph.languages import language_name
from counselgraph.protocols.protocol import load_protocol
from counselgraph.safety.levels import Risk

RESPONDER = "responder"
RESOLVED = "/resolved"

_CARD = (
    "The crisis protocol has spoken and the session is yours: you sit in the counselor's seat. Standing risk: "
    "R{level:d}. {reason} Found in the client's last turn: {found}. "
    f"Begin a line with {RESOLVED} if you judge the danger past: the counselor then goes on with the session."
)


@role(view=ResponderView, speaks=True)
async def responder(view: ResponderView, ask: Ask) -> Update:
    """Takes the counselor's seat from the crisis protocol, until the danger is past or the session ends."""
    risk = view.get("risk") or Risk()
    found = ", ".join(dict.fromkeys(f"{finding.category} (R{finding.level:d})" for finding in risk.findings))
    instruction = render(
        "counselor",
        approach=stance_card(load_protocol(ask.scene.protocol)),
        intake=intake_card(view["intake"]),
        memories=memory_card(view.get("counselor_memories", ())),
        language=language_name(ask.scene.language),
    )
    card = _CARD.format(level=risk.level, reason=risk.reason, found=found or "nothing")
    return {"draft": await ask.turn(instruction, view["messages"], card)}
