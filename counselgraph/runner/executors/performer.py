"""What a worker is, whatever carries it: it gets a setup, opens what the setup names and plays sessions."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from counselgraph.errors import ConfigError
from counselgraph.models.load import Models
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.player import Player, playing
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.resources import models_of
from counselgraph.runner.spec import RunSpec

_FIX = "Fix: name models that every worker can make (`vllm/...`), or use one worker."


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker has to know before its first session.

    Attributes:
        spec: The run's, with the worker's shares, a memory that many may open, and an absolute folder.
        rehearsed: Whether the run holds rehearsal material.
        listens: Whether somebody wants every event.
        models: Models given as objects, pickled; None for those that the spec names.
    """

    spec: RunSpec
    rehearsed: bool
    listens: bool
    models: bytes | None = None

    def with_shares(self, concurrency: int, max_calls: int) -> Setup:
        """The setup of one worker."""
        return replace(
            self, spec=self.spec.model_copy(update={"concurrency": concurrency, "max_calls": max_calls, "workers": 1})
        )


def handed_over(models: Models) -> bytes:
    """Models given as objects, as a worker gets them; take them before their first use.

    Raises:
        ConfigError: They cannot be sent.
    """
    try:
        return pickle.dumps(models)
    except Exception as error:  # pickling runs code of the objects, which may raise anything
        raise ConfigError(f"The models given to `run` cannot be sent to workers ({error}). {_FIX}") from error


@asynccontextmanager
async def performing(setup: Setup, controls: Controls) -> AsyncIterator[Player]:
    """A player as the setup wants it, with models and memory of its own.

    Raises:
        CounselgraphError: A model, a role or the memory cannot be opened here.
    """
    async with _models(setup) as models:
        folder = RunFolder(setup.spec.out)
        async with playing(setup.spec, folder, models, controls, rehearsed=setup.rehearsed) as player:
            yield player


def _models(setup: Setup) -> Models:
    if setup.models is None:
        return models_of(setup.spec)
    try:
        found: Models = pickle.loads(setup.models)  # noqa: S301 - from the process that started this one
    except (AttributeError, ImportError) as error:
        raise ConfigError(
            f"The models given to `run` are of a class that a worker cannot import ({error}). Fix: put it into a "
            "module of its own, or use one worker."
        ) from error
    return found
