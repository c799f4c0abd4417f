"""The listener: takes the last message of a chat window as the client's turn."""

from __future__ import annotations

from itertools import takewhile

from langchain_core.messages import AnyMessage, HumanMessage, RemoveMessage
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
    """Takes what was typed since the last turn as one draft, so that all of it is screened before it counts."""
    _ = ask
    typed = list(takewhile(_is_typed, reversed(view["messages"])))[::-1]
    words = "\n".join(text_of(message).strip() for message in typed).strip()
    if not words:
        raise InputError("holds nothing that the client says.", field="messages", fix="send a message of the user")
    return {
        "draft": Draft(role=CLIENT, text=words),
        "messages": [RemoveMessage(id=str(message.id)) for message in typed],
    }


def _is_typed(message: AnyMessage) -> bool:
    """Turns of ours carry the name of their role; what a chat window sends does not."""
    return isinstance(message, HumanMessage) and not message.name
