"""What is written down of running servers, so that a later command can end what a killed one left."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from counselgraph.errors import ConfigError, InputError
from counselgraph.models.serving.processes import Process, end_groups, group, process

FILE = "servers.json"


class Replica(BaseModel):
    """One server that was started.

    Attributes:
        pid: Its process, which leads a process group of the same number.
        started: When that process was started; with `pid` it names one process for ever.
        port: Where it listens.
        base_url: Where clients reach it.
        command: How it was started.
        log: File its output goes to.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    pgid: int
    started: str
    port: int
    base_url: str
    command: tuple[str, ...]
    log: Path


class Record(BaseModel):
    """What a folder of logs says of its servers; the file is there as long as they may run.

    Attributes:
        name: What clients call the model.
        replicas: The servers, in the order of their ports.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    name: str
    replicas: tuple[Replica, ...] = ()

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        draft = folder / f"{FILE}.part"
        draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        draft.replace(folder / FILE)


def read_record(folder: Path) -> Record | None:
    """What a folder says of its servers; None if it says nothing.

    Raises:
        InputError: The file cannot be read.
    """
    file = folder / FILE
    try:
        return Record.model_validate_json(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        fix = "end the servers by their process ids, then delete the file"
        raise InputError(f"cannot be read ({type(error).__name__}).", file=str(file), fix=fix) from error


def forget(folder: Path) -> None:
    """Delete the record: nothing of it runs any more."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        (folder / FILE).unlink()


def still_there(replica: Replica) -> list[Process]:
    """The processes of a replica that run, none if its numbers belong to something else by now."""
    leader = process(replica.pid)
    if leader is not None:
        return group(replica.pgid) if leader.started == replica.started else []
    # A group keeps its number as long as it has members. Workers whose leader was killed call themselves vLLM, and a
    # process that is just giving its memory back has no command line any more.
    signs = (replica.command[0].lower(), "vllm")
    members = [(each, each.command.lower()) for each in group(replica.pgid)]
    return [each for each, command in members if not command or any(sign in command for sign in signs)]


def check_unserved(folder: Path) -> None:
    """Make sure that no servers of an earlier start run.

    Raises:
        ConfigError: Some do.
    """
    record = read_record(folder)
    running = [each for each in record.replicas if still_there(each)] if record else []
    if running:
        told = ", ".join(f"{each.base_url} (process {each.pid})" for each in running)
        raise ConfigError(f"{folder} has servers that run: {told}. End them: counselgraph serve-model --stop {folder}")


def stop_left(folder: Path, grace_s: float) -> list[str]:
    """End the servers that a folder records, and no other process.

    Args:
        folder: Folder of logs, as given to the command that started them.
        grace_s: Seconds they have before they are killed.

    Returns:
        A line for every server.

    Raises:
        InputError: The folder records no servers.
    """
    record = read_record(folder)
    if record is None:
        raise InputError("records no servers.", file=str(folder), fix="give the --log folder of their start")
    running = {each.pgid: len(still_there(each)) for each in record.replicas}
    killed = end_groups([pgid for pgid, count in running.items() if count], grace_s)
    forget(folder)
    return [
        f"{each.base_url} (process {each.pid}): {_fate(running[each.pgid], killed=each.pgid in killed)}"
        for each in record.replicas
    ]


def _fate(processes: int, *, killed: bool) -> str:
    if not processes:
        return "was gone already"
    return f"{'killed' if killed else 'stopped'}, {processes} process{'es' if processes > 1 else ''}"
