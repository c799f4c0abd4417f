"""Nodes: what turns a role into a node of the session graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from langgraph.runtime import Runtime

from counselgraph.agents.ask import Ask
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
    writable = {*channels(SessionState), *channels(role.view)}

    async def node(state: Mapping[str, Any], *, runtime: Runtime[Context]) -> Update:
        view = typed_view(role.view, state)
        ask = _ask(role, view, await cast(role.name, runtime.context), runtime)
        update = await role.act(view, ask)
        if unknown := sorted(set(update) - writable):
            raise ConfigError(f"Role {role.name!r} wrote {unknown}; name these channels in its View to keep them.")
        return {**update, "usage": ask.usage} if ask.usage.calls else update

    node.__name__ = role.name
    return node


def _ask(role: Role, view: Mapping[str, Any], model: Model, runtime: Runtime[Context]) -> Ask:
    context = runtime.context
    return Ask(
        role=role.name,
        model=model,
        scene=context.scene(view.get("exchange", 0)),
        view=view,
        params=context.params,
        emit=runtime.stream_writer,
    )
