"""The keeper: decides after a session what each side remembers of it, every item with the turn it comes from.

For the counselor it also brings the portrait of the client up to date. The client knows who it is, and gets none.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.errors import ModelError
from counselgraph.languages import language_name
from counselgraph.memory.kept import Kept
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.transcript import CLIENT, COUNSELOR, exchange_of, text_of

KEEPER = "keeper"

_WHOSE = {
    COUNSELOR: "the counselor, who prepares the next session: what the client said of themselves, what was agreed on",
    CLIENT: "the client, who goes home with it: what struck them, what they agreed to do, what they were promised",
}
_PORTRAIT = """\
Say who this client is, for a counselor with half a minute before the next session: what they came with, what lies
beneath it, who or what carries them, how they take what is offered, and where they stand after this session. At most
80 words, in {language}, no diagnosis. Bring the earlier portrait up to date: keep what still holds, change what has
changed, leave out what no longer matters. Do not append: it stays short however many sessions there are.
{earlier}"""
_EARLIER, _FIRST = "The earlier portrait: {text}", "There is no earlier portrait: this is the first."
_NO_PORTRAIT = "None is wanted here. Leave it empty."


class KeeperView(TypedDict, total=False):
    """The keeper knows what was said, and of the counselor's memories it is shown the portrait."""

    messages: list[AnyMessage]
    session_number: int
    counselor_memories: list[MemoryRecord]
    kept: dict[str, Kept]


@role(view=KeeperView)
async def keeper(view: KeeperView, ask: Ask) -> Update:
    """Decides what counselor and client each remember, and keeps the counselor's portrait of the client up to date."""
    numbered = [_numbered(message) for message in view["messages"]]
    language = language_name(ask.scene.language)
    earlier = portrait_in(view.get("counselor_memories", ()))
    kept: dict[str, Kept] = {}
    for owner, whose in _WHOSE.items():
        portrait = portrait_task(earlier, language) if owner == COUNSELOR else _NO_PORTRAIT
        instruction = render("keeper", whose=whose, portrait=portrait, language=language)
        # The client's notes are not made with the counselor's memories in sight.
        ask.view = {**view, "owner": owner, **({} if owner == COUNSELOR else {"counselor_memories": []})}
        try:
            kept[owner] = await ask.typed(Kept, instruction, numbered, f"Say what {owner} keeps.")
        except ModelError as error:
            # The session has been held: it counts without these notes, and the log says that they are missing.
            problem = f"nothing kept for {owner}: {error}"
            ask.emit({"event": "error", "role": KEEPER, "type": type(error).__name__, "message": problem})
    return {"kept": kept}


def portrait_in(memories: Sequence[MemoryRecord]) -> str:
    """The latest portrait among some memories; "" if there is none."""
    found = [memory for memory in memories if memory.kind is Kind.PORTRAIT]
    return max(found, key=lambda memory: memory.session_number).text if found else ""


def portrait_task(earlier: str, language: str) -> str:
    """What is asked of a portrait, given the one of the session before ("" if there is none)."""
    return _PORTRAIT.format(language=language, earlier=_EARLIER.format(text=earlier) if earlier else _FIRST)


def _numbered(message: AnyMessage) -> AnyMessage:
    return message.model_copy(update={"content": f"({exchange_of(message)}) {text_of(message)}"})
