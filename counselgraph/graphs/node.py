"""Nodes: what turns a role into a node of the session graph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from counselgraph.agents.ask import Ask, Draft
from counselgraph.agents.role import Act, Role, Update, channels
from counselgraph.errors import ConfigError
from counselgraph.graphs.context import Context
from counselgraph.graphs.state import SessionState, heard, typed_view, upcoming
from counselgraph.models.base import Model
from counselgraph.models.events import listener
from counselgraph.safety.levels import Side, Verdict
from counselgraph.transcript import COUNSELOR

Node = Callable[..., Awaitable[Update]]

_SECOND_VISIT = 10
"""Number of the first call of a role that is visited again in one exchange; it tells the two visits' seeds apart."""
_SHARED = frozenset(channels(SessionState))


class Casting(Protocol):
    """Who plays which role: gives every role of a session its model."""

    async def __call__(self, role: str, context: Context, /) -> Model:
        """The model that plays `role` in the session of this context."""
        ...


def role_node(role: Role, cast: Casting) -> Node:
    """A node that lets a role act on its View.

    A turn that model screens are still judging is the last of the role's `messages`. The node adds what the visit cost
    to the channel `usage` and refuses an update of a channel that neither the session nor the role's View has:
    LangGraph would drop it without a word.
    """
    readable = set(channels(role.view))
    writable = {"verdicts", *(readable - _SHARED)} if role.screens else {*_SHARED, *readable}
    act = _fail_closed(role) if role.screens else role.act

    async def node(state: Mapping[str, Any], *, runtime: Runtime[Context]) -> Update:
        now = {**state, "messages": heard(state), "exchange": state["exchange"] if role.screens else upcoming(state)}
        view = typed_view(role.view, {key: value for key, value in now.items() if key in readable})
        ask = _ask(role, view, await cast(role.name, runtime.context), runtime, now["exchange"])
        ask.begin_at(_SECOND_VISIT if view.get("rework") else 0)
        update = await act(view, ask)
        if unknown := sorted(set(update) - writable):
            raise ConfigError(f"Role {role.name!r} wrote {unknown}; name these channels in its View to keep them.")
        _check_draft(role, update.get("draft"))
        return {**update, "usage": ask.usage} if ask.usage.calls else update

    node.__name__ = role.name
    return node


def node_input(role: Role) -> type:
    """What LangGraph hands the role's node: the View, and for the node's own use the exchange and the pending turn."""
    fields = {**channels(role.view), "exchange": int, "pending": Draft | None}
    schema: type = TypedDict(f"{role.view.__name__}Input", fields, total=False)  # type: ignore[misc]  # the name is made for Studio
    return schema


def _fail_closed(role: Role) -> Act:
    """A screen that gives no answer, or none that can be used, has failed on the turn, which never lowers a level."""
    side = Side.COUNSELOR if role.after == COUNSELOR else Side.CLIENT

    async def act(view: Any, ask: Ask) -> Update:
        try:
            update = await role.act(view, ask)
            # Whatever side a model names, it was asked about this one; and nothing it says may lower a level.
            as_asked = {"side": side, "denial": False}
            return {**update, "verdicts": [one.model_copy(update=as_asked) for one in update.get("verdicts", ())]}
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a screen raises, it has failed
            ask.emit({"event": "error", "role": role.name, "message": f"{type(error).__name__}: {error}"})
            return {"verdicts": [Verdict(side=side, failed=True)]}

    return act


def emitter(runtime: Runtime[Context]) -> Callable[[dict[str, Any]], None]:
    """Where a node's events go: straight to who listens in this context, else into LangGraph's custom stream.

    A runner listens by itself, because every item of the custom stream costs LangGraph a task.
    """
    return listener() or runtime.stream_writer


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
        emit=emitter(runtime),
    )
