"""The learned screen: a small linear model over hashed features. It raises a level beside the rules, never lowers one.

Its weights come from posts and lines that people labelled; see docs/learned-screen.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from counselgraph.safety.fold import Folded, fold
from counselgraph.safety.learned.features import Seen, names_a_kind, see
from counselgraph.safety.learned.weights import Weights, load_weights, trained
from counselgraph.safety.levels import Category, Finding, Level, Side, Verdict
from counselgraph.safety.rules import language_of
from counselgraph.safety.screen import screen
from counselgraph.said import Said

DISTRESS = frozenset({"death", "pain", "hopeless", "means", "deed", "fear"})

_CATEGORIES = {Level.PASSIVE: Category.SI_PASSIVE, Level.ACTIVE: Category.SI_ACTIVE, Level.INTENT: Category.INTENT}
# A quote is a sentence, or a part of it where somebody writes a page without a full stop.
_PASSAGE = re.compile(r"\S(?:[^\n]{0,199}(?!\S)|[^\n]{0,199})")


def screen_learned(text: str, *, side: Side, language: str) -> Verdict | None:
    """Screen one text by the learned weights.

    The verdict carries at most one finding, of `SI_PASSIVE`, `SI_ACTIVE` or `INTENT` by its level, and never a level
    above R4: it does not lock a session. It quotes the sentence that speaks most for the level.

    Args:
        text: What was said; any length, any characters.
        side: Whose words they are.
        language: Language code, as in `screen`.

    Returns:
        The verdict; None where there are no weights for the language or the side.
    """
    code = language_of(language)
    if side != Side.CLIENT or code not in trained():
        return None
    return _verdict(text, side, code, _CATEGORIES)


def screen_learned_reply(reply: str, *, before: Sequence[Said], language: str) -> Verdict | None:
    """Screen a counselor's reply to somebody in distress for one that passes over it.

    The finding is `MISSED_RISK` where the rules find a risk in the client's last turn and `INVALIDATION` elsewhere. Its
    level is 2: the weights are better than chance and no more, so it is noted and does not replace a reply.

    Args:
        reply: The counselor's reply or draft.
        before: What was said before it, oldest first.
        language: Language code, as in `screen`.

    Returns:
        The verdict; one without findings where the client's last turn shows no distress; None where there are no
        weights for the language.
    """
    code = language_of(language)
    if f"{code}-reply" not in trained():
        return None
    heard = next((said.text for said in reversed(before) if said.role != Side.COUNSELOR), "")
    if not in_distress(heard, language):
        return Verdict(side=Side.COUNSELOR)
    missed = screen(heard, language=language).level >= Level.PASSIVE
    category = Category.MISSED_RISK if missed else Category.INVALIDATION
    return _verdict(reply, Side.COUNSELOR, f"{code}-reply", {Level.PASSIVE: category})


def in_distress(text: str, language: str) -> bool:
    """Whether a client's turn shows distress: the rules find something in it, or it has a word of a kind that does."""
    if screen(text, language=language).level:
        return True
    return names_a_kind(fold(text).text, language_of(language), DISTRESS)


def _verdict(text: str, side: Side, model: str, categories: Mapping[Level, Category]) -> Verdict:
    weights, folded = load_weights(model), fold(text)
    seen = see(folded.text, model)
    level = weights.level(weights.scores(seen)) if folded.text.strip() else Level.NONE
    if level is Level.NONE:
        return Verdict(side=side)
    finding = Finding(
        category=categories[level],
        level=level,
        quote=_quote(folded, seen, weights, level),
        source=f"learned/{model}:{weights.card.version}",
    )
    return Verdict(side=side, level=level, findings=(finding,))


def _quote(folded: Folded, seen: list[Seen], weights: Weights, level: Level) -> str:
    """The original words of the passage that speaks most for a level."""
    by_place = weights.weight_by_place(seen, level, len(folded.text))
    passages = _PASSAGE.finditer(folded.text)
    best = max(passages, key=lambda found: float(by_place[found.start() : found.end()].sum()), default=None)
    return folded.quote(best.start(), best.start() + len(best[0].rstrip())) if best else ""
