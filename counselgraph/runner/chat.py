"""A session with a person in one seat, in the terminal or anywhere a line can be read."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command

from counselgraph.errors import ConfigError, InputError
from counselgraph.graphs.session import build_session
from counselgraph.graphs.state import Ending, checkpoint_types
from counselgraph.models.load import Models
from counselgraph.personas.load import load_personas
from counselgraph.runner.batch import check_cast, give_notice, servers_of
from counselgraph.runner.cast import JournaledCast
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import HUMAN, Job, header_of, is_rehearsed, jobs_for
from counselgraph.runner.log import Event, SessionLog, is_settled
from counselgraph.runner.play import SessionGraph, step
from counselgraph.runner.recorder import Recorder
from counselgraph.runner.report import summarize
from counselgraph.runner.resources import check_memory, models_of, open_memory
from counselgraph.runner.spec import RunSpec
from counselgraph.runner.turnstile import Turnstile


@dataclass(frozen=True, slots=True)
class ChatResult:
    """How a chat came out.

    Attributes:
        out: The run folder.
        ending: How the session ended; None if the person left and can come back with resume.
    """

    out: Path
    ending: Ending | None


async def chat(
    spec: RunSpec,
    read_line: Callable[[Mapping[str, Any]], str],
    *,
    on_event: Callable[[Event], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
    models: Models | None = None,
) -> ChatResult:
    """Play one session in which a person fills the seats whose model is `human`.

    The person's lines go into the journal like any model's answers, so a chat that was left, or killed, goes on where
    it stopped when it is started again with the same spec.

    Args:
        spec: A spec whose `personas` is one persona, with `human` in `models`.
        read_line: Asks the person; gets what the seat waits for (role, exchange, last words) and returns the line.
            Runs in a thread that does not keep the process alive. Raises EOFError when the person leaves.
        on_event: Called with every event as it is logged.
        on_notice: Called before the session with what the person should know, as in `run`.
        models: Where model names become models.

    Raises:
        ConfigError: No seat of the spec is human.
        InputError: The persona or the folder cannot be used, or the chat in it has ended.
    """
    if HUMAN not in spec.models.values():
        raise ConfigError("A chat needs a person in one seat, such as models={'counselor': 'human'}.")
    persona = load_personas(spec.personas, format=spec.format, limit=1, skip_bad=spec.skip_bad).personas[0]
    spec = spec.placed()
    async with models or models_of(spec) as known:
        await check_cast(spec, known)
        await asyncio.to_thread(check_memory, spec)
        folder, servers, rehearsed = RunFolder(spec.out), await servers_of(spec, known), is_rehearsed(spec)
        with folder.held():
            manifest = folder.prepare(spec, servers, rehearsed=rehearsed)
            job = next(jobs_for(persona, spec, manifest["run"]))
            if is_settled(folder.log(job.id)):
                fix = f"read it with `counselgraph show {folder.path}/{job.id}`, or give another --out"
                raise InputError("holds a chat that has ended.", file=str(folder.path), fix=fix)
            give_notice([job], spec, on_notice)
            header = header_of(job, spec, rehearsed=rehearsed)
            ending = await _talk(job, spec, folder, JournaledCast(known, Turnstile()), header, read_line, on_event)
            await asyncio.to_thread(summarize, folder.path)
    return ChatResult(folder.path, ending)


async def _talk(
    job: Job,
    spec: RunSpec,
    folder: RunFolder,
    cast: JournaledCast,
    header: Event,
    read_line: Callable[[Mapping[str, Any]], str],
    on_event: Callable[[Event], None] | None,
) -> Ending | None:
    memory = await asyncio.to_thread(open_memory, spec, folder)
    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types()))
    with memory or contextlib.nullcontext():
        async with cast.session(job.id, folder.journal(job.id)):
            with SessionLog(folder.log(job.id), folder.texts, on_event=on_event) as log:
                graph = build_session(roles=spec.roles, cast=cast, memory=memory).compile(checkpointer=saver)
                log.write(header)
                return await _converse(graph, job, Recorder(log, truth=job.truth), read_line)


async def _converse(
    graph: SessionGraph, job: Job, recorder: Recorder, read_line: Callable[[Mapping[str, Any]], str]
) -> Ending | None:
    given: Any = job.start
    while True:
        await step(graph, given, job.context, recorder)
        if not recorder.waiting:
            break
        try:
            line = await _answer_of(read_line, recorder.waiting.pop())
        except EOFError:
            return None
        given = Command(resume=line)
    return recorder.ending and recorder.close(recorder.ending)


async def _answer_of(read_line: Callable[[Mapping[str, Any]], str], waiting: Mapping[str, Any]) -> str:
    """The person's line, read on a daemon thread: one of a pool would hold up Ctrl-C until the person hits Enter."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def tell(line: str | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(line or "")

    def read() -> None:
        line, problem = None, None
        try:
            line = read_line(waiting)
        except Exception as error:  # noqa: BLE001 - raised again where the line is awaited
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, line, problem)

    threading.Thread(target=read, name="person", daemon=True).start()
    return await answer
