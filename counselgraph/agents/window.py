"""The context window: what a prompt leaves out when a dialogue outgrows its model.

The system message and the last message are never cut. When the rest no longer fits, its oldest turns are left out in
whole exchanges, down to a fixed share, and a short note stands in their place. The cut is found by going through the
dialogue from its start, so it depends on nothing but the dialogue and stays where it is until the freed room is used
up: a server's prefix cache is lost once in many exchanges and not in every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counselgraph.agents.prompts import CARD_OPENS
from counselgraph.errors import ContextTooLong
from counselgraph.models.base import ChatMessage
from counselgraph.transcript import CLIENT, COUNSELOR

BYTES_PER_TOKEN = 3
"""UTF-8 bytes a token is taken to have. English has 4 to 5, Spanish and German 3.5 to 4, so their estimates are a third
too high. Chinese, Japanese and Korean have 3 bytes a character and most tokenizers need up to one token for it: there
the estimate is close."""
MESSAGE_TOKENS = 8
"""What a chat template puts around a message; Llama's and Qwen's take 5."""
PROMPT_TOKENS = 48
"""What a chat template puts around a prompt: first token, date lines, the start of the answer."""
LAST_TOKENS = 1024
"""Room kept free for the last message, at most a quarter of all, so that its length does not move the cut."""
KEPT_SHARE = 0.6
"""Share of the room for earlier turns that is still filled after a cut."""
LEFT_OUT = "(The earlier part of this session is left out here.)"


_NOTE_TOKENS = len(LEFT_OUT) // BYTES_PER_TOKEN + MESSAGE_TOKENS
_BREAK = "\n\n"
_EXCHANGE = f"{CLIENT.capitalize()}: "


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits.

    Attributes:
        messages: The prompt; the very tuple that was given if nothing had to be left out.
        left_out: Messages that are no longer in it; turns, where one message tells the whole dialogue.
    """

    messages: tuple[ChatMessage, ...]
    left_out: int = 0


def fit(messages: tuple[ChatMessage, ...], *, role: str, context_tokens: int, reserve_tokens: int) -> Fitted:
    """Make a prompt fit its model. Fitting what was fitted changes nothing.

    Args:
        messages: A prompt as `lay_out` makes it, from the whole dialogue.
        role: Whose prompt it is.
        context_tokens: Tokens the model takes, prompt and answer together.
        reserve_tokens: Tokens kept for the answer.

    Raises:
        ContextTooLong: The system message and the last message do not fit by themselves.
    """
    system, *older, last = [_tokens(message["content"]) for message in messages]
    room = context_tokens - reserve_tokens - PROMPT_TOKENS - system
    steady = room - min(LAST_TOKENS, room // 4)
    told = not older and role not in {CLIENT, COUNSELOR}
    if last + sum(older) <= room and (last if told else sum(older)) <= steady:
        return Fitted(messages)
    parts = _Told(messages[1]) if told else _Chat(messages[1:])
    last = _tokens(parts.last)
    cut = _cut([_tokens(text) for text in parts.texts], parts.opens, steady, room - last)
    if cut is None:
        raise ContextTooLong(_too_long(role, system, last, context_tokens, reserve_tokens))
    return Fitted((messages[0], *parts.after(cut)), cut) if cut else Fitted(messages)


class _Chat:
    """A dialogue in messages; an exchange begins with a message of the user."""

    def __init__(self, messages: tuple[ChatMessage, ...]) -> None:
        self._messages = messages
        *self.texts, self.last = [message["content"] for message in messages]
        self.opens = [message["role"] == "user" for message in messages]

    def after(self, cut: int) -> tuple[ChatMessage, ...]:
        """The dialogue from a message on, with the note that earlier ones are left out."""
        first, *rest = self._messages[cut:]
        if first["role"] == "assistant":
            return {"role": "user", "content": LEFT_OUT}, first, *rest
        return {"role": "user", "content": f"{LEFT_OUT}{_BREAK}{first['content']}"}, *rest


class _Told:
    """A dialogue told in one message, a paragraph a turn, by speaker; behind the last one stands the turn card."""

    def __init__(self, message: ChatMessage) -> None:
        dialogue, opening, card = message["content"].partition(CARD_OPENS)
        *self.texts, last = dialogue.split(_BREAK)
        self.last = f"{last}{opening}{card}"
        self.opens = [text.startswith(_EXCHANGE) for text in self.texts]

    def after(self, cut: int) -> tuple[ChatMessage, ...]:
        """The dialogue from a turn on, with the note that earlier ones are left out."""
        return ({"role": "user", "content": _BREAK.join([LEFT_OUT, *self.texts[cut:], self.last])},)


def _cut(sizes: Sequence[int], opens: Sequence[bool], steady: int, most: int) -> int | None:
    """How many parts of a dialogue to leave out; None if leaving out all of them is not enough.

    Args:
        sizes: Tokens of its parts but the last, oldest first.
        opens: Whether an exchange begins with a part.
        steady: Room for these parts, whatever the last one is.
        most: Room for these parts beside the last one as it is now.
    """
    cut, held = 0, 0
    for at, size in enumerate(sizes):
        held += size
        if held > steady:
            cut, held = _shrunk(sizes, opens, cut, at + 1, held, int(steady * KEPT_SHARE))
    if held > most:
        cut, held = _shrunk(sizes, opens, cut, len(sizes), held, most)
    return cut if held <= most else None


def _shrunk(sizes: Sequence[int], opens: Sequence[bool], cut: int, end: int, held: int, target: int) -> tuple[int, int]:
    """The first exchange after `cut` from which all parts up to `end` and the note fit, and what they hold."""
    held += 0 if cut else _NOTE_TOKENS
    while cut < end and (held > target or not opens[cut]):
        held -= sizes[cut]
        cut += 1
    return cut, held


def _tokens(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return size // BYTES_PER_TOKEN + MESSAGE_TOKENS


def _too_long(role: str, system: int, last: int, context_tokens: int, reserve_tokens: int) -> str:
    return (
        f"The prompt of role {role!r} does not fit its model: its instruction takes about {system} tokens, its last "
        f"message {last}, {reserve_tokens} are kept for the answer, and the context has {context_tokens}. Serve the "
        "model with a longer context, lower `max_tokens`, or shorten the persona."
    )
