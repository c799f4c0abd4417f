"""The executor of a run with one worker: sessions in this process, on this event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from counselgraph.models.load import Models
from counselgraph.runner.drain import Controls
from counselgraph.runner.executors.base import Report
from counselgraph.runner.executors.player import Player, playing
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.job import Job
from counselgraph.runner.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Here:
    """Plays `spec.concurrency` sessions at a time in this process."""

    spec: RunSpec
    models: Models
    rehearsed: bool

    async def play(self, jobs: Sequence[Job], report: Report, controls: Controls) -> None:
        """See `Executor.play`."""
        waiting, folder = iter(jobs), RunFolder(self.spec.out)
        open_player = playing(self.spec, folder, self.models, controls, rehearsed=self.rehearsed)
        async with open_player as player, asyncio.TaskGroup() as pool:
            for _ in range(min(self.spec.concurrency, len(jobs))):
                pool.create_task(_play(player, waiting, report))


async def _play(player: Player, waiting: Iterator[Job], report: Report) -> None:
    for job in waiting:
        if player.controls.draining:
            return
        report.ended(await player.play(job, report.pulse, report.event))
