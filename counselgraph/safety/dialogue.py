"""A dialogue of any system under the screens: every turn in its order, and the policy over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from pydantic import Field

from counselgraph.safety.layers import RULES, Layers, Named, Screened, attempted, beside_reply, load_layers, screened
from counselgraph.safety.levels import Category, Finding, Frozen, Level, Risk, Side, Verdict
from counselgraph.safety.policy import assess
from counselgraph.safety.resources import INTERNATIONAL
from counselgraph.safety.rules import DEFAULT_LANGUAGE
from counselgraph.safety.screen import screen_reply
from counselgraph.said import Said

Id: TypeAlias = str | int | float

_LOOKS_BACK = 8  # turns in whose light a reply is read, as in a session


class ScreenedTurn(Frozen):
    """One turn that was screened.

    Attributes:
        index: Its place in the dialogue, from 0.
        side: Whose words it has.
        level: What stands after it: the client's risk after a turn of the client's side, the severity of a reply.
        turn_level: The level of this turn alone.
        findings: What was found in it.
    """

    index: int
    side: Side
    level: Level
    turn_level: Level
    findings: tuple[Finding, ...] = ()


class Screening(Frozen):
    """What the screens say of a dialogue.

    Attributes:
        id: Which dialogue, as in its file.
        side: Whose turns it was about.
        level: The standing level after the client's last turn, or the severity of the counselor's last turn.
        findings: What explains the level: those of that turn, behind those of the earlier turn by which the level
            stands, if there is one.
        turns: Every turn that was screened, to explain the level.
        failed: Layers that could not give a verdict on some turn, with the kind of error. For the rules that
            is empty if there are none for the language.
    """

    id: Id = ""
    side: Side
    level: Level = Level.NONE
    findings: tuple[Finding, ...] = ()
    turns: tuple[ScreenedTurn, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)


def screen_dialogue(
    said: Sequence[Said] | str,
    *,
    side: Side = Side.CLIENT,
    language: str = DEFAULT_LANGUAGE,
    locale: str = INTERNATIONAL,
    layers: Layers = (RULES,),
    id: Id = "",  # noqa: A002 - the name it has in every file
) -> Screening:
    """Screen a dialogue turn by turn.

    On the client's side every turn of the client goes through the layers and the policy. A third voice may raise the
    level; nothing in it lowers it. On the counselor's side the turns before a reply are screened in the same way, so
    that the reply is judged in their light.

    Args:
        said: The turns, oldest first, or one text. A text, and a turn whose role is empty, are of the side asked for;
            a role that is neither client nor counselor counts to the client's side.
        side: Whose turns are asked about; "client" and "counselor" will do.
        language: Language code, as in `screen`.
        locale: Country of the client (see `resources_for`); decides which contacts a reply may name.
        layers: What screens; see `screen_layered`.
        id: Name of the dialogue.

    Raises:
        ConfigError: A layer is not known or cannot be imported.
        ValueError: There is no such side.
    """
    side = Side(side)
    turns = [Said("", said)] if isinstance(said, str) else said
    replay = _Replay(side, language, locale, load_layers(layers), turns)
    for index, turn in enumerate(turns):
        replay.take(index, turn.role or side, turn.text)
    return Screening(
        id=id,
        side=side,
        level=replay.level,
        findings=replay.findings,
        turns=tuple(replay.turns),
        failed=replay.failed,
    )


@dataclass(slots=True)
class _Replay:
    """What is known so far while the turns go by; `asked`, `offered` as in the state of a session.

    `grounds` are the findings of the last turn that was as grave as what stands.
    """

    side: Side
    language: str
    locale: str
    layers: tuple[Named, ...]
    said: Sequence[Said]
    risk: Risk = field(default_factory=Risk)
    level: Level = Level.NONE
    findings: tuple[Finding, ...] = ()
    grounds: tuple[Finding, ...] = ()
    turns: list[ScreenedTurn] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    asked: bool = False
    offered: bool = False

    def take(self, index: int, role: str, text: str) -> None:
        """Screen the next turn, if the side that is asked about has anything to do with it."""
        if role != Side.COUNSELOR:
            self._hear(index, role, text)
        elif self.side is Side.COUNSELOR:
            self._judge(index, text)

    def _hear(self, index: int, role: str, text: str) -> None:
        question = self.said[index - 1].text if index and self.said[index - 1].role == Side.COUNSELOR else ""
        found = screened(
            text,
            side=Side.CLIENT,
            language=self.language,
            layers=self.layers,
            standing=self.risk.level,
            question=question,
        )
        verdicts = self._noted(found)
        before, now = self.risk, assess(self.risk, *verdicts)
        if role == Side.CLIENT or now.level > before.level:
            self.risk = now
        if now.level > before.level:
            self.asked = self.offered = False
        if now.turn_level == self.risk.level:
            self.grounds = now.findings
        self._note(index, Side.CLIENT, now, self.risk.level, self.grounds)

    def _judge(self, index: int, text: str) -> None:
        """Judge a reply in the light of what was said before it."""
        before = self.said[max(index - _LOOKS_BACK, 0) : index]
        reply = self._reply(text, before=before, asked=self.asked, offered=self.offered)
        others = beside_reply(text, before=before, language=self.language, layers=self.layers)
        now = assess(None, *self._noted([reply, *others]))
        self._note(index, Side.COUNSELOR, now, now.level)
        if self.risk.level >= Level.PASSIVE:
            self._follow_up(text)

    def _follow_up(self, text: str) -> None:
        """See whether a reply has asked directly or offered a service, so that the next one need not."""
        reply = self._reply(text)
        if reply.problem:
            return
        missing = {finding.category for finding in reply.verdict.findings}
        self.asked = self.asked or not missing & {Category.NO_DIRECT_QUESTION, Category.MISSED_RISK}
        self.offered = self.offered or Category.NO_RESOURCE not in missing

    def _reply(self, text: str, **known: Any) -> Screened:
        give = partial(screen_reply, text, risk=self.risk, language=self.language, locale=self.locale, **known)
        return attempted(RULES, Side.COUNSELOR, text, give) or Screened(RULES, Verdict(side=Side.COUNSELOR))

    def _noted(self, found: Iterable[Screened]) -> list[Verdict]:
        """The verdicts of layers, those that failed remembered by name."""
        verdicts = []
        for layer, verdict, problem in found:
            verdicts.append(verdict)
            if verdict.failed:
                # An error's message may quote the text; its kind does not.
                why = problem.partition(":")[0] or ("" if layer == RULES else "its own verdict")
                self.failed[layer] = self.failed.get(layer) or why
        return verdicts

    def _note(self, index: int, side: Side, now: Risk, standing: Level, grounds: tuple[Finding, ...] = ()) -> None:
        found = now.findings
        turn = ScreenedTurn(index=index, side=side, level=standing, turn_level=now.turn_level, findings=found)
        self.turns.append(turn)
        if side is self.side:
            self.level, self.findings = standing, tuple(dict.fromkeys((*grounds, *found)))
