"""What the counselor has to work with: the View, read once per turn, as slots for its phrases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import AnyMessage

from counselgraph.memory.record import MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor.frames import step_said
from counselgraph.models.rehearsal.hearing import (
    FEELINGS,
    asks_number,
    feeling_in,
    last_of,
    person_in,
    rating_in,
    stance,
    thought_in,
)
from counselgraph.models.rehearsal.words import capital, lower, mirror, plain, quotable, trimmed
from counselgraph.protocols.plan import Plan, Position, position
from counselgraph.protocols.protocol import Step, load_protocol
from counselgraph.safety.levels import Risk
from counselgraph.transcript import CLIENT, COUNSELOR, exchange_of, role_of, said_by, said_since, text_of

_NO_THOUGHT = re.compile(r"^(?:I've been|I have been|I started|I decided|I came|I was|I recogni[sz]ed|I reali[sz]ed)\b")
_HYPOTHESIS = re.compile(r"\"([^\"]+?)[.]?\"")
_THOUGHT_WORDS = 16


@dataclass(frozen=True, slots=True)
class Material:
    """What the counselor knows in this turn.

    Attributes:
        name: The client's first name.
        last: What the client said last; empty before the first client turn.
        said: The client's turns, oldest first.
        own: The counselor's turns, oldest first.
        other: What someone else in the room has said in this exchange, if anyone did.
        memories: What the counselor keeps of earlier sessions.
        plan: The plan in force, if any.
        at: Where the plan stands; None without a plan.
        risk: The standing risk.
        stance: How the last turn meets the counselor (see `hearing.stance`).
        answers: Step id to what the client answered, for steps that got an answer with something in it.
        rating: A number the client has just given, if one was asked for.
        feeling: A feeling named in the last turn, if any.
        language: Language of the session.
        slots: Values for phrase slots; a slot that cannot be filled well is absent.
    """

    name: str
    last: str
    said: tuple[str, ...]
    own: tuple[str, ...]
    other: str
    memories: tuple[MemoryRecord, ...]
    plan: Plan | None
    at: Position | None
    risk: Risk
    stance: str
    answers: Mapping[str, str]
    rating: int | None
    feeling: str | None
    language: str
    slots: Mapping[str, str]

    @property
    def step(self) -> Step | None:
        """The step this turn is for; None without a plan or when all are done."""
        if self.plan is None or self.at is None or self.at.index >= len(self.plan.steps):
            return None
        return self.plan.steps[self.at.index]


def gather(request: Request) -> Material:
    """Read a counselor's View."""
    view, language = request.view, request.language
    messages: Sequence[AnyMessage] = view.get("messages", ())
    plan: Plan | None = view.get("plan")
    said, own = said_by(messages, CLIENT), said_by(messages, COUNSELOR)
    last = said[-1] if said else ""
    held = load_protocol().holds(last, language)
    answers = _answers(messages, language)
    rating = rating_in(last, asked=bool(own) and asks_number(own[-1]))
    feeling = feeling_in(last) if language == "en" else None
    name = view["intake"].name.split()[0]
    other = _other(messages)
    return Material(
        name=name,
        last=last,
        said=tuple(said),
        own=tuple(own),
        other=other,
        memories=tuple(view.get("counselor_memories", ())),
        plan=plan,
        at=plan and position(plan, said_since(messages, CLIENT, plan.made_at), load_protocol(), language),
        risk=view.get("risk") or Risk(),
        stance=stance(last, held=held) if language == "en" else "tells",
        answers=answers,
        rating=rating if own and asks_number(own[-1]) else None,
        feeling=feeling,
        language=language,
        slots={"name": name} | (_english(said, last, other, plan, answers, rating, feeling) if language == "en" else {}),
    )


def _answers(messages: Sequence[AnyMessage], language: str) -> dict[str, str]:
    answers: dict[str, str] = {}
    asked: str | None = None
    for message in messages:
        if role_of(message) == COUNSELOR:
            asked = step_said(text_of(message))
        elif role_of(message) == CLIENT and asked and not load_protocol().holds(text_of(message), language):
            answers[asked] = text_of(message)
    return answers


def _other(messages: Sequence[AnyMessage]) -> str:
    if not messages or role_of(messages[-1]) == COUNSELOR:
        return ""
    now = exchange_of(messages[-1])
    heard = [text_of(m) for m in messages if exchange_of(m) == now and role_of(m) not in {CLIENT, COUNSELOR}]
    return heard[-1] if heard else ""


def _english(
    said: Sequence[str],
    last: str,
    other: str,
    plan: Plan | None,
    answers: Mapping[str, str],
    rating: int | None,
    feeling: str | None,
) -> dict[str, str]:
    reflected, problem = mirror(last), next((m for m in map(mirror, said[:2]) if m), None)
    adjective, noun = FEELINGS[feeling] if feeling else (None, None)
    found: dict[str, str | None] = {
        "Last": reflected,
        "last": reflected and lower(reflected),
        "quote": quotable(last, 14),
        "other_quote": quotable(other, 14),
        "problem": problem and lower(problem),
        "problem_quote": next((q for q in map(quotable, said[:2]) if q), None),
        "thought": _thought(plan, answers, said),
        "focus": _focus(plan),
        "hypothesis": _hypothesis(plan),
        "person": last_of(map(person_in, said)),
        "rating": None if rating is None else str(rating),
        "feeling": adjective,
        "feeling_noun": noun,
        "Feeling_noun": noun and capital(noun),
        "task": bank("counselor/techniques")[plan.technique]["task"] if plan else None,
    }
    return {key: value for key, value in found.items() if value} | _worked(plan, answers)


def _worked(plan: Plan | None, answers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for step, answer in answers.items():
        number = rating_in(answer, asked=True)
        found[f"q_{step}"] = quotable(answer, 15)
        found[f"n_{step}"] = None if number is None else str(number)
    measure = bank("counselor/techniques")[plan.technique]["measure"] if plan else []
    before, after = (found.get(f"n_{step}") for step in measure) if measure else (None, None)
    if before and after:
        found |= {"same": before} if before == after else {"from": before, "to": after}
    return {key: value for key, value in found.items() if value}


def _thought(plan: Plan | None, answers: Mapping[str, str], said: Sequence[str]) -> str | None:
    told = thought_in(answers.get("thought", ""))
    if plan is None:
        return told or last_of(map(thought_in, said))
    bare = trimmed(plan.focus)
    clear = len(bare.split()) <= _THOUGHT_WORDS and '"' not in bare and not _NO_THOUGHT.match(bare)
    if plan.revision == 1 and told:
        return told
    return capital(bare) if clear and thought_in(f'"{bare}."') else told or last_of(map(thought_in, said))


def _focus(plan: Plan | None) -> str | None:
    bare = trimmed(plain(plan.focus)) if plan else ""
    return capital(bare) if 2 < len(bare.split()) <= _THOUGHT_WORDS and '"' not in bare else None


def _hypothesis(plan: Plan | None) -> str | None:
    found = _HYPOTHESIS.search(plain(plan.hypothesis)) if plan else None
    return found.group(1) if found else None
