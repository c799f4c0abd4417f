"""Every built-in role keeps the contract that plug-in authors are held to."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from counselgraph import Ask, Draft, Role, Update, role
from counselgraph.agents.role import channels
from counselgraph.agents.views import ClientView
from counselgraph.graphs.seats import DEFAULT_ROLES, OPTIONAL_ROLES
from counselgraph.testing import acheck_role, check_role
from counselgraph.transcript import turn

BUILT_IN = [*DEFAULT_ROLES, *OPTIONAL_ROLES.values()]


@pytest.mark.parametrize("item", BUILT_IN, ids=lambda item: item.name)
async def test_a_built_in_role_keeps_the_contract(item: Role):
    await acheck_role(item)


@pytest.mark.parametrize("item", BUILT_IN, ids=lambda item: item.name)
def test_a_built_in_role_says_what_it_is_for(item: Role):
    assert item.purpose


def test_the_client_is_never_shown_plan_risk_or_notes():
    assert not set(channels(ClientView)) & {"plan", "risk", "verdicts", "notes", "intake", "counselor_memories"}


def test_the_counselor_is_never_shown_the_persona():
    counselor = next(item for item in DEFAULT_ROLES if item.name == "counselor")
    assert "persona" not in channels(counselor.view)


class NotesView(TypedDict, total=False):
    messages: list[AnyMessage]
    exchange: int
    margin: Annotated[list[str], operator.add]


def observer(act: Any, **options: Any) -> Role:
    return role(view=NotesView, **{"after": "counselor", **options})(act)


async def writes_elsewhere(view: NotesView, ask: Ask) -> Update:
    return {"margins": ["typo"]}


async def writes_in_place(view: NotesView, ask: Ask) -> Update:
    view["messages"].append(turn("client", "sneaked in", exchange=9))
    return {}


async def writes_the_transcript(view: NotesView, ask: Ask) -> Update:
    return {"messages": [turn("writes_the_transcript", "unscreened", exchange=9)]}


async def speaks_undeclared(view: NotesView, ask: Ask) -> Update:
    return {"draft": Draft(role="speaks_undeclared", text="Hello.")}


async def speaks_for_another(view: NotesView, ask: Ask) -> Update:
    return {"draft": Draft(role="client", text="Hello.")}


async def forgets_to_return(view: NotesView, ask: Ask) -> Any:
    return None


_turns = iter(range(1000))


async def never_the_same(view: NotesView, ask: Ask) -> Update:
    return {"margin": [f"visit {next(_turns)}"]}


class Loose:
    """A value no checkpoint can hold."""


async def keeps_what_cannot_be_saved(view: NotesView, ask: Ask) -> Update:
    return {"margin": [_LOOSE]}


_LOOSE = Loose()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (writes_elsewhere, "margins"),
        (writes_in_place, "in place"),
        (writes_the_transcript, "past the screens"),
        (speaks_undeclared, "speaks=True"),
        (forgets_to_return, "not a dict"),
        (never_the_same, "differently"),
        (keeps_what_cannot_be_saved, "checkpoint"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_role_that_breaks_a_rule_is_told_which(act: Any, said: str):
    with pytest.raises(AssertionError, match=said):
        check_role(observer(act))


def test_a_speaker_may_not_speak_for_another():
    with pytest.raises(AssertionError, match="for 'client'"):
        check_role(observer(speaks_for_another, speaks=True))


def test_a_client_that_would_see_the_plan_is_refused():
    class PryingView(ClientView, total=False):
        plan: Any

    async def client(view: Any, ask: Ask) -> Update:
        return {"draft": Draft(role="client", text="Hello.")}

    with pytest.raises(AssertionError, match="plan"):
        check_role(role(view=PryingView)(client))
