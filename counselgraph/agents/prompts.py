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

PROMPTS = ("client", "counselor", "planner", "monitor")
_NOBODY_SPOKE = "(The session begins. Nobody has spoken yet.)"


@lru_cache(maxsize=64)
def prompt_file(name: str) -> Template:
    """A prompt of ours, `agents/prompts/<name>.md`, with `$name` places for values."""
    return Template((files("counselgraph.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip())


def render(name: str, **values: object) -> str:
    """Fill a prompt file. Values are data: a `$` inside them stays a `$`.

    Raises:
        KeyError: The file has a place for which no value was given.
    """
    return prompt_file(name).substitute(values)


def dialogue_for(role: str, messages: Sequence[AnyMessage]) -> tuple[ChatMessage, ...]:
    """The transcript as `role` lives it: its own turns are the assistant's, everybody else's the user's.

    Turns of others that follow each other are joined, since most chat templates want strict alternation;
    with more than two speakers each joined turn carries its speaker's name.
    """
    speakers = {role_of(message) for message in messages}
    named = bool(speakers - {CLIENT, COUNSELOR}) or role not in {CLIENT, COUNSELOR}
    flipped: list[ChatMessage] = []
    for message in messages:
        speaker, text = role_of(message), text_of(message)
        own = speaker == role
        words = text if own or not named else f"{speaker.capitalize()}: {text}"
        if flipped and not own and flipped[-1]["role"] == "user":
            flipped[-1] = {"role": "user", "content": f"{flipped[-1]['content']}\n\n{words}"}
        else:
            flipped.append({"role": "assistant" if own else "user", "content": words})
    return tuple(flipped)


def lay_out(instruction: str, dialogue: Sequence[ChatMessage], card: str) -> tuple[ChatMessage, ...]:
    """Put a prompt together: system, dialogue, turn card; the last message is always the user's."""
    messages: list[ChatMessage] = [{"role": "system", "content": instruction}]
    if not dialogue or dialogue[0]["role"] == "assistant":
        messages.append({"role": "user", "content": _NOBODY_SPOKE})
    messages.extend(dialogue)
    if card and messages[-1]["role"] == "user":
        messages[-1] = {"role": "user", "content": f"{messages[-1]['content']}\n\n[{card}]"}
    elif messages[-1]["role"] == "assistant":
        messages.append({"role": "user", "content": f"[{card or 'Go on.'}]"})
    return tuple(messages)
