"""Prompts: their files, and their layout from what stays to what changes.

Layout: system instruction with the role's case card, the dialogue as chat messages, the turn card last. Nothing that
changes from turn to turn stands before what stays, so a server's prefix cache reuses everything but the last turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from string import Template

from langchain_core.messages import AnyMessage

from counselgraph.models.base import ChatMessage
from counselgraph.transcript import CLIENT, COUNSELOR, role_of, text_of

PROMPTS = ("client", "counselor", "planner", "monitor", "reviewer", "review", "life", "keeper", "perceive")
CARD_OPENS = "\n\n["
"""What stands between the last words and the turn card; no words of a speaker contain it in a prompt."""

_NOBODY_SPOKE = "(The session begins. Nobody has spoken yet.)"
_SEAT = {"responder": COUNSELOR}  # who sits in whose seat
_PARTNER = {CLIENT: COUNSELOR, COUNSELOR: CLIENT}
_ROUND = str.maketrans("[]\uff3b\uff3d\u3010\u3011", "()()()")


@lru_cache(maxsize=64)
def prompt_file(name: str) -> Template:
    """A prompt of ours, `agents/prompts/<name>.md`, with `$name` places for values."""
    return Template((files("counselgraph.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip())


def render(name: str, **values: object) -> str:
    """Fill a prompt file. Values are data: a `$` inside them stays a `$`, and a square bracket becomes a round one.

    Raises:
        KeyError: The file has a place for which no value was given.
    """
    return prompt_file(name).substitute({key: str(value).translate(_ROUND) for key, value in values.items()})


def dialogue_for(role: str, messages: Sequence[AnyMessage]) -> tuple[ChatMessage, ...]:
    """The transcript as `role` lives it: its own turns are the assistant's, everybody else's the user's.

    Turns of others that follow each other are joined, since most chat templates want strict alternation. Client and
    counselor hear each other without a name, and every other voice by name; any other role hears everybody by name.
    What is told by name stands on one line, so that nobody can put words into another's mouth.
    """
    role = _SEAT.get(role, role)
    partner, named, heard = _PARTNER.get(role), False, list[str]()
    flipped: list[ChatMessage] = []
    for message in messages:
        speaker, text = role_of(message), text_of(message)
        if speaker == role:
            if heard:
                flipped.append({"role": "user", "content": "\n\n".join(heard)})
                heard, named = [], False
            flipped.append({"role": "assistant", "content": text})
        elif speaker == partner and not named:
            heard.append(text)
        else:
            named = True
            heard.append(f"{speaker.capitalize()}: {_on_one_line(text)}")
    if heard:
        flipped.append({"role": "user", "content": "\n\n".join(heard)})
    return tuple(flipped)


def lay_out(instruction: str, dialogue: Sequence[ChatMessage], card: str) -> tuple[ChatMessage, ...]:
    """Put a prompt together: system, dialogue, turn card; the last message is always the user's.

    The card goes into the last message, in square brackets. Square brackets in what was said become round ones here, so
    that no speaker can write a card; the transcript keeps them.
    """
    messages: list[ChatMessage] = [{"role": "system", "content": instruction}]
    if not dialogue or dialogue[0]["role"] == "assistant":
        messages.append({"role": "user", "content": _NOBODY_SPOKE})
    messages.extend(map(_without_brackets, dialogue))
    card = card.translate(_ROUND)
    if messages[-1]["role"] == "assistant":
        messages.append({"role": "user", "content": f"[{card or 'Go on.'}]"})
    elif card:
        messages[-1] = {"role": "user", "content": f"{messages[-1]['content']}{CARD_OPENS}{card}]"}
    return tuple(messages)


def _on_one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text or "\r" in text else text


def _without_brackets(message: ChatMessage) -> ChatMessage:
    content = message["content"]
    # Every bracket counts, the closing one alone too: what was said must read the same in every later prompt.
    if "[" in content or "]" in content or not (content.isascii() or _no_wide_bracket(content)):
        return {"role": message["role"], "content": content.translate(_ROUND)}
    return message


def _no_wide_bracket(text: str) -> bool:
    # Four searches cost a fifth of one regular expression or of `translate`, and every turn passes here at every call.
    return not ("\uff3b" in text or "\uff3d" in text or "\u3010" in text or "\u3011" in text)
