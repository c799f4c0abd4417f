"""One session played through the graph, told to its log, and ended with a reason whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import Command

from counselgraph.graphs.context import Context
from counselgraph.graphs.state import Ending, SessionState, StopReason
from counselgraph.models.events import collecting
from counselgraph.runner.fork_start import begin
from counselgraph.runner.job import Job
from counselgraph.runner.log import Event, SessionLog
from counselgraph.runner.recorder import Recorder

SessionGraph = CompiledStateGraph[Any, Context, Any, Any]


async def play(
    job: Job,
    graph: SessionGraph,
    log: SessionLog,
    *,
    header: Event,
    control: RunControl | None = None,
    within: AbstractAsyncContextManager[None] | None = None,
    on_ending: Callable[[], None] | None = None,
) -> Ending | None:
    """Play a session from its start to its end.

    An error ends the session instead of leaving it: the log gets an `error` event and an `end`. A cancelled task leaves
    an `end` that says so; resume plays such a session again.

    Args:
        job: What to play.
        graph: Compiled session graph.
        log: Open log.
        header: The header event.
        control: Lets somebody ask for a drain.
        within: Kept open while the session is played, such as its journal.
        on_ending: Called as soon as it is known how the session ends; see `Recorder`.

    Returns:
        How it ended; None if it was drained, which leaves a log without `end` for resume to write anew.
    """
    log.write(header)
    recorder = Recorder(log, truth=job.truth, on_ending=on_ending)
    try:
        async with within or nullcontext():
            playing, given = await begin(job, graph, recorder)
            await step(playing, given, job.context, recorder, control=control)
    except GraphDrained:
        return None
    except asyncio.CancelledError:
        recorder.close(Ending(stop=StopReason.CANCELLED, by="run", reason="The run was cancelled from outside."))
        raise
    except Exception as error:  # noqa: BLE001 - one session's failure is recorded and must not end the run
        return recorder.fail(error)
    return recorder.close(recorder.ending or _unfinished())


async def step(
    graph: SessionGraph,
    given: SessionState | Command[Any] | None,
    context: Context,
    recorder: Recorder,
    *,
    control: RunControl | None = None,
) -> None:
    """Run the graph on what is given until it ends or waits for a person."""
    # A thread is a checkpointer's; without one its name would be copied around in every step.
    config: RunnableConfig = {"configurable": {"thread_id": context.session}} if graph.checkpointer else {}
    stream = graph.astream(
        given,
        config,
        context=context,
        stream_mode="updates",
        control=control,
    )
    with collecting(recorder.write):
        async for update in stream:
            recorder.take(cast("Mapping[str, Any]", update))


def _unfinished() -> Ending:
    reason = "The graph stopped without an ending; a seat waits for a person, whom a batch does not have."
    return Ending(stop=StopReason.INFRASTRUCTURE_ERROR, by="run", reason=reason)
