"""Every command as a user types it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from counselgraph import load_personas
from tests.e2e.helpers import (
    counselgraph,
    fake_flags,
    intake_record,
    manifest,
    refused,
    serving,
    transcripts,
    write_clients,
    write_json,
)
from tests.fakes.openai_server import FakeOpenAI, Fault

SHORT = ("--max-exchanges", 5, "--memory", "none")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the run `first`: three built-in personas, all defaults."""
    place = tmp_path_factory.mktemp("ran")
    result = counselgraph("run", "--limit", 3, "--seed", 7, "--out", "first", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "first: 3 sessions" in result.stdout
    return place


def test_help_says_what_this_is_and_lists_every_command(tmp_path: Path) -> None:
    told = counselgraph("--help", cwd=tmp_path).stdout
    assert "A research simulator, not care." in told
    for command in ("run", "resume", "chat", "show", "export", "roles", "doctor", "personas"):
        assert f"\n  {command} " in told


def test_version_is_the_packages(tmp_path: Path) -> None:
    from counselgraph import __version__

    assert counselgraph("--version", cwd=tmp_path).stdout == f"counselgraph {__version__}\n"


def test_a_run_leaves_a_whole_folder(ran: Path) -> None:
    folder = ran / "first"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["sessions"] == 3
    assert summary["unfinished"] == 0
    assert summary["failed"] == {}
    assert sum(summary["stops"].values()) == 3
    assert all(len(turns) > 6 for turns in transcripts(folder).values())
    assert len(list((folder / "journal").iterdir())) == 3


def test_progress_is_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    result = counselgraph("run", "--limit", 1, "--replicates", 2, "--out", "a", *SHORT, cwd=tmp_path)
    assert result.stderr.splitlines()[-1].startswith("2/2 sessions, 0 running, 0 failed, ")
    assert result.stderr.endswith(" exchanges/s\n")
    assert "\x1b" not in result.stdout + result.stderr


def test_flags_and_a_spec_file_make_the_same_run(tmp_path: Path) -> None:
    spec = "personas: builtin\nlimit: 2\nseed: 3\nreplicates: 2\nmax_exchanges: 4\nmemory: none\n"
    (tmp_path / "spec.yaml").write_text(spec)
    flags = ("--limit", 2, "--seed", 3, "--replicates", 2, "--max-exchanges", 4, "--memory", "none")
    assert counselgraph("run", "--spec", "spec.yaml", "--out", "a", cwd=tmp_path).returncode == 0
    assert counselgraph("run", *flags, "--out", "b", cwd=tmp_path).returncode == 0
    one, other = manifest(tmp_path / "a")["spec"], manifest(tmp_path / "b")["spec"]
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert one | {"out": ""} == other | {"out": ""}
    assert transcripts(tmp_path / "a") == transcripts(tmp_path / "b")
    told = transcripts(tmp_path / "a")
    assert len(told) == 4
    assert told["ahmed-saleh-r1"] != told["ahmed-saleh-r2"]


def test_flags_win_over_a_spec_file(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("limit: 3\nmax_exchanges: 3\nmemory: none\nmodels: {client: rehearsal}\n")
    result = counselgraph("run", "--spec", "spec.yaml", "--limit", 1, "--out", "a", cwd=tmp_path)
    assert result.stdout.startswith("a: 1 sessions")


@pytest.mark.parametrize("source", ["people", "people/client-02.yaml", "builtin/claire-moreau", "records.json"])
def test_personas_come_from_a_folder_a_file_the_library_or_another_format(tmp_path: Path, source: str) -> None:
    write_clients(tmp_path / "people", 2)
    write_json(tmp_path / "records.json", [intake_record(), intake_record("Kim Vale")])
    result = counselgraph("run", "--personas", source, "--out", "a", *SHORT, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert set(transcripts(tmp_path / "a")) == {persona.id for persona in _load(tmp_path, source)}


def _load(place: Path, source: str):
    return load_personas(source if source.startswith("builtin") else place / source).personas


def test_a_script_a_role_from_a_module_and_an_offered_role_take_part(tmp_path: Path) -> None:
    (tmp_path / "lines.yaml").write_text("- I worry about the rent.\n- Mostly at night.\n- I will write it down.\n")
    (tmp_path / "extras.py").write_text(ROLE)
    roles = ("--role", "extras:watcher", "--role", "monitor", "--role-model", "monitor=rehearsal")
    result = counselgraph(
        "run", "--limit", 1, "--client-model", "script/lines.yaml", *roles, "--out", "a", *SHORT, cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    (said,) = transcripts(tmp_path / "a").values()
    assert [text for role, text in said if role == "client"] == [
        "I worry about the rent.",
        "Mostly at night.",
        "I will write it down.",
    ]
    log = (tmp_path / "a" / "sessions" / "ahmed-saleh.jsonl").read_text()
    assert '"channel":"seen"' in log
    assert '"role":"monitor"' in log


ROLE = '''
import operator
from typing import Annotated
from typing_extensions import TypedDict
from counselgraph import Ask, Update, role


class WatcherView(TypedDict, total=False):
    exchange: int
    seen: Annotated[list[int], operator.add]


@role(view=WatcherView, after="counselor")
async def watcher(view: WatcherView, ask: Ask) -> Update:
    """Counts."""
    return {"seen": [view["exchange"]]}
'''


def test_show_prints_a_run_and_a_session_and_writes_a_page(ran: Path) -> None:
    table = counselgraph("show", "first", cwd=ran).stdout
    assert all(name in table for name in transcripts(ran / "first"))
    said = counselgraph("show", "first/ahmed-saleh", cwd=ran).stdout
    first_words = transcripts(ran / "first")["ahmed-saleh"][1][1].split()[:4]
    assert " ".join(first_words) in " ".join(said.split())
    assert "Rehearsal" in said
    page = counselgraph("show", "first", "--html", "page.html", cwd=ran)
    assert page.returncode == 0, page.stderr
    assert "<html" in (ran / "page.html").read_text()


def test_show_prints_prompts_on_request(ran: Path) -> None:
    told = counselgraph("show", "first/ahmed-saleh", "--prompts", cwd=ran).stdout
    assert "client asks rehearsal" in told


@pytest.mark.parametrize("name", ["cactus", "chatml", "sharegpt", "jsonl"])
def test_export_writes_every_format(ran: Path, name: str) -> None:
    result = counselgraph("export", "first", "--to", name, "--out", f"out.{name}", cwd=ran)
    assert result.returncode == 0, result.stderr
    text = (ran / f"out.{name}").read_text(encoding="utf-8")
    rows = json.loads(text) if name == "cactus" else [json.loads(line) for line in text.splitlines()]
    assert [row["persona"] for row in rows] == sorted(transcripts(ran / "first"))
    assert all(row["rehearsal"] and "Not care" in row["notice"] for row in rows)


def test_roles_lists_who_reads_what(tmp_path: Path) -> None:
    lines = counselgraph("roles", cwd=tmp_path).stdout.splitlines()
    (client,) = (line for line in lines if line.split()[:1] == ["client"])
    assert "persona" in client
    assert "plan" not in client.split("The client")[0]
    assert any("(monitor)" in line for line in lines)


def test_personas_are_listed_shown_and_imported(tmp_path: Path) -> None:
    assert "claire-moreau" in counselgraph("personas", "list", cwd=tmp_path).stdout
    shown = counselgraph("personas", "show", "claire-moreau", cwd=tmp_path).stdout
    (tmp_path / "claire.yaml").write_text(shown)
    assert [persona.id for persona in load_personas(tmp_path / "claire.yaml").personas] == ["claire-moreau"]
    write_json(tmp_path / "records.json", [intake_record(), intake_record("Kim Vale")])
    done = counselgraph("personas", "import", "records.json", "--out", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_personas(tmp_path / "mine").personas == load_personas(tmp_path / "records.json").personas


def test_personas_check_names_every_bad_record(tmp_path: Path) -> None:
    write_json(tmp_path / "records.json", [intake_record(), {"AI_client": {}}, intake_record("Kim", attitude="sour")])
    result = counselgraph("personas", "check", "records.json", cwd=tmp_path)
    refused(result, "record 2", "AI_client.intake_form", "record 3", "AI_client.attitude", "Fix:")
    assert result.stdout == "1 good, 2 bad.\n"


def test_doctor_finds_a_healthy_place_and_a_dead_endpoint(tmp_path: Path) -> None:
    assert counselgraph("doctor", cwd=tmp_path).returncode == 0
    result = counselgraph("doctor", "--model", "vllm/x", "--base-url", dead_address(), cwd=tmp_path)
    assert result.returncode == 1
    assert "FAIL  model vllm/x" in result.stdout
    assert "Fix:" in result.stdout
    missing = counselgraph("doctor", "--model", "script/none.txt", cwd=tmp_path)
    assert missing.returncode == 1
    assert "FAIL  model script/none.txt" in missing.stdout


def dead_address() -> str:
    """An address that refuses connections: of a port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


WRONG = {
    "unknown model": (("--model", "rehersal"), ("rehersal", "Did you mean `rehearsal`?")),
    "a server without a model": (("--model", "vllm/"), ("vllm/<model>",)),
    "a script that is not there": (("--client-model", "script/no.txt"), ("no.txt", "Fix:")),
    "a replay that is not there": (("--model", "replay/no"), ("replay/no",)),
    "a person in a batch": (("--counselor-model", "human"), ("counselgraph chat",)),
    "unknown persona": (("--personas", "builtin/claire-moro"), ("did you mean `builtin/claire-moreau`?",)),
    "no such file": (("--personas", "nobody.json"), ("nobody.json", "Fix:")),
    "unknown importer": (("--format", "xml", "--personas", "some.yaml"), ("xml", "cactus")),
    "unknown role": (("--role", "supervizor"), ("supervizor", "monitor")),
    "a role that does not import": (("--role", "nowhere:role"), ("nowhere",)),
    "a model for nobody": (("--role-model", "counsellor=rehearsal"), ("counsellor", "counselor")),
    "half a pair": (("--role-model", "client"), ("ROLE=MODEL",)),
    "half a setting": (("--set", "seed"), ("KEY=VALUE",)),
    "an unknown setting": (("--set", "parms.temperature=1"), ("did you mean `params`?",)),
    "a setting that is no YAML": (("--set", "limit=[1"), ("--set", "Fix:")),
    "no number": (("--seed", "seven"), ("--seed",)),
    "limit below one": (("--limit", "0"), ("limit", "at least 1")),
    "unknown display": (("--display", "loud"), ("--display", "plain")),
    "unknown flag": (("--sede", "7"), ("--sede",)),
    "a language in words": (("--language", "German"), ("language",)),
    "bounds that cross": (("--min-exchanges", "9", "--max-exchanges", "5"), ("min_exchanges (9)", "max_exchanges (5)")),
    "a spec that is not there": (("--spec", "no.yaml"), ("no.yaml", "Fix:")),
    "a spec with a typo": (("--spec", "typo.yaml"), ("typo.yaml", "`replicate`", "did you mean `replicates`?")),
    "bytes that are no text": (("--personas", "bytes.txt"), ("bytes.txt", "UTF-8")),
    "memory in a file": (("--memory", "some.yaml"), ("some.yaml",)),
}


@pytest.mark.parametrize(("flags", "named"), WRONG.values(), ids=WRONG)
def test_a_wrong_flag_is_one_clear_message_and_nothing_is_run(
    tmp_path: Path, flags: tuple[str, ...], named: tuple[str, ...]
) -> None:
    (tmp_path / "some.yaml").write_text("id: some-one\n")
    (tmp_path / "typo.yaml").write_text("replicate: 2\n")
    (tmp_path / "bytes.txt").write_bytes(b"Name: \xff\xfe\n")
    refused(counselgraph("run", "--limit", "1", "--out", "never", *flags, cwd=tmp_path), *named)
    assert not (tmp_path / "never").exists()


def test_a_bad_record_in_the_middle_stops_the_run_unless_it_may_be_skipped(tmp_path: Path) -> None:
    records = [intake_record(), intake_record("Kim Vale", attitude="sour"), intake_record("Lee Vale")]
    write_json(tmp_path / "records.json", records)
    command = ("run", "--personas", "records.json", "--out", "a", *SHORT)
    refused(counselgraph(*command, cwd=tmp_path), "records.json, record 2", "`AI_client.attitude`", "Fix:")
    assert not (tmp_path / "a").exists()
    result = counselgraph(*command, "--skip-bad", cwd=tmp_path)
    assert result.returncode == 0
    assert "left out: records.json, record 2" in result.stderr
    assert set(transcripts(tmp_path / "a")) == {"001-jo-marsh-neutral", "003-lee-vale-neutral"}


def test_the_out_folder_must_be_empty_or_hold_this_run(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other").write_text("x")
    refused(counselgraph("run", "--out", "file", cwd=tmp_path), "file", "Fix:")
    refused(counselgraph("run", "--out", "full", cwd=tmp_path), "full", "is not empty", "Fix:")
    other = counselgraph("run", "--limit", 3, "--seed", 8, "--out", "first", cwd=ran)
    refused(other, "first", "seed: 7 there -> 8 now", "Fix:")


def test_an_endpoint_that_refuses_connections_is_noticed_before_any_session(tmp_path: Path) -> None:
    address = dead_address()
    result = counselgraph("run", "--model", "vllm/x", "--base-url", address, "--out", "a", cwd=tmp_path)
    refused(result, address, code=1)
    assert not (tmp_path / "a").exists()


def test_a_model_the_server_does_not_have_is_named(tmp_path: Path) -> None:
    with serving(FakeOpenAI(models=("fake", "spare"))) as server:
        flags = ("--model", "vllm/other", "--base-url", server.base_url)
        result = counselgraph("run", *flags, "--limit", 1, "--out", "a", *SHORT, cwd=tmp_path)
        examined = counselgraph("doctor", *flags, cwd=tmp_path)
    refused(result, "serves no `other`, but: fake, spare")
    assert not (tmp_path / "a").exists()
    assert examined.returncode == 1
    assert "but: fake, spare" in examined.stdout


def test_sessions_of_a_model_that_fails_are_named_and_the_exit_code_says_so(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 2)
    with serving(FakeOpenAI(always=Fault.EMPTY)) as server:
        command = ("run", "--personas", "people", *fake_flags(server), "--out", "a", *SHORT)
        result = counselgraph(*command, cwd=tmp_path)
    refused(result, "failed: client-01: ModelError", "failed: client-02: ModelError", code=1)
    assert "2 model_error" in result.stdout


def test_a_language_that_rehearsal_does_not_speak_is_said_before_the_run(tmp_path: Path) -> None:
    result = counselgraph("run", "--limit", 1, "--language", "de", "--out", "a", *SHORT, cwd=tmp_path)
    assert result.returncode == 0
    assert "notice: The rehearsal model does not speak German" in result.stderr
    assert "notice: There are no safety rules for German" in result.stderr


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("show", "nothing"), "nothing"),
        (("show", "first/nobody"), "nobody"),
        (("show", "first", "--html", "no/page.html"), "page.html"),
        (("resume", "nothing"), "is no run folder"),
        (("export", "nothing", "--to", "chatml", "--out", "x"), "is no run folder"),
        (("export", "first", "--to", "xml", "--out", "x"), "chatml"),
        (("export", "first", "--to", "chatml", "--out", "no/x"), "no/x"),
        (("personas", "show", "nobody"), "claire-moreau"),
        (("personas", "list", "nothing.json"), "nothing.json"),
        (("roles", "--role", "nobody"), "nobody"),
        (("chat", "--persona", "nobody"), "claire-moreau"),
        (("chat", "--persona", "claire-moreau", "--as", "planner"), "counselor, client or responder"),
        (("nonsense",), "nonsense"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_named(ran: Path, command: tuple[str, ...], named: str) -> None:
    refused(counselgraph(*command, cwd=ran), named)
