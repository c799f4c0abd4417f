"""Seats: which roles a session has, in which order, and which models play them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from counselgraph.agents.client import client
from counselgraph.agents.counselor import counselor
from counselgraph.agents.evolving import evolving
from counselgraph.agents.keeper import KEEPER, keeper
from counselgraph.agents.mi import mi
from counselgraph.agents.monitor import monitor, reviewer
from counselgraph.agents.planner import planner
from counselgraph.agents.responder import RESPONDER, responder
from counselgraph.agents.role import Role, find_roles, installed_roles
from counselgraph.agents.theramind import theramind
from counselgraph.errors import ConfigError
from counselgraph.graphs.context import Context
from counselgraph.graphs.node import Casting
from counselgraph.models.base import Model
from counselgraph.models.load import Models

DEFAULT_ROLES = (client, planner, counselor)
OPTIONAL_ROLES = {
    "monitor": monitor,
    "reviewer": reviewer,
    RESPONDER: responder,
    "evolving": evolving,
    "mi": mi,
    KEEPER: keeper,
    "theramind": theramind,
}
ASIDE = (RESPONDER, KEEPER)
"""Roles that take no part in an ordinary exchange."""
RESERVED = frozenset({"recall", "crisis", "remember", "close", "settle_client", "settle_counselor", "hand_over"})


@dataclass(frozen=True, slots=True)
class Stop:
    """One role's place in the round: the node it enters by and the node it leaves by."""

    name: str
    speaks: bool

    @property
    def exit(self) -> str:
        """A speaker's place ends with its screen."""
        return f"screen_{self.name}" if self.speaks else self.name


@dataclass(frozen=True, slots=True)
class Seats:
    """The roles of a session by the default they follow.

    Attributes:
        chains: Default to the roles that come in one after the other; the default stands first.
        screens: Default to the model screens that judge its turns side by side.
        aside: Roles outside the rounds, by name: who takes over a crisis, who keeps notes after the session.
    """

    chains: dict[str, tuple[Role, ...]]
    screens: dict[str, tuple[Role, ...]]
    aside: dict[str, Role] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Role, ...]:
        """Every role, in order of play."""
        return (*self.in_rounds, *self.aside.values())

    @property
    def in_rounds(self) -> tuple[Role, ...]:
        """The roles of an ordinary exchange, in order of play."""
        return tuple(role for anchor, chain in self.chains.items() for role in (*chain, *self.screens.get(anchor, ())))

    @property
    def client_side(self) -> list[Stop]:
        """The client and whoever follows it."""
        return self._line("client")

    @property
    def counselor_side(self) -> list[Stop]:
        """Whoever follows the planner, the counselor, and whoever follows that."""
        return [*self._line("planner")[1:], *self._line("counselor")]

    def guards(self, anchor: str) -> list[str]:
        """Names of the model screens of a default."""
        return [role.name for role in self.screens.get(anchor, ())]

    def _line(self, anchor: str) -> list[Stop]:
        return [Stop(role.name, role.speaks) for role in self.chains[anchor]]


def seat(defaults: Sequence[Role], added: Sequence[Role]) -> Seats:
    """Give every role its place.

    Raises:
        ConfigError: Two roles have one name, a name is reserved, or a role follows none of the defaults.
    """
    names = {role.name for role in defaults}
    for name, count in Counter(role.name for role in added).items():
        if count > 1 or name in RESERVED:
            raise ConfigError(f"Role name {name!r} is {'taken by the graph' if name in RESERVED else 'used twice'}.")
    replaced = {role.name: role for role in added if role.name in names}
    chains: dict[str, tuple[Role, ...]] = {
        role.name: (_in_place_of(role, replaced.get(role.name)),) for role in defaults
    }
    screens: dict[str, tuple[Role, ...]] = {}
    for role in (role for role in added if role.name not in ASIDE):
        if role.screens and role.after is not None:
            screens[role.after] = (*screens.get(role.after, ()), role)
        elif role.name not in names:
            anchor = _anchor(role, chains)
            chains[anchor] = _behind(role, chains[anchor])
    return Seats(chains, screens, {role.name: role for role in added if role.name in ASIDE})


def seats_for(roles: Iterable[str | Role]) -> Seats:
    """The default roles with others added or put in their place.

    Raises:
        ConfigError: A role is unknown, doubled, or follows a role that nobody plays.
    """
    return seat(DEFAULT_ROLES, find_roles(roles, OPTIONAL_ROLES))


def offered_roles() -> dict[str, Role]:
    """Roles that can be added by name: optional ones of ours and those of installed packages."""
    return {**OPTIONAL_ROLES, **installed_roles()}


def play(models: Models | None = None) -> Casting:
    """A casting that looks up the names in `context.models`.

    Args:
        models: Where names become models; by default one made from the environment.
    """
    known = models or Models()

    async def cast(role: str, context: Context) -> Model:
        return await known.aget(context.model_for(role), role=role)

    return cast


def _in_place_of(default: Role, other: Role | None) -> Role:
    if other is None:
        return default
    if other.after not in (None, default.after):
        raise ConfigError(f"Role {other.name!r} replaces a default and takes its place; leave out `after`.")
    return replace(other, speaks=default.speaks)


def _behind(role: Role, chain: tuple[Role, ...]) -> tuple[Role, ...]:
    """The chain with a role added: at its end, or right behind the added role it names."""
    at = next((place for place, member in enumerate(chain) if place and member.name == role.after), len(chain) - 1)
    return (*chain[: at + 1], role, *chain[at + 1 :])


def _anchor(role: Role, chains: Mapping[str, tuple[Role, ...]]) -> str:
    for anchor, chain in chains.items():
        if role.after in {member.name for member in chain}:
            return anchor
    known = ", ".join(member.name for chain in chains.values() for member in chain)
    raise ConfigError(f"Role {role.name!r} comes after {role.after!r}, which nobody plays. Known: {known}.")
