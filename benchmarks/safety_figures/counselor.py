"""The counselor's side: how severe the screen finds replies that people, or a model, have called fit or unfit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.safety_figures.estimates import Estimate, Ints, auc, percents, share
from benchmarks.safety_figures.layers import Unseen
from benchmarks.safety_figures.page import tabled
from benchmarks.safety_figures.sets import Replies, halves
from counselgraph.dialogues import Dialogue
from counselgraph.safety.dialogue import screen_dialogue
from counselgraph.safety.learned import screen_learned_reply
from counselgraph.safety.levels import Side
from counselgraph.said import Said

SEVERITIES = (1, 2, 3)


class Judged(NamedTuple):
    """Replies with the severity that the screen gives them.

    Attributes:
        severity: By the rules.
        both: By rules and learned layer, the latter out of fold where it was trained on the reply; None without one.
    """

    replies: Replies
    severity: Ints
    both: Ints | None = None

    def auc(self, rows: Ints, *, learned: bool = False) -> Estimate:
        """How well severity tells unfit from fit, in some of the rows."""
        severity = self.both if learned and self.both is not None else self.severity
        return auc(self.replies.unfit[rows], severity[rows], [self.replies.groups[row] for row in rows])


def judge(replies: Replies, unseen: Unseen | None) -> Judged:
    """Screen the last turn of every dialogue in the light of what the client said before it.

    Args:
        replies: What is judged.
        unseen: What the learned layer says of its own training replies without having seen them; None leaves it out.
    """
    levels = [
        screen_dialogue(said, side=Side.COUNSELOR, language="en").turns[-1].turn_level for said in replies.dialogues
    ]
    severity = np.array([int(level) for level in levels])
    if unseen is None:
        return Judged(replies, severity)
    learned = np.array([_learned(said, unseen) for said in replies.dialogues])
    return Judged(replies, severity, np.maximum(severity, learned))


def kinds_table(judged: Judged, *, unfit: str, fit: str) -> str:
    """Per kind: shares of unfit and fit replies by severity, and the area under the curve."""
    head = ("kind", f"{unfit} / {fit}", *(f"{name} >= {at}" for at in SEVERITIES for name in (unfit, fit)), "AUC")
    learned = () if judged.both is None else ("AUC with learned",)
    return tabled((*head, "even rows", "odd rows", *learned), _kind_rows(judged))


def human_table(data_sets: Mapping[str, Sequence[Dialogue]]) -> str:
    """How often a turn of the counselors in a set is called one that must not be said."""
    rows = []
    for name, sessions in data_sets.items():
        severity, groups = _severities(sessions)
        shares = [percents(share(severity >= at, groups)) for at in SEVERITIES]
        rows.append((name, len(sessions), len(groups), *shares))
    return tabled(("counselors", "sessions", "turns", ">= 1", ">= 2", ">= 3"), rows)


def by_quality(sessions: Sequence[Dialogue], quality: Mapping[str, str]) -> dict[str, list[Dialogue]]:
    """Sessions by the quality that they demonstrate."""
    found: dict[str, list[Dialogue]] = defaultdict(list)
    for session in sessions:
        found[quality[str(session.id)]].append(session)
    return dict(sorted(found.items()))


def _kind_rows(judged: Judged) -> Iterator[tuple[object, ...]]:
    replies = judged.replies
    half = halves(len(replies.kinds))
    for kind in sorted(set(replies.kinds)):
        rows = replies.of(kind)
        unfit, fit = rows[replies.unfit[rows]], rows[~replies.unfit[rows]]
        shares = [_share(judged, part, at) for at in SEVERITIES for part in (unfit, fit)]
        split = [judged.auc(rows[chosen[rows]]) for chosen in half.values()]
        learned = () if judged.both is None else (judged.auc(rows, learned=True),)
        yield kind, f"{len(unfit)} / {len(fit)}", *shares, judged.auc(rows), *split, *learned


def _learned(said: Sequence[Said], unseen: Unseen) -> int:
    reply = said[-1].text
    if reply in unseen:
        return unseen[reply]
    verdict = screen_learned_reply(reply, before=said[:-1], language="en")
    return 0 if verdict is None else int(verdict.level)


def _share(judged: Judged, rows: Ints, at: int) -> Estimate:
    return share(judged.severity[rows] >= at, [judged.replies.groups[row] for row in rows])


def _severities(sessions: Sequence[Dialogue]) -> tuple[Ints, list[str]]:
    """Severity and session of every counselor turn."""
    severity, groups = [], []
    for session in sessions:
        screening = screen_dialogue(session.turns, side=Side.COUNSELOR)
        turns = [turn for turn in screening.turns if turn.side is Side.COUNSELOR]
        severity += [int(turn.turn_level) for turn in turns]
        groups += [str(session.id)] * len(turns)
    return np.array(severity), groups
