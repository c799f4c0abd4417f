"""Conditional edges that cost little."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config, set_config_context

Route = Callable[[Any], list[str]]
"""Where a state leads: the nodes that come next. The type of its argument says which channels it reads."""


class Edge(Runnable[Any, list[str]]):
    """A route as LangGraph calls it, at once and in the context of the run.

    Given the route itself, LangGraph would run it in a thread of its own, or in a task of its own if it were async.
    """

    def __init__(self, route: Route) -> None:
        self.name = route.__name__
        update_wrapper(self, route)  # LangGraph reads the argument's type from it

    def __call__(self, state: Any) -> list[str]:
        """The nodes that come next."""
        found: list[str] = self.__wrapped__(state)  # type: ignore[attr-defined]  # set by update_wrapper
        return found

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> list[str]:  # noqa: A002 - LangChain's name
        """See `__call__`."""
        with set_config_context(ensure_config(config)) as context:
            return context.run(self, input)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> list[str]:  # noqa: A002
        """See `__call__`."""
        return self.invoke(input, config)
