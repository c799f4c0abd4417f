from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from counselgraph.errors import ModelError
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.generic import improvise
from counselgraph.personas.persona import Intake
from counselgraph.safety.levels import Verdict
from counselgraph.transcript import turn

TALK = [
    turn("counselor", "Hello Mira, what brings you in?", exchange=0),
    turn("client", "I lie awake and count my mistakes.", exchange=1),
    turn("counselor", "You lie awake and count your mistakes. What goes through your mind then?", exchange=1),
]


class Mood(StrEnum):
    LOW = "low"
    HIGH = "high"


class Item(BaseModel):
    name: Annotated[str, Field(min_length=3, max_length=40)]
    score: Annotated[int, Field(ge=0, le=6)]


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mood: Mood
    kind: Literal["a", "b"]
    fixed: Literal["only"]
    share: Annotated[float, Field(gt=0, lt=1)]
    items: Annotated[list[Item], Field(min_length=2, max_length=4)]
    pair: tuple[int, str]
    maybe: int | None
    either: Item | int
    table: dict[str, int]
    note: Annotated[str, Field(min_length=150)]
    yes: bool
    steps: Annotated[int, Field(gt=10, lt=20, multiple_of=5)]
    optional: str = "kept"


class Node(BaseModel):
    label: str
    child: Node | None


class Tags(BaseModel):
    tags: Annotated[set[Mood], Field(min_length=2)]


def ask(role: str, *, messages: list[Any] | None = None, seed: int = 1, output: type[BaseModel] | None = None) -> str:
    view = {"intake": Intake(name="Mira Lang"), "messages": TALK if messages is None else messages}
    return improvise(Request(role=role, messages=(), view=view, seed=seed, output=output, exchange=1)).text


@pytest.mark.parametrize("output", [Sheet, Node, Tags, Verdict])
@given(seed=st.integers(0, 2**63 - 1))
def test_any_schema_is_filled(output, seed):
    output.model_validate_json(ask("judge", seed=seed, output=output))


def test_text_fields_quote_the_last_turn():
    filled = Node.model_validate_json(ask("judge", output=Node))
    assert "You lie awake" in filled.label or "What goes through" in filled.label


def test_equal_seeds_fill_equal_values():
    assert ask("judge", output=Sheet) == ask("judge", output=Sheet)
    assert len({ask("judge", seed=seed, output=Sheet) for seed in range(12)}) > 1


class Coded(BaseModel):
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{4}$")]


def test_what_cannot_be_filled_is_an_error_that_names_it():
    with pytest.raises(ModelError, match="Coded"):
        ask("judge", output=Coded)


def test_a_supervisor_says_whether_the_counselor_followed():
    assert ask("supervisor").strip()
    questions = [*TALK, turn("counselor", "Why? And since when? And with whom?", exchange=2)]
    said = ask("supervisor", messages=questions)
    assert "several questions" in said or "more than one thing" in said


@pytest.mark.parametrize("role", ["family", "mother", "partner", "friend"])
def test_a_speaking_seat_speaks_of_the_client_in_its_own_voice(role):
    said = {ask(role, seed=seed) for seed in range(30)}
    assert len(said) > 4
    assert any("Mira" in line for line in said)
    assert not any("counselor" in line for line in said)


def test_a_seat_says_nothing_twice_while_it_has_something_new():
    messages, said = list(TALK), []
    for exchange in range(2, 10):
        said.append(ask("family", messages=messages, seed=exchange))
        messages.append(turn("family", said[-1], exchange=exchange))
    assert len(set(said)) == len(said)


def test_before_anything_was_said_there_is_still_an_answer():
    assert ask("supervisor", messages=[]).strip()
    Sheet.model_validate_json(ask("judge", messages=[], output=Sheet))
