"""Which executor a spec asks for."""

from __future__ import annotations

from importlib.util import find_spec

from counselgraph.errors import ConfigError
from counselgraph.models.load import Models
from counselgraph.runner.executors.base import Executor
from counselgraph.runner.executors.here import Here
from counselgraph.runner.executors.performer import handed_over
from counselgraph.runner.executors.processes import ProcessWorker
from counselgraph.runner.executors.spread import Spread
from counselgraph.runner.spec import RunSpec


def executor_for(spec: RunSpec, models: Models, *, given: bool, rehearsed: bool) -> Executor:
    """The executor of a run.

    Args:
        spec: What is run.
        models: The run's models, not used yet.
        given: Whether they were given as objects, which workers then need too.
        rehearsed: Whether the run holds rehearsal material.

    Raises:
        ConfigError: The models cannot be sent to workers, Ray is not installed, or its workers cannot share the memory.
    """
    if spec.executor == "local" and spec.workers == 1:
        return Here(spec, models, rehearsed)
    sent = handed_over(models) if given else None
    if spec.executor == "local":
        return Spread(spec, rehearsed, sent, ProcessWorker)
    if find_spec("ray") is None:
        raise ConfigError("`executor: ray` needs Ray. Fix: pip install 'counselgraph[ray]', or use --workers alone.")
    from counselgraph.runner.executors.cluster import RayWorker, check_cluster, connected  # noqa: PLC0415 - an extra

    check_cluster(spec)
    return Spread(spec, rehearsed, sent, RayWorker, connected(spec.workers))
