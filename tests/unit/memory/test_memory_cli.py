"""The commands under `memory`, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from counselgraph.cli.program import app
from counselgraph.cli.memory import memory_app
from counselgraph.errors import ConfigError, InputError
from counselgraph.memory import Kind, MemoryRecord, MemoryStore

RecordMaker = Callable[..., MemoryRecord]


@pytest.fixture
def folder(tmp_path: Path, record: RecordMaker) -> str:
    with MemoryStore.open(tmp_path / "store") as store:
        store.remember([record("She works nights.", subject="job"), record("He likes tea.", client_id="ben")])
        store.remember([record("She lost her work.", subject="job", session="s2", session_number=2, exchange=4)])
        store.remember([record("Her work scares her.", owner="client", kind=Kind.HOMEWORK, open=True)])
    return str(tmp_path / "store")


def memory(*arguments: object, said: str = "") -> Result:
    assert memory_app in {group.typer_instance for group in app.registered_groups}
    return CliRunner().invoke(app, ["memory", *map(str, arguments)], input=said, env={"COLUMNS": "120"})


def objects(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list_shows_the_clients_of_a_store(folder: str) -> None:
    lines = [line.split() for line in memory("list", folder).stdout.splitlines()]
    assert lines == [
        ["client", "owner", "memories", "sessions"],
        ["ben", "counselor", "1", "1"],
        ["mina", "client", "1", "1"],
        ["mina", "counselor", "2", "2"],
    ]


def test_list_shows_the_memories_of_a_client_and_what_became_of_them(folder: str) -> None:
    shown = memory("list", folder, "--client", "mina").stdout
    assert "1.0      client     homework  open" in shown
    assert "until session 2" in shown
    assert "2.4" in shown
    assert "tea" not in shown


def test_list_and_search_speak_json(folder: str) -> None:
    assert len(objects(memory("list", folder, "--json"))) == 4
    (own,) = objects(memory("list", folder, "--client", "mina", "--owner", "client", "--json"))
    assert own["text"] == "Her work scares her."
    (found,) = objects(memory("search", folder, "work", "--client", "mina", "--owner", "counselor", "--json"))
    assert (found["text"], found["exchange"]) == ("She lost her work.", 4)


@pytest.mark.parametrize("missing", ["--client", "--owner"])
def test_search_needs_a_client_and_an_owner(folder: str, missing: str) -> None:
    given = {"--client": "mina", "--owner": "client"}
    del given[missing]
    result = memory("search", folder, "work", *(word for pair in given.items() for word in pair))
    assert result.exit_code == 2
    assert "Missing option" in result.output
    assert "scares" not in result.output


def test_forget_asks_first_and_deletes_for_good(folder: str) -> None:
    refused = memory("forget", folder, "--client", "mina", said="n\n")
    assert refused.exit_code == 1
    assert "Delete 3 memories of mina for good?" in refused.output
    assert len(objects(memory("list", folder, "--json"))) == 4
    assert memory("forget", folder, "--client", "mina", "--yes").stdout == "Forgot 3 memories of mina.\n"
    assert b"scares" not in b"".join(file.read_bytes() for file in Path(folder).rglob("*") if file.is_file())
    assert [item["client_id"] for item in objects(memory("list", folder, "--json"))] == ["ben"]


def test_export_and_import_carry_a_store_over(folder: str, tmp_path: Path) -> None:
    file, other = tmp_path / "f.jsonl", tmp_path / "other"
    assert memory("export", folder, file).stdout == f"Wrote 4 memories to {file}.\n"
    assert memory("import", file, other).stdout == f"Read 4 memories into {other}.\n"
    assert objects(memory("list", other, "--json")) == objects(memory("list", folder, "--json"))


@pytest.mark.parametrize(
    "arguments", [("list",), ("search", "x", "--client", "c", "--owner", "o"), ("forget", "--client", "c", "--yes")]
)
def test_a_place_without_a_store_is_named_and_stays_as_it_is(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    for place in (tmp_path / "nowhere", tmp_path):
        command, *rest = arguments
        result = memory(command, place, *rest)
        assert isinstance(result.exception, ConfigError)
        assert "holds no memory store. Fix: name the folder of one" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_importing_what_is_not_there_makes_no_store(tmp_path: Path) -> None:
    result = memory("import", tmp_path / "f.jsonl", tmp_path / "store")
    assert isinstance(result.exception, InputError)
    assert list(tmp_path.iterdir()) == []


def test_searching_with_the_wrong_embedder_names_the_right_one(folder: str, tmp_path: Path) -> None:
    result = memory(
        "search", folder, "x", "--client", "ben", "--owner", "o", "--embedder", "endpoint:m@http://127.0.0.1:9/v1"
    )
    assert isinstance(result.exception, ConfigError)
    assert "made with the embedder 'lexical-v1-512'" in str(result.exception)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_server_forgets_but_says_what_stays_in_its_files(empty_server: str, record: RecordMaker) -> None:
    result = memory("list", empty_server)
    assert isinstance(result.exception, ConfigError)
    assert "holds no memories" in str(result.exception)
    with MemoryStore.open(empty_server) as store:
        store.remember([record()])
    forgotten = memory("forget", empty_server, "--client", "mina", "--yes")
    assert "Forgot 1 memories of mina." in forgotten.stdout
    assert "stop the server" in " ".join(forgotten.stderr.split())
