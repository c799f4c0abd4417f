"""The transcript: turns as LangChain messages, so that LangGraph Studio shows them as chat.

The counselor's turns are `AIMessage`s, everybody else's `HumanMessage`s; `name` holds the role and
`additional_kwargs["exchange"]` the exchange. Ids are deterministic, so writing a turn twice is writing it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

COUNSELOR = "counselor"
CLIENT = "client"


def turn(role: str, text: str, *, exchange: int, session: str = "") -> AnyMessage:
    """A turn of `role` as a message with a deterministic id."""
    kind = AIMessage if role == COUNSELOR else HumanMessage
    return kind(content=text, name=role, id=f"{session}:{exchange}:{role}", additional_kwargs={"exchange": exchange})


def role_of(message: AnyMessage) -> str:
    """Role that said it; a message typed into a chat window carries no name and is the client's."""
    return message.name or (COUNSELOR if isinstance(message, AIMessage) else CLIENT)


def exchange_of(message: AnyMessage) -> int:
    """Exchange the turn belongs to; 0 for the counselor's opening."""
    return int(message.additional_kwargs.get("exchange", 0))


def text_of(message: AnyMessage) -> str:
    """The words of the turn."""
    content = message.content
    return content if isinstance(content, str) else str(message.text)


def said_by(messages: Iterable[AnyMessage], role: str) -> list[str]:
    """What `role` has said so far, oldest first."""
    return [text_of(message) for message in messages if role_of(message) == role]


def last_said(messages: Sequence[AnyMessage], role: str, count: int = 1) -> list[str]:
    """The last `count` things `role` has said, oldest first; costs the same however long the transcript is."""
    recent = islice((text_of(message) for message in reversed(messages) if role_of(message) == role), count)
    return list(recent)[::-1]


def said_since(messages: Sequence[AnyMessage], role: str, exchange: int) -> list[str]:
    """What `role` has said in exchanges after `exchange`, oldest first."""
    recent: list[str] = []
    for message in reversed(messages):
        if exchange_of(message) <= exchange:
            break
        if role_of(message) == role:
            recent.append(text_of(message))
    return recent[::-1]
