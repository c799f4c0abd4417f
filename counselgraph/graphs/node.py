"""Nodes: what turns a role into a node of the session graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.role import Role, Update, channels
from counselgraph.errors import ConfigError
from counselgraph.graphs.context import Context
from counselgraph.graphs.state import SessionState, typed_view
from counselgraph.models.base import Model

Node = Callable[..., Awaitable[Update]]


class Casting(Protocol):
    """Who plays which role: gives every role of a session its model."""

    async def __call__(self, role: str, context: Context, /) -> Model:
        """The model that plays `role` in the session of this context."""
        ...


def role_node(role: Role, cast: Casting) -> Node:
    """A node that lets a role act on its View.

    The node adds what the visit cost to the channel `usage` and refuses an update of a channel that neither the
    session nor the role's View has: LangGraph would drop it without a word.
    """
    readable = set(channels(role.view))
    writable = {*channels(SessionState), *readable}

    async def node(state: Mapping[str, Any], *, runtime: Runtime[Context]) -> Update:
        view = typed_view(role.view, {key: value for key, value in state.items() if key in readable})
        ask = _ask(role, view, await cast(role.name, runtime.context), runtime, state.get("exchange", 0))
        update = await role.act(view, ask)
        if unknown := sorted(set(update) - writable):
            raise ConfigError(f"Role {role.name!r} wrote {unknown}; name these channels in its View to keep them.")
        _check_draft(role, update.get("draft"))
        return {**update, "usage": ask.usage} if ask.usage.calls else update

    node.__name__ = role.name
    return node


def node_input(role: Role) -> type:
    """What LangGraph hands the role's node: the View, and the exchange for the node's own use."""
    fields = {**channels(role.view), "exchange": int}
    schema: type = TypedDict(f"{role.view.__name__}Input", fields, total=False)  # type: ignore[misc]  # the name is made for Studio
    return schema


def _check_draft(role: Role, draft: Draft | None) -> None:
    if draft is None:
        return
    if draft.role != role.name:
        raise ConfigError(f"Role {role.name!r} drafted a turn for {draft.role!r}.")
    if draft.kind not in {"turn", "opening"}:
        raise ConfigError(f"Role {role.name!r} drafted a turn of kind {draft.kind!r}; only the graph itself may.")


def _ask(role: Role, view: Mapping[str, Any], model: Model, runtime: Runtime[Context], exchange: int) -> Ask:
    context = runtime.context
    return Ask(
        role=role.name,
        model=model,
        scene=context.scene(exchange),
        view=view,
        params=context.params,
        emit=runtime.stream_writer,
    )
