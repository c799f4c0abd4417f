"""What servers say of themselves, put together into one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from counselgraph.errors import ConfigError


class Served(NamedTuple):
    """What one server said.

    Attributes:
        address: Its address without credentials.
        entries: Its models by id.
    """

    address: str
    entries: dict[str, dict[str, Any]]


def record_of(name: str, model: str, found: Sequence[Served]) -> dict[str, Any]:
    """One record of all servers; see `Models.describe`.

    A server that lists nothing is taken at its word when it is asked.

    Args:
        name: What a RunSpec calls the model.
        model: What the servers should call it.
        found: What each said, at least one.

    Raises:
        ConfigError: A server does not serve the model, or another model under its name.
    """
    for server in found:
        if server.entries and model not in server.entries:
            served = ", ".join(sorted(server.entries))
            raise ConfigError(f"Model `{name}`: {server.address} serves no `{model}`, but: {served}.")
    _same_model(name, model, found)
    records = [_record(server, model) for server in found]
    limits = [record["context_tokens"] for record in records if record["context_tokens"] is not None]
    together = records[0] | {
        "base_url": ",".join(server.address for server in found),
        "context_tokens": min(limits, default=None),
    }
    return together if len(records) == 1 else together | {"servers": records}


def _same_model(name: str, model: str, found: Sequence[Served]) -> None:
    # vLLM says under `root` what it loaded; a name alone can be given to anything.
    first, root = next(((server, _root(server, model)) for server in found if _root(server, model)), (found[0], None))
    for server in found:
        other = _root(server, model)
        if other is not None and other != root:
            raise ConfigError(
                f"Model `{name}`: {server.address} serves `{other}` under this name, {first.address} `{root}`."
            )


def _root(server: Served, model: str) -> str | None:
    return server.entries.get(model, {}).get("root")


def _record(server: Served, model: str) -> dict[str, Any]:
    entry = server.entries.get(model)
    limit = entry.get("max_model_len") if entry else None
    return {
        "base_url": server.address,
        "served": sorted(server.entries),
        "model": entry,
        "context_tokens": limit if isinstance(limit, int) else None,
    }
