"""Roles: what a seat or an observer of a session is, and how one is plugged in."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeAlias, get_type_hints

from typing_extensions import is_typeddict

from counselgraph.agents.ask import Ask
from counselgraph.errors import ConfigError

ENTRY_POINT_GROUP = "counselgraph.roles"
SCREENED = ("client", "counselor")

Update: TypeAlias = dict[str, Any]
Act: TypeAlias = Callable[[Any, Ask], Awaitable[Update]]


@dataclass(frozen=True, slots=True)
class Role:
    """One seat or observer of a session.

    Attributes:
        name: Unique within a session; a role with the name of a default takes that default's place.
        view: TypedDict of the channels the role may read. Keys that the session state does not have
            become private channels of this role, kept with the session.
        act: The role itself: reads its View, asks its model, returns channel updates.
        after: Role it comes after in every exchange ("client", "planner" or "counselor"); None for a role
            that takes the place of a default.
        speaks: True if `act` returns a draft turn (`await ask.turn(...)`), which is screened before it counts.
        screens: True if `act` judges the turn just drafted by the role it comes after ("client" or "counselor") and
            returns `{"verdicts": [Verdict(...)]}`. It runs beside the next speaker's draft; the turn it judges is the
            last of its `messages` and counts once every screen has passed it. An unusable answer (`ModelError`) counts
            as a failed verdict.
    """

    name: str
    view: type
    act: Act
    after: str | None = None
    speaks: bool = False
    screens: bool = False

    @property
    def purpose(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.act) or "").partition("\n")[0]


def role(
    *,
    view: type,
    after: str | None = None,
    name: str | None = None,
    speaks: bool = False,
    screens: bool = False,
) -> Callable[[Act], Role]:
    """Make an async function a role.

    Args:
        view: TypedDict of the channels it may read.
        after: Role it follows in every exchange; leave out to replace the default of the same name.
        name: Name of the role; the function's name if left out.
        speaks: Whether it adds turns to the transcript.
        screens: Whether it judges the turns of the role it comes after.

    Raises:
        ConfigError: The function is not async, the View is no `typing_extensions.TypedDict`, or a screen speaks or
            comes after somebody it cannot judge.
    """

    def decorate(act: Act) -> Role:
        title = name or act.__name__
        if not inspect.iscoroutinefunction(act):
            raise ConfigError(f"Role {title!r} must be an `async def`.")
        if not is_typeddict(view):
            raise ConfigError(f"The view of role {title!r} must be a typing_extensions.TypedDict, not {view!r}.")
        if screens and (speaks or after not in SCREENED):
            raise ConfigError(f"Screen {title!r} judges others: it comes after client or counselor and does not speak.")
        return Role(name=title, view=view, act=act, after=after, speaks=speaks, screens=screens)

    return decorate


def channels(view: type) -> Mapping[str, Any]:
    """Channel names of a View with their annotated types, reducers included."""
    return get_type_hints(view, include_extras=True)


def installed_roles() -> dict[str, Role]:
    """Roles that installed packages offer under the entry-point group `counselgraph.roles`.

    Raises:
        ConfigError: An entry point does not load, or is no `Role`.
    """
    found: dict[str, Role] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            found[point.name] = _checked(point.load(), f"entry point {point.value!r}")
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"Role {point.name!r} ({point.value}) does not load: {error}") from error
    return found


def find_roles(names: Iterable[str | Role], offered: Mapping[str, Role]) -> list[Role]:
    """Resolve role names.

    Args:
        names: Roles, names of offered roles, or import paths ("package.module:attribute").
        offered: Optional built-in roles by name; installed ones are added.

    Raises:
        ConfigError: A name is neither offered nor importable.
    """
    wanted = list(names)
    if all(isinstance(item, Role) for item in wanted):
        return [item for item in wanted if isinstance(item, Role)]
    available = {**offered, **installed_roles()}
    return [item if isinstance(item, Role) else available.get(item) or _imported(item, available) for item in wanted]


def _imported(path: str, available: Mapping[str, Role]) -> Role:
    module, colon, attribute = path.partition(":")
    if not colon:
        known = ", ".join(sorted(available)) or "none"
        raise ConfigError(f"No role named {path!r}. Known: {known}. Or give an import path, 'package.module:name'.")
    try:
        return _checked(getattr(import_module(module), attribute), path)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"Role {path!r} does not import: {error}") from error


def _checked(thing: object, where: str) -> Role:
    if not isinstance(thing, Role):
        raise ConfigError(f"{where} is {type(thing).__name__}, not a role; decorate the function with @role(...).")
    return thing
