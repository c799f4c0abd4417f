"""LangGraph Studio's server, driven as Studio drives it: docs/studio.md says what these tests do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("langgraph_api")

import httpx
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

from tests.e2e.studio_server import ROOT, StudioServer, studio_server

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1"])]

CONTEXT: dict[str, Any] = {"persona": "claire-moreau", "seed": 7, "max_exchanges": 4}
NODES = ["recall", "client", "screen_client", "planner", "counselor", "screen_counselor", "crisis", "remember", "close"]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[StudioServer]:
    with studio_server(tmp_path_factory.mktemp("studio")) as running:
        yield running
        running.check()


@pytest.fixture(scope="module")
def studio(server) -> Iterator[SyncLangGraphClient]:
    with get_sync_client(url=server.url) as client:
        yield client


@dataclass(frozen=True)
class Thread:
    """One thread of the server, with the calls Studio makes on it."""

    studio: SyncLangGraphClient
    id: str
    graph: str = "session"

    def run(self, given: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Start a run (`given={}`) or go on (`given=None`), and wait for where it stops."""
        if not {"context", "config"} & set(options):
            options["context"] = CONTEXT
        values = self.studio.runs.wait(self.id, self.graph, input=given, **options)
        assert isinstance(values, dict)
        return values

    def state(self) -> dict[str, Any]:
        return dict(self.studio.threads.get_state(self.id))

    def edit(self, as_node: str | None = None, **values: Any) -> dict[str, Any]:
        self.studio.threads.update_state(self.id, values, as_node=as_node)
        return self.state()


@pytest.fixture
def thread(studio) -> Thread:
    return Thread(studio, studio.threads.create()["thread_id"])


@pytest.fixture
def chat(studio) -> Thread:
    return Thread(studio, studio.threads.create()["thread_id"], "chat")


def said(state: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["name"], message["content"]) for message in state["messages"]]


@pytest.mark.parametrize("graph", ["session", "chat"])
def test_the_server_describes_state_and_context_to_studio(studio, graph):
    schemas = studio.assistants.get_schemas(_assistant(studio, graph))
    for name in ("input_schema", "output_schema", "state_schema"):
        assert {"persona", "messages", "plan", "risk"} <= set(schemas[name]["properties"])
    context = schemas["context_schema"]["properties"]
    assert {"persona", "seed", "models", "max_exchanges"} <= set(context)
    assert context["opens"]["enum"] == ["counselor", "client"]


@pytest.mark.parametrize("graph", ["session", "chat"])
def test_the_server_draws_the_graph(studio, graph):
    drawn = studio.assistants.get_graph(_assistant(studio, graph))
    assert [node["id"] for node in drawn["nodes"]] == ["__start__", *NODES, "__end__"]


def test_a_session_is_stepped_node_by_node_and_shows_who_is_there_what_is_planned_and_the_risk(thread):
    thread.run({}, interrupt_before=["screen_client"])
    seen = [thread.state()["next"]]
    for _ in range(3):
        thread.run(interrupt_before="*")
        seen.append(thread.state()["next"])
    assert seen == [["screen_client"], ["counselor"], ["screen_counselor"], ["remember"]]
    values = thread.state()["values"]
    assert values["persona"]["name"] == "Claire Moreau"
    assert values["plan"]["trigger"] == "start"
    assert values["plan"]["steps"][0]["phase"] == "agenda"
    assert values["risk"]["level"] == 0
    assert [name for name, _ in said(values)] == ["counselor", "client", "counselor"]


def test_the_state_is_plain_json_down_to_its_leaves(thread):
    thread.run({}, interrupt_after=["screen_counselor"])
    thread.run(interrupt_after=["planner"])
    text = json.dumps(thread.state()["values"])
    assert '"lc"' not in text
    assert "counselgraph." not in text
    assert "=<" not in text


def test_a_person_takes_the_counselors_seat(thread):
    context = {**CONTEXT, "models": {"counselor": "human"}}
    asked = thread.run({}, context=context)["__interrupt__"][0]["value"]
    assert (asked["role"], asked["exchange"]) == ("counselor", 0)
    assert thread.state()["interrupts"][0]["value"] == asked
    went_on = thread.run(command={"resume": "Hello Claire, what brings you?"}, context=context)
    assert said(went_on)[0] == ("counselor", "Hello Claire, what brings you?")
    assert went_on["__interrupt__"][0]["value"]["last"] == said(went_on)[1][1]
    ended = thread.run(command={"resume": "/end lunch"}, context=context)
    assert ended["ending"] == {"stop": "completed", "by": "counselor", "reason": "lunch"}


def test_an_edited_plan_is_what_the_counselor_works_from(thread):
    thread.run({}, interrupt_after=["planner"])
    plan = thread.state()["values"]["plan"]
    assert thread.edit("planner", plan={**plan, "focus": "the birthday cakes"})["next"] == ["screen_client"]
    chunks = thread.studio.runs.stream(
        thread.id, "session", input=None, context=CONTEXT, interrupt_after=["counselor"], stream_mode="custom"
    )
    cards = [chunk.data["card"] for chunk in chunks if chunk.event == "custom"]
    assert len(cards) == 1
    assert "Working on: the birthday cakes." in cards[0]


def test_a_risk_raised_by_hand_brings_the_crisis_flow(thread):
    thread.run({}, interrupt_after=["screen_client"])
    risk = thread.state()["values"]["risk"]
    assert thread.edit(risk={**risk, "level": 4})["next"] == ["crisis"]
    ended = thread.run()
    assert ended["ending"]["stop"] == "crisis"
    assert "988" in " ".join(text for _, text in said(ended))


def test_any_channel_may_be_edited_where_the_way_is_chosen(thread):
    thread.run({}, interrupt_before=["counselor"])
    thread.run(interrupt_before=["counselor"])
    before = thread.state()["values"]
    told = {**before["messages"][-1], "content": "I cannot say no to my mother-in-law."}
    after = thread.edit(messages=[told], persona={**before["persona"], "name": "Clara"}, usage={"calls": 1})
    assert after["next"] == ["counselor"]
    assert said(after["values"])[-1] == ("client", "I cannot say no to my mother-in-law.")
    assert after["values"]["usage"]["calls"] == before["usage"]["calls"] + 1
    went_on = thread.run(interrupt_before=["remember"])
    assert ("client", "I cannot say no to my mother-in-law.") in said(went_on)


def test_a_fork_leaves_the_first_branch_as_it_was(thread):
    first = thread.run({}, context={**CONTEXT, "max_exchanges": 2})
    tip = thread.state()["checkpoint"]
    history = thread.studio.threads.get_history(thread.id, limit=50)
    fork = next(step for step in history if step["next"] == ["counselor"] and step["values"]["exchange"])
    told = {**fork["values"]["messages"][-1], "content": "It is about my sister."}
    edited = thread.studio.threads.update_state(thread.id, {"messages": [told]}, checkpoint=fork["checkpoint"])
    second = thread.run(checkpoint=edited["checkpoint"], context={**CONTEXT, "max_exchanges": 2})
    assert ("client", "It is about my sister.") in said(second)
    assert said(thread.state()["values"]) == said(second)
    assert said(thread.studio.threads.get_state(thread.id, checkpoint=tip)["values"]) == said(first)


def test_a_session_streams_the_updates_of_its_nodes_and_every_turn_once(thread):
    chunks = list(
        thread.studio.runs.stream(
            thread.id,
            "session",
            input={},
            context={**CONTEXT, "max_exchanges": 2},
            stream_mode=["updates", "messages-tuple"],
        )
    )
    nodes = [node for chunk in chunks if chunk.event == "updates" for node in chunk.data]
    assert nodes[:4] == ["recall", "counselor", "screen_counselor", "remember"]
    assert set(nodes[4:6]) == {"client", "planner"}
    assert nodes[6:9] == ["screen_client", "counselor", "screen_counselor"]
    assert nodes[-1] == "close"
    turns = [chunk.data[0] for chunk in chunks if chunk.event == "messages"]
    assert said({"messages": turns}) == said(thread.state()["values"])


def test_a_chat_takes_one_message_a_run_and_remembers_the_thread(chat):
    long = {**CONTEXT, "max_exchanges": 12}
    chat.run(_typed("I keep putting off calls."), context=long)
    state = chat.run(_typed("I think I am useless."), context=long)
    assert [name for name, _ in said(state)] == ["client", "counselor"] * 2
    assert [text for name, text in said(state) if name == "client"] == [
        "I keep putting off calls.",
        "I think I am useless.",
    ]
    assert (state["persona"]["id"], state["plan"]["trigger"], state["exchange"]) == ("claire-moreau", "start", 3)


def test_a_chat_that_has_ended_keeps_every_word_when_somebody_types_on(chat):
    chat.run(_typed("I want to kill myself tonight."))
    ended = chat.run(_typed("Nobody is here."))
    assert ended["ending"]["stop"] == "crisis"
    state = chat.run(_typed("Are you there?"))
    assert said(state)[:4] == said(ended)
    assert [name for name, _ in said(state)[4:]] == ["client", "counselor"]
    assert (state["exchange"], state["risk"]["level"]) == (3, 5)


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        ({"persona": "nobody"}, "InputError", "the library has no persona `nobody`"),
        ({"max_exchanges": 0}, "ValidationError", "max_exchanges\n  Input should be greater than or equal to 1"),
        ({"models": {"client": "nonsense"}}, "ConfigError", "no model `nonsense`"),
    ],
)
def test_a_context_that_cannot_work_is_an_error_that_says_why(thread, wrong, kind, words):
    failed = thread.run({}, context={**CONTEXT, **wrong}, raise_error=False)
    assert failed["__error__"]["error"] == kind
    assert words in failed["__error__"]["message"]
    assert thread.studio.threads.get(thread.id)["status"] == "error"


def test_the_context_may_come_as_configurable_but_not_as_both(thread):
    state = thread.run({}, config={"configurable": {**CONTEXT, "max_exchanges": 1}})
    assert (state["persona"]["id"], state["exchange"]) == ("claire-moreau", 1)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        thread.run({}, config={"configurable": {"seed": 3}}, context=CONTEXT)


def test_an_assistant_keeps_a_context_for_every_run(studio):
    assistant = studio.assistants.create("session", context=CONTEXT, name="Claire")
    kept = Thread(studio, studio.threads.create()["thread_id"], assistant["assistant_id"])
    kept.run({}, context={}, interrupt_before=["screen_client"])
    state = kept.run(context={}, interrupt_before=["close"])
    assert (state["persona"]["id"], state["exchange"]) == ("claire-moreau", 4)


def test_the_page_on_studio_says_what_works(server, capsys):
    page = (ROOT / "docs" / "studio.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block.replace("http://127.0.0.1:2024", server.url), names)
    names["client"].close()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("['screen_client'] ")
    assert "'stop': 'completed'" in printed[1]
    assert "'role': 'counselor'" in printed[2]
    assert names["said"]["messages"][0]["content"] not in printed[3]


def test_the_server_neither_blocks_nor_calls_anybody_though_tracing_was_left_on(server, thread):
    assert thread.run({})["ending"]["stop"] in {"completed", "max_exchanges"}
    server.check()


def _typed(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def _assistant(studio: SyncLangGraphClient, graph: str) -> str:
    return str(studio.assistants.search(graph_id=graph)[0]["assistant_id"])
