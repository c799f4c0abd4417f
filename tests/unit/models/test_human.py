from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from counselgraph.errors import ConfigError
from counselgraph.models.base import Answer
from counselgraph.models.human import HINT, Human
from counselgraph.transcript import turn
from tests.unit.models.conftest import MakeRequest

CONFIG: RunnableConfig = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    messages: list[AnyMessage]
    answer: Answer


class Decision(BaseModel):
    focus: str
    size: int = Field(ge=1)


@pytest.fixture
def graph(make_request: MakeRequest) -> Any:
    """Builds a graph of one node in which a person is asked."""

    def build(checkpointer: Any = None, **fields: Any) -> CompiledStateGraph[Any, Any, Any, Any]:
        async def ask(state: State) -> State:
            return {"answer": await Human().answer(make_request(view=state, **fields))}

        builder = StateGraph(State)
        builder.add_node("ask", ask)
        builder.add_edge(START, "ask")
        builder.add_edge("ask", END)
        return builder.compile(checkpointer=checkpointer)

    return build


START_STATE = {"messages": [turn("client", "Hello.", exchange=1), turn("counselor", "Since when?", exchange=1)]}


async def ask(built: Any) -> Any:
    return (await built.ainvoke(START_STATE, CONFIG))["__interrupt__"][0].value


async def resume(built: Any, reply: Any) -> Any:
    return await built.ainvoke(Command(resume=reply), CONFIG)


async def test_the_interrupt_shows_what_the_person_needs(graph: Any) -> None:
    messages = (
        {"role": "system", "content": "You are the client."},
        {"role": "user", "content": "Since when?"},
        {"role": "user", "content": "You remember: March."},
    )
    asked = graph(InMemorySaver(), messages=messages, card="You remember: March.", exchange=2)
    assert await ask(asked) == {
        "role": "client",
        "exchange": 2,
        "last": "Since when?",
        "card": "You remember: March.",
        "hint": HINT,
    }


@pytest.mark.parametrize(
    "messages",
    [
        ({"role": "system", "content": "You are the client."},),
        ({"role": "system", "content": "You are the client."}, {"role": "user", "content": "Since when?"}),
    ],
)
async def test_without_a_turn_card_the_card_is_empty(graph: Any, messages: Any) -> None:
    payload = await ask(graph(InMemorySaver(), messages=messages))
    assert (payload["last"], payload["card"]) == ("Since when?", "")


@pytest.mark.parametrize(
    ("reply", "text", "end"),
    [
        (" Since March. ", "Since March.", None),
        ({"text": "Since March."}, "Since March.", None),
        ({"text": "Goodbye.", "end": "time is up"}, "Goodbye.", "time is up"),
        ({"text": "", "end": "left"}, "", "left"),
        ("/end", "", "ended by a person"),
        ("/end I have to go", "", "I have to go"),
        ("/endless worry", "/endless worry", None),
    ],
)
async def test_what_the_person_says_becomes_the_answer(graph: Any, reply: Any, text: str, end: str | None) -> None:
    built = graph(InMemorySaver())
    await ask(built)
    answer = (await resume(built, reply))["answer"]
    assert (answer.text, answer.end, answer.usage.calls) == (text, end, 0)


@pytest.mark.parametrize("nothing", ["", "  ", {"text": ""}, {"text": None}])
async def test_an_empty_line_is_asked_again_and_never_becomes_a_turn(graph: Any, nothing: Any) -> None:
    built = graph(InMemorySaver())
    await ask(built)
    for _ in range(3):
        again = await resume(built, nothing)
        assert again["__interrupt__"][0].value["error"] == "Nothing was said."
        assert "answer" not in again
    assert (await resume(built, "Since March."))["answer"].text == "Since March."


@pytest.mark.parametrize("reply", [{"focus": "sleep", "size": 2}, '{"focus": "sleep", "size": 2}'])
async def test_typed_output_takes_an_object_or_its_json(graph: Any, reply: Any) -> None:
    built = graph(InMemorySaver(), role="planner", output=Decision)
    assert (await ask(built))["schema"]["required"] == ["focus", "size"]
    answer = (await resume(built, reply))["answer"]
    assert Decision.model_validate_json(answer.text) == Decision(focus="sleep", size=2)


async def test_an_invalid_object_is_asked_again_with_what_is_wrong(graph: Any) -> None:
    built = graph(InMemorySaver(), role="planner", output=Decision)
    await ask(built)
    again = await resume(built, {"focus": "sleep", "size": 0})
    assert "size: Input should be greater than or equal to 1" in again["__interrupt__"][0].value["error"]
    again = await resume(built, "sleep")
    assert "not valid JSON" in again["__interrupt__"][0].value["error"]
    assert (await resume(built, {"focus": "sleep", "size": 1}))["answer"].text == '{"focus":"sleep","size":1}'


async def test_without_a_checkpointer_the_seat_is_refused(graph: Any) -> None:
    with pytest.raises(ConfigError, match="`client` is a person, and the graph has no checkpointer"):
        await graph().ainvoke(START_STATE, CONFIG)


async def test_a_subgraph_uses_the_checkpointer_of_its_parent(graph: Any) -> None:
    inner = graph()

    async def call(state: State) -> State:
        return {"answer": (await inner.ainvoke(state))["answer"]}

    builder = StateGraph(State)
    builder.add_node("call", call)
    builder.add_edge(START, "call")
    built = builder.compile(checkpointer=InMemorySaver())
    assert (await ask(built))["last"] == "Since when?"
    assert (await resume(built, "Since March."))["answer"].text == "Since March."


async def test_outside_a_graph_the_seat_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(ConfigError, match="only inside a running graph"):
        await Human().answer(make_request())
