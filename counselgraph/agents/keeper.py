"""The keeper: decides after a session what each side remembers of it, every item with the turn it comes from."""

from __future__ import annotations

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.languages import language_name
from counselgraph.memory.kept import Kept
from counselgraph.transcript import CLIENT, COUNSELOR, exchange_of, text_of

KEEPER = "keeper"

_WHOSE = {
    COUNSELOR: "the counselor, who prepares the next session: what the client said of themselves, what was agreed on",
    CLIENT: "the client, who goes home with it: what struck them, what they agreed to do, what they were promised",
}


class KeeperView(TypedDict, total=False):
    """The keeper knows what was said."""

    messages: list[AnyMessage]
    kept: dict[str, Kept]


@role(view=KeeperView)
async def keeper(view: KeeperView, ask: Ask) -> Update:
    """Decides what counselor and client each remember: facts, homework, insights, risk, preferences, promises."""
    numbered = [_numbered(message) for message in view["messages"]]
    kept: dict[str, Kept] = {}
    for owner, whose in _WHOSE.items():
        instruction = render("keeper", whose=whose, language=language_name(ask.scene.language))
        kept[owner] = await ask.typed(Kept, instruction, numbered, f"Say what {owner} keeps.")
    return {"kept": kept}


def _numbered(message: AnyMessage) -> AnyMessage:
    return message.model_copy(update={"content": f"({exchange_of(message)}) {text_of(message)}"})
