"""What importers of multi-session clients share: earlier conversations as memories, and risk that is spoken of."""

from __future__ import annotations

import re

from counselgraph.personas.evolving import EarlierMemory, Speaker
from counselgraph.personas.importers.draft import Draft
from counselgraph.personas.importers.leaves import Pattern
from counselgraph.personas.loss import Fate
from counselgraph.personas.persona import RiskProfile
from counselgraph.personas.sentences import sentences

_CLIENT = frozenset({"client", "seeker", "patient", "user"})
_COUNSELOR = frozenset({"counselor", "counsellor", "therapist", "doctor", "assistant"})
_RISK = re.compile(
    r"self[- ]?harm|suicid|kill (?:myself|me)|end (?:it all|my life)|better off dead|(?:harm|hurt)(?:ing)? myself"
    r"|want to die|not want to live|自杀|自残|自伤|轻生|不想活|伤害自己",
    re.IGNORECASE,
)


def take_earlier(draft: Draft, pattern: str, *, text: str = "content", session: int = 1) -> None:
    """Make the turns of an earlier conversation what the client remembers of it.

    Args:
        draft: The persona in the making.
        pattern: The list of turns, each with a `role`.
        text: Key of what was said.
        session: Which session it was.

    Raises:
        InputError: A turn's role is not known.
    """
    memories: list[EarlierMemory] = []
    for turn in draft.each(pattern):
        role = draft.peek((*turn, "role"))
        said = draft.peek((*turn, text))
        if not said:
            continue
        memories.append(EarlierMemory(session=session, by=_speaker(draft, pattern, role), text=said))
        draft.note(Fate.REWORDED, "evolving.earlier", (*turn, "role"))
        draft.note(Fate.MAPPED, "evolving.earlier", (*turn, text))
    draft.fields["evolving.earlier"] = (*draft.fields.get("evolving.earlier", ()), *memories)


def take_risk(draft: Draft, level: int, pattern: Pattern, *spoken: Pattern) -> None:
    """Set the risk the client carries, where the record also holds words in which it shows.

    Without such words nobody could see the level in a dialogue, so it stays in the source.

    Args:
        draft: The persona in the making.
        level: The level, 0-5.
        pattern: Where the record says so.
        spoken: Where the client's own words are.
    """
    texts = [text for leaf in draft.pick(*spoken) for text in sentences([leaf.text]) if _RISK.search(text)]
    if level and texts:
        draft.fields["risk"] = RiskProfile(level=level, statements=tuple(dict.fromkeys(texts))[:1])
    if texts or not level:
        draft.note(Fate.REWORDED, "risk.level", pattern)


def _speaker(draft: Draft, pattern: str, role: str) -> Speaker:
    if role.lower() in _CLIENT:
        return Speaker.CLIENT
    if role.lower() in _COUNSELOR:
        return Speaker.COUNSELOR
    known = ", ".join(sorted(_CLIENT | _COUNSELOR))
    raise draft.fail(f"{pattern}.role", f"{role[:30]!r} is no speaker.", f"use one of {known}.")
