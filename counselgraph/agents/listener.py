"""The listener: takes the last message of a chat window as the client's turn."""

from __future__ import annotations

from langchain_core.messages import AnyMessage, RemoveMessage
from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.role import Update, role
from counselgraph.errors import InputError
from counselgraph.transcript import CLIENT, text_of


class ListenerView(TypedDict, total=False):
    """The listener sees the messages only."""

    messages: list[AnyMessage]
    exchange: int


@role(view=ListenerView, name=CLIENT, speaks=True)
async def listener(view: ListenerView, ask: Ask) -> Update:
    """Takes what was typed as a draft, so that it is screened before it counts as a turn."""
    typed = view["messages"][-1]
    if not text_of(typed).strip():
        raise InputError("an empty message is no turn.", field="messages", fix="type something")
    _ = ask
    return {
        "draft": Draft(role=CLIENT, text=text_of(typed).strip()),
        "messages": [RemoveMessage(id=str(typed.id))],
    }
