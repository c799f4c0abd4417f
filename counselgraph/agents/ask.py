"""Asking: the only place where a role's model is called."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from langchain_core.messages import AnyMessage
from pydantic import BaseModel, ConfigDict

from counselgraph.agents.prompts import dialogue_for, lay_out
from counselgraph.agents.window import Fitted, fit
from counselgraph.errors import ContextTooLong, ModelError
from counselgraph.models.base import Answer, ChatMessage, Model, Request, Usage, context_of
from counselgraph.models.events import collecting
from counselgraph.models.structured import parse

Output = TypeVar("Output", bound=BaseModel)

_ANSWER_TOKENS = 512  # room for an answer when no parameter limits it
_REPAIR_TOKENS = 200  # room for the words that ask for a repair

_EMPTY = "Your answer was empty. Say your next line now, and nothing else."
_INVALID = "That was not valid: {error}. Answer again with one JSON object that follows the schema, and nothing else."


class Draft(BaseModel):
    """A turn that has been written but not yet screened.

    Attributes:
        role: Who would say it.
        text: The words; empty if the speaker leaves without a word.
        end: Why the speaker ends the session with this turn, if so.
        kind: "turn"; "opening" for a recorded opening line; "crisis" and "safe_reply" are the graph's own words and
            "hand_over" those of a person who took the seat: not for roles to give.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    text: str
    end: str | None = None
    kind: Literal["turn", "opening", "crisis", "safe_reply", "hand_over"] = "turn"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a role may know about the run it plays in: plain values, the same for every role.

    Attributes:
        session: Session id.
        exchange: Exchange being played, 0 for the counselor's opening.
        seed_key: Run seed, persona id, replicate and place in a course, from which every call's seed is derived.
        max_exchanges: The cap.
        min_exchanges: Exchanges before which no plan closes the session.
        language: ISO 639-1 code of the session's language.
        locale: Country whose crisis resources are named.
        protocol: Approach that plans follow.
        sessions: Sessions planned with this client.
    """

    session: str = "session"
    exchange: int = 0
    seed_key: str = "0"
    max_exchanges: int = 20
    min_exchanges: int = 0
    language: str = "en"
    locale: str = "US"
    protocol: str = "cbt"
    sessions: int = 1


@dataclass(slots=True)
class Ask:
    """A role's way to its model, for one visit of its node.

    Attributes:
        role: Name of the role that asks.
        model: Who answers.
        scene: Where the role stands.
        view: The role's View; rehearsal and people read it, endpoints read the prompt only.
        params: Sampling parameters passed on to the model.
        emit: Takes one event (a dict with the key `event`) for the log.
        usage: What this visit has cost so far.
    """

    role: str
    model: Model
    scene: Scene = field(default_factory=Scene)
    view: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    emit: Callable[[dict[str, Any]], None] = lambda _event: None
    usage: Usage = field(default_factory=Usage)
    _calls: int = 0

    def begin_at(self, call: int) -> None:
        """Number the calls of this visit from here on; seeds follow from the number."""
        self._calls = call

    async def turn(self, instruction: str, dialogue: Sequence[AnyMessage] = (), card: str = "") -> Draft:
        """Ask for this role's next turn.

        Args:
            instruction: The stable part of the prompt: what the role is and its case card.
            dialogue: The transcript so far.
            card: What holds for this turn only; goes last and is not stored.

        Raises:
            ModelError: The answer was empty twice.
        """
        answer = await self._answer(instruction, dialogue, card)
        return Draft(role=self.role, text=_spoken(answer.text, self.role), end=answer.end)

    async def text(self, instruction: str, dialogue: Sequence[AnyMessage] = (), card: str = "") -> str:
        """Ask for plain text; arguments and errors as for `turn`."""
        return (await self._answer(instruction, dialogue, card)).text

    async def typed(
        self, output: type[Output], instruction: str, dialogue: Sequence[AnyMessage] = (), card: str = ""
    ) -> Output:
        """Ask for a value of type `output`; one repair with the error text.

        Raises:
            ModelError: The answer does not parse, twice.
        """
        fitted = self._fitted(instruction, dialogue, card, answers=2)
        said = ""
        try:
            said = (await self._call(fitted, card, turns=len(dialogue), output=output)).text
            return parse(said, output)
        except ModelError as error:
            self._unusable("unparsed", str(error))
            repair = (_says("assistant", said or "{}"), _says("user", _INVALID.format(error=error)))
        try:
            again = await self._call(fitted, card, turns=len(dialogue), output=output, repair=repair)
            return parse(again.text, output)
        except ModelError as error:
            self._unusable("unparsed", str(error), again=False)
            raise

    async def _answer(self, instruction: str, dialogue: Sequence[AnyMessage], card: str) -> Answer:
        answer = await self._call(self._fitted(instruction, dialogue, card), card, turns=len(dialogue))
        if answer.text.strip() or answer.end:
            return answer
        self._unusable("empty", "empty answer")
        card = f"{card}\n\n{_EMPTY}".strip()
        answer = await self._call(self._fitted(instruction, dialogue, card), card, turns=len(dialogue))
        if not answer.text.strip() and not answer.end:
            self._unusable("empty", "empty answer", again=False)
            raise ModelError(f"{self.model.name} gave an empty answer twice for role {self.role!r}.")
        return answer

    def _fitted(self, instruction: str, dialogue: Sequence[AnyMessage], card: str, *, answers: int = 1) -> Fitted:
        """The prompt, without its oldest turns if they no longer fit the model, with room for so many answers."""
        messages = lay_out(instruction, dialogue_for(self.role, dialogue), card)
        limit = context_of(self.model)
        if limit is None:
            return Fitted(messages)
        reserve = answers * int(self.params.get("max_tokens", _ANSWER_TOKENS)) + (_REPAIR_TOKENS if answers > 1 else 0)
        try:
            return fit(messages, role=self.role, context_tokens=limit, reserve_tokens=reserve)
        except ContextTooLong as error:
            raise ContextTooLong(f"Session {self.scene.session!r}: {error}") from error

    async def _call(
        self,
        fitted: Fitted,
        card: str,
        *,
        turns: int,
        output: type[BaseModel] | None = None,
        repair: tuple[ChatMessage, ...] = (),
    ) -> Answer:
        request = Request(
            role=self.role,
            messages=(*fitted.messages, *repair),
            card=card,
            view=self.view,
            output=output,
            session=self.scene.session,
            exchange=self.scene.exchange,
            call=self._calls,
            seed=seed_for(self.scene.seed_key, self.scene.exchange, self.role, self._calls),
            language=self.scene.language,
            locale=self.scene.locale,
            params=self.params,
        )
        self._calls += 1
        started = time.perf_counter()
        with collecting(self._forward):
            answer = await self.model.answer(request)
        self.usage += answer.usage
        self._report(request, turns, fitted.left_out, repair, answer, time.perf_counter() - started)
        return answer

    def _unusable(self, kind: str, problem: str, *, again: bool = True) -> None:
        """Tell that an answer cannot be used, and whether it is asked for again."""
        self.emit(
            {
                "event": "repair",
                "role": self.role,
                "exchange": self.scene.exchange,
                "model": self.model.name,
                "kind": kind,
                "problem": problem,
                "again": again,
            }
        )

    def _forward(self, event: dict[str, Any]) -> None:
        self.emit({"role": self.role, "exchange": self.scene.exchange, **event})

    def _report(
        self,
        request: Request,
        turns: int,
        left_out: int,
        repair: tuple[ChatMessage, ...],
        answer: Answer,
        seconds: float,
    ) -> None:
        self.emit(
            {
                "event": "model_call",
                "role": self.role,
                "exchange": request.exchange,
                "call": request.call,
                "model": self.model.name,
                "seed": request.seed,
                "system": request.messages[0]["content"],
                "turns": turns,
                **({"left_out": left_out} if left_out else {}),
                "card": request.card,
                **({"repair": [dict(message) for message in repair]} if repair else {}),
                "output": request.output.__name__ if request.output else None,
                "answer": answer.text,
                "usage": answer.usage.model_dump(),
                "latency_ms": round(seconds * 1000, 3),
                "journaled": answer.journaled,
            }
        )


def seed_for(*parts: object) -> int:
    """A 63-bit seed that depends on every part and on nothing else."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _says(role: str, content: str) -> ChatMessage:
    return {"role": role, "content": content}  # type: ignore[typeddict-item]


def _spoken(text: str, role: str) -> str:
    """The words alone: small models like to put their own name in front."""
    head, colon, rest = text.strip().partition(":")
    named = bool(colon) and head.strip(" *[]").casefold() == role.casefold()
    return (rest if named else text).strip()
