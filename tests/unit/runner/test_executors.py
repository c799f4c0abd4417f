"""Runs with several worker processes, from Python."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from counselgraph import ConfigError, InfrastructureError, Models, RunSpec, StopReason, read_run, resume, run_sync
from counselgraph.memory.lock import hold_file
from counselgraph.models.base import Answer, Request
from counselgraph.models.rehearsal.model import Rehearsal
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors import player
from counselgraph.runner.executors.base import Outcome, Report
from counselgraph.runner.executors.crew import MOST_DEATHS, Crew, Lost, Message, Ready, Tell
from counselgraph.runner.executors.plan import MOST_LOSSES
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import Job, jobs_for
from counselgraph.testing import sample_persona

SHORT: dict[str, Any] = {"limit": 3, "max_exchanges": 3, "memory": "none"}
needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


class Named:
    """Rehearsal that says in which process it speaks; importable, so that a worker can have it."""

    name = "named"

    def __init__(self) -> None:
        self._inner = Rehearsal()

    async def answer(self, request: Request) -> Answer:
        answer = await self._inner.answer(request)
        return answer if request.output else answer.model_copy(update={"text": f"{answer.text} ({os.getpid()})"})


class Deadly(Named):
    """Rehearsal whose process is killed when the client says its second sentence."""

    name = "deadly"

    async def answer(self, request: Request) -> Answer:
        if request.role == "client" and request.exchange == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().answer(request)


def speakers(out: Path) -> set[str]:
    return {turn["text"].rpartition("(")[2].rstrip(")") for record in read_run(out) for turn in record.turns}


def test_models_given_as_objects_go_to_the_workers(tmp_path: Path) -> None:
    spec = RunSpec(model="named", workers=2, out=tmp_path / "out", **SHORT)
    assert run_sync(spec, models=Models(overrides={"named": Named()})).failed == {}
    assert len(speakers(spec.out)) == 2
    assert str(os.getpid()) not in speakers(spec.out)


def test_models_that_cannot_be_sent_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    class Local(Named):
        pass

    spec = RunSpec(model="named", workers=2, out=tmp_path / "out", **SHORT)
    for model in (Local(), with_a_lock()):
        with pytest.raises(ConfigError, match=r"cannot be sent to workers.*Fix: name models.*or use one worker"):
            run_sync(spec, models=Models(overrides={"named": model}))
    assert not spec.out.exists()
    assert run_sync(spec.model_copy(update={"workers": 1}), models=Models(overrides={"named": Local()})).failed == {}


def with_a_lock() -> Named:
    model = Named()
    vars(model)["lock"] = threading.Lock()
    return model


def test_events_and_progress_reach_the_caller(tmp_path: Path) -> None:
    events: dict[str, list[dict[str, Any]]] = {}
    done = []
    result = run_sync(
        RunSpec(workers=2, out=tmp_path / "out", **SHORT),
        on_event=lambda event: events.setdefault(event["session"], []).append(event),
        on_progress=lambda progress: done.append((progress.done, progress.total)),
    )
    assert [pair for pair in dict.fromkeys(done) if pair[0]] == [(1, 3), (2, 3), (3, 3)]
    assert result.summary.sessions == 3
    assert events == {record.id: list(record.events) for record in read_run(tmp_path / "out")}


def test_more_workers_than_sessions_are_not_started(tmp_path: Path) -> None:
    spec = RunSpec(model="named", workers=9, out=tmp_path / "out", limit=1, max_exchanges=2, memory="none")
    run_sync(spec, models=Models(overrides={"named": Named()}))
    assert len(speakers(spec.out)) == 1


def test_a_finished_run_is_resumed_without_a_worker(tmp_path: Path) -> None:
    spec = RunSpec(workers=2, out=tmp_path / "out", limit=1, max_exchanges=1)
    run_sync(spec)
    before = (tmp_path / "out" / "summary.json").read_text()
    assert asyncio.run(resume(tmp_path / "out")).summary.sessions == 1
    assert (tmp_path / "out" / "summary.json").read_text() == before


def test_what_another_number_of_workers_began_is_gone_on_with(tmp_path: Path) -> None:
    spec = RunSpec(workers=1, out=tmp_path / "out", **SHORT)
    run_sync(spec)
    for record in list(read_run(spec.out)):
        record.file.unlink()
    again = run_sync(spec.model_copy(update={"workers": 2}))
    assert (again.failed, again.summary.usage.calls, again.summary.sessions) == ({}, again.summary.journaled, 3)


@needs_kill
def test_a_session_over_which_workers_die_fails_alone(tmp_path: Path) -> None:
    notices: list[str] = []
    spec = RunSpec(model="deadly", workers=2, out=tmp_path / "out", limit=1, max_exchanges=3, memory="none")
    result = run_sync(spec, models=Models(overrides={"deadly": Deadly()}), on_notice=notices.append)
    (reason,) = result.failed.values()
    assert f"{MOST_LOSSES} workers died over this session; the last one was killed by signal SIGKILL" in reason
    assert len([notice for notice in notices if "was killed by signal SIGKILL" in notice]) == MOST_LOSSES
    assert result.summary.unfinished == 1


def test_a_role_that_a_worker_cannot_import_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import __main__
    from counselgraph.agents.monitor import monitor

    monkeypatch.setattr(__main__, "watcher", monitor, raising=False)
    with pytest.raises(ConfigError, match=r"A worker cannot play: Role '__main__:watcher' does not import"):
        run_sync(RunSpec(workers=2, roles=("__main__:watcher",), out=tmp_path / "out", **SHORT))


def test_a_session_has_one_player_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "_LEFTOVER_S", 0.2)
    spec = RunSpec(out=tmp_path / "out", **SHORT)
    run_sync(spec)
    folder = RunFolder(spec.out)
    one, *_ = sorted(file.stem for file in folder.sessions.iterdir())
    log, journal = folder.log(one), folder.journal(one).read_bytes()
    log.unlink()
    descriptor = hold_file(folder.journal(one))
    try:
        assert "another process plays this session" in run_sync(spec).failed[one]
        assert not log.exists()
    finally:
        os.close(descriptor)
    assert run_sync(spec).failed == {}
    assert folder.journal(one).read_bytes() == journal


class Scripted:
    """A worker of a crew that lives in the test: it dies as often as it is told to, then plays."""

    slots = 2
    name = "worker"

    def __init__(self, tell: Tell, *, dies: bool) -> None:
        self._tell, self._dies, self.drained, self.ended = tell, dies, False, False
        self._say(Ready())

    def give(self, job: Job) -> None:
        self._say(Lost("died") if self._dies else Outcome(job.id, None if self.drained else StopReason.COMPLETED))

    def drain(self) -> None:
        self.drained = True

    async def dismiss(self, *, at_once: bool) -> None:
        self.ended = not at_once or self._dies

    def _say(self, message: Message) -> None:
        asyncio.get_running_loop().call_soon(self._tell, self, message)


def some_jobs(count: int) -> list[Job]:
    return list(jobs_for(sample_persona(), RunSpec(replicates=count), "run"))


async def test_a_crew_gives_up_when_workers_die_and_nothing_ends() -> None:
    workers: list[Scripted] = []

    def hire(slots: int, tell: Tell) -> Scripted:
        workers.append(Scripted(tell, dies=True))
        return workers[-1]

    with pytest.raises(InfrastructureError, match=r"6 workers died in a row, the last one died.*resume.*Fix: "):
        await Crew(some_jobs(50), hire, Report(lambda _: None)).play([2, 2], Controls())
    assert len(workers) == 2 * MOST_DEATHS + 1


async def test_a_crew_that_was_drained_before_it_began_plays_nothing() -> None:
    outcomes: list[Outcome] = []
    workers: list[Scripted] = []
    controls = Controls()
    controls.drain()

    def hire(slots: int, tell: Tell) -> Scripted:
        workers.append(Scripted(tell, dies=False))
        return workers[-1]

    await Crew(some_jobs(5), hire, Report(outcomes.append)).play([2], controls)
    assert outcomes == []
    assert all(worker.ended for worker in workers)


def test_ray_that_is_missing_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counselgraph.runner.executors.load.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs Ray. Fix: pip install 'counselgraph\[ray\]'"):
        run_sync(RunSpec(executor="ray", out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("memory", ["run", "kept"])
def test_a_cluster_needs_a_memory_that_it_can_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed", exc_type=ImportError)
    monkeypatch.setenv("RAY_ADDRESS", "192.0.2.1:6379")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"RAY_ADDRESS names a cluster.*Fix: start a Chroma server"):
        run_sync(RunSpec(executor="ray", memory=memory, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_workers_and_executor_do_not_make_another_run(tmp_path: Path) -> None:
    assert RunSpec().what_differs(RunSpec(workers=4, executor="ray")) == {}
    folder = RunFolder(tmp_path)
    folder.prepare(RunSpec(workers=4, executor="ray"), {})
    assert (folder.resumed().workers, folder.resumed().executor) == (4, "ray")
    changed = folder.resumed(workers=1, executor="local")
    assert (changed.workers, changed.executor) == (1, "local")
    assert json.loads(json.dumps(changed.dump()))["workers"] == 1
