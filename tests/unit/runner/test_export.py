from __future__ import annotations

import json
import shutil
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from counselgraph.errors import ConfigError, InputError
from counselgraph.runner.export import export
from counselgraph.runner.parquet import GROUP
from tests.unit.runner.logs import FIRST, OPENING, SECRET, end, header, session, turn, write_run

FORMATS = ("cactus", "chatml", "jsonl", "parquet", "sharegpt")
PROVENANCE = {
    "run": "run-1",
    "source": {"format": "cactus", "file": "forms.json", "record": 7},
    "persona": "ada-lindt",
    "models": {"default": "rehearsal"},
    "seed": 11,
    "replicate": 1,
    "counselgraph": "9.8.7",
    "schema_version": 1,
    "stop": "completed",
    "rehearsal": True,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    failing = end("model_error", by="run", reason="ModelError: empty twice")
    sessions = {"a": session(), "b": session()[:6], "c": session(finish=failing), "d": session()}
    return write_run(tmp_path / "run", sessions)


def rows(file: Path) -> list[dict[str, Any]]:
    if file.read_bytes().startswith(b"PAR1"):
        return [unflattened(row) for row in parquet.read_table(file).to_pylist()]
    text = file.read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text) if text.startswith("[") else [*map(json.loads, text.splitlines())]
    return found


def unflattened(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Parquet with the provenance of the other formats."""
    source = {key: row.pop(f"source_{key}") for key in ("format", "file", "record")}
    models = {each["role"]: each["model"] for each in row["models"]}
    hashes: dict[str, list[str]] = {}
    for each in row["prompt_hashes"]:
        hashes.setdefault(each["role"], []).append(each["hash"])
    return row | {"source": source, "models": models, "prompt_hashes": hashes}


def exported(run: Path, to: str, **options: Any) -> list[dict[str, Any]]:
    export(run, to, run.parent / "out", **options)
    return rows(run.parent / "out")


def spoken(row: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, text) of a row of any format."""
    said = row.get("messages") or row.get("conversations") or row.get("dialogue") or row["turns"]
    return [
        (
            str(each.get("role", each.get("from"))),
            each[next(k for k in ("content", "value", "message", "text") if k in each)],
        )
        for each in said
    ]


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_parses_back_with_every_turn_in_order(run: Path, to: str) -> None:
    said = [text for role, text in spoken(exported(run, to)[0]) if role != "system"]
    assert said[0] == OPENING
    assert said[1] == FIRST
    assert len(said) == 5


@pytest.mark.parametrize("to", FORMATS)
def test_every_row_says_where_it_comes_from(run: Path, to: str) -> None:
    found = exported(run, to)
    assert [row["session"] for row in found] == ["a", "d"]
    for row in found:
        assert {key: row[key] for key in PROVENANCE} == PROVENANCE
        assert row["notice"].startswith("Simulated counseling dialogue")
        assert "Rehearsal material" in row["notice"]
        texts = {file.stem for file in (run / "texts").iterdir()}
        assert {role: len(hashes) for role, hashes in row["prompt_hashes"].items()} == {"client": 1, "counselor": 1}
        assert {each for hashes in row["prompt_hashes"].values() for each in hashes} <= texts


@pytest.mark.parametrize("to", FORMATS)
def test_what_only_one_role_knew_stays_out(run: Path, to: str) -> None:
    assert SECRET not in json.dumps(exported(run, to))


@pytest.mark.parametrize("to", ["chatml", "parquet", "sharegpt"])
@pytest.mark.parametrize("seat", ["counselor", "client"])
def test_private_gives_a_seat_its_own_instruction_and_no_other(run: Path, to: str, seat: str) -> None:
    system = spoken(exported(run, to, private=True, seat=seat)[0])[0][1]
    assert system.startswith(f"You are the {seat}.")
    assert SECRET in system


def test_private_jsonl_holds_notes_memories_risks_and_instructions(run: Path) -> None:
    row = exported(run, "jsonl", private=True)[0]
    assert row["notes"] == [{"exchange": 1, "role": "client", "channel": "thought", "value": f"I {SECRET}."}]
    assert [each["action"] for each in row["memories"]] == ["recall", "remember"]
    assert [each["side"] for each in row["risks"]] == ["client", "counselor", "client"]
    assert set(row["prompts"]) == {"client", "counselor"}
    assert SECRET in row["reason"]


@pytest.mark.parametrize("to", FORMATS)
def test_the_words_of_a_plan_are_private(run: Path, to: str) -> None:
    told, plan = json.dumps(exported(run, to)), session()[7]
    assert not any(plan[key] in told for key in ("focus", "hypothesis", "reason"))


def test_private_jsonl_holds_whole_plans(run: Path) -> None:
    public, whole = exported(run, "jsonl")[0]["plans"][0], exported(run, "jsonl", private=True)[0]["plans"][0]
    assert set(public) == {"technique", "steps", "trigger", "revision", "exchange"}
    assert whole["hypothesis"] == "I am only worth what I get right"
    assert public.items() <= whole.items()


def test_unfinished_and_failed_sessions_are_counted_and_left_out(run: Path, tmp_path: Path) -> None:
    done = export(run, "jsonl", tmp_path / "out")
    assert (done.written, done.unfinished, done.failed) == (2, 1, 1)
    done = export(run, "jsonl", tmp_path / "out", failed=True)
    assert (done.written, done.unfinished, done.failed) == (3, 1, 0)
    assert done.files == {tmp_path / "out": 3}
    assert [row["session"] for row in rows(tmp_path / "out")] == ["a", "c", "d"]


def test_a_log_that_was_only_opened_counts_as_unfinished(run: Path, tmp_path: Path) -> None:
    (run / "sessions" / "e.jsonl").touch()
    assert export(run, "chatml", tmp_path / "out").unfinished == 2


def test_the_counselor_is_the_assistant_and_the_client_the_user(run: Path) -> None:
    roles = [role for role, _ in spoken(exported(run, "chatml")[0])]
    assert roles == ["system", "assistant", "user", "assistant", "user", "assistant"]


def test_the_clients_seat_swaps_the_sides(run: Path) -> None:
    row = exported(run, "chatml", seat="client")[0]
    assert [role for role, _ in spoken(row)] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert ("assistant", FIRST) in spoken(row)


def test_sharegpt_names_its_speakers(run: Path) -> None:
    assert [role for role, _ in spoken(exported(run, "sharegpt")[0])][:3] == ["system", "gpt", "human"]


def test_turns_that_follow_each_other_on_one_side_are_joined(tmp_path: Path) -> None:
    said = [turn("client", "One.", 1), turn("client", "Two.", 2), turn("counselor", "Three.", 2)]
    run = write_run(tmp_path / "run", {"a": [header(), *said, turn("counselor", "Four.", 3), end()]})
    assert spoken(exported(run, "chatml")[0])[1:] == [("user", "One.\n\nTwo."), ("assistant", "Three.\n\nFour.")]


def test_a_third_speaker_is_named(tmp_path: Path) -> None:
    said = [turn("client", "One.", 1), turn("mother", "Two.", 1), turn("counselor", "Three.", 1)]
    run = write_run(tmp_path / "run", {"a": [header(), *said, end()]})
    assert spoken(exported(run, "chatml")[0])[1] == ("user", "One.\n\nMother: Two.")


def test_cactus_sessions_have_the_keys_that_its_readers_look_for(run: Path) -> None:
    row = exported(run, "cactus")[0]
    assert row["AI_client"] == {"name": "Ada Lindt", "attitude": "neutral"}
    assert row["cbt_technique"] == "Decatastrophizing"
    assert row["cbt_plan"] == (
        "Plan 1, from exchange 1 on: Decatastrophizing\n"
        "Steps: agenda: agenda; exploration: situation, thought; intervention: what if; closing: homework"
    )
    assert row["dialogue"][1] == {"role": "client", "message": FIRST}


def test_jsonl_has_plans_turns_and_cost(run: Path) -> None:
    row = exported(run, "jsonl")[0]
    assert row["id"] == "a"
    assert row["turns"][0] == {"role": "counselor", "text": OPENING, "exchange": 0, "kind": "opening"}
    assert row["plans"][0]["steps"][0] == "agenda/agenda"
    assert (row["risk"], row["technique"], row["usage"]["calls"]) == (1, "decatastrophizing", 5)


def test_models_other_than_rehearsal_are_no_rehearsal(tmp_path: Path) -> None:
    models = {"default": "vllm/small"}
    run = write_run(tmp_path / "run", {"a": [header(models=models, source=None), *session()[1:]]})
    row = exported(run, "jsonl")[0]
    assert row["rehearsal"] is False
    assert row["source"] == {"format": None, "file": None, "record": None}


@pytest.mark.parametrize("to", FORMATS)
def test_a_run_without_ended_sessions_gives_an_empty_file(tmp_path: Path, to: str) -> None:
    assert exported(write_run(tmp_path / "run", {}), to) == []


def test_an_unknown_format_names_the_known_ones(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cactus, chatml, jsonl, parquet, sharegpt"):
        export(run, "csv", tmp_path / "out")


def test_an_unknown_seat_names_the_known_ones(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="client, counselor"):
        export(run, "chatml", tmp_path / "out", seat="planner")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        export(tmp_path, "jsonl", tmp_path / "out")


def test_a_missing_output_folder_is_refused_with_a_fix(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not there.*Fix: give a file in a folder"):
        export(run, "jsonl", tmp_path / "none" / "out")


def test_a_missing_instruction_names_the_file(run: Path, tmp_path: Path) -> None:
    for text in (run / "texts").iterdir():
        text.unlink()
    with pytest.raises(InputError, match="texts"):
        export(run, "chatml", tmp_path / "out", private=True)


def test_a_broken_log_leaves_the_file_that_was_there(run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("before", encoding="utf-8")
    log = run / "sessions" / "d.jsonl"
    first, rest = log.read_text(encoding="utf-8").split("\n", 1)
    log.write_text(f"{first}\n{{broken\n{rest}", encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        export(run, "jsonl", tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "before"
    assert not list(tmp_path.glob("*.part"))
    assert not (tmp_path / "out.card.md").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), to=st.sampled_from(FORMATS))
def test_any_text_comes_back_as_it_was_said(tmp_path: Path, text: str, to: str) -> None:
    run = write_run(tmp_path / "run", {"a": session(first=text)})
    assert spoken(exported(run, to)[0])[1 if to in {"cactus", "jsonl"} else 2][1] == text


@pytest.mark.parametrize("to", ["jsonl", "cactus", "parquet"])
def test_memory_does_not_grow_with_the_run(tmp_path: Path, to: str) -> None:
    one = write_run(tmp_path / "run", {"s0000": session()})
    line = (one / "sessions" / "s0000.jsonl").read_bytes()
    export(one, to, tmp_path / "out")  # what is imported on the way is not what grows
    for number in range(1, 2000):
        (one / "sessions" / f"s{number:04}.jsonl").write_bytes(line)
    tracemalloc.start()
    try:
        assert export(one, to, tmp_path / "out", private=True).written == 2000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 7_000_000  # all of it would be 20 MB; Parquet holds a row group


def test_several_runs_go_into_one_file_and_say_which_they_are(run: Path, tmp_path: Path) -> None:
    later = write_run(tmp_path / "later", {"a": [header(run="run-2"), *session()[1:]]}, manifest=manifest("run-2"))
    done = export([run, later], "jsonl", tmp_path / "out")
    assert done.written == 3
    found = [(row["run"], row["session"], row["counselgraph"]) for row in rows(tmp_path / "out")]
    assert found == [("run-1", "a", "9.8.7"), ("run-1", "d", "9.8.7"), ("run-2", "a", "1.2.3")]


def test_a_run_is_not_exported_twice_under_two_paths(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    with pytest.raises(InputError, match=f"the same run as {run}"):
        export([run, copy], "jsonl", tmp_path / "out")
    with pytest.raises(InputError, match="no run was given"):
        export([], "jsonl", tmp_path / "out")


def manifest(run: str) -> dict[str, Any]:
    return {"run": run, "spec": {}, "versions": {"counselgraph": "1.2.3"}}


@pytest.mark.parametrize("to", FORMATS)
def test_no_row_tells_where_a_file_lies(tmp_path: Path, to: str) -> None:
    models = {
        "client": "script//home/me/secret-place/lines.yaml",
        "counselor": "replay//srv/secret-place/june",
        "planner": "vllm//models/secret-place/small@http://10.0.0.7:8000/v1",
        "monitor": "openai/org/model",
    }
    found = end("infrastructure_error", reason="InfrastructureError: `replay//srv/secret-place/june`: no such session")
    told = write_run(tmp_path / "run", {"a": [header(models=models), *session(finish=found)[1:]]})
    (row,) = exported(told, to, private=True, failed=True)
    assert row["models"] == {
        "client": "script/lines.yaml",
        "counselor": "replay/june",
        "planner": "vllm/small",
        "monitor": "openai/org/model",
    }
    assert not any(word in json.dumps(row) for word in ("secret-place", "10.0.0.7", "/srv"))
    card = (tmp_path / "out.card.md").read_text(encoding="utf-8")
    assert not any(word in card for word in ("secret-place", "10.0.0.7", str(tmp_path)))


@pytest.mark.parametrize("seed", [2**63 - 1, -4])
@pytest.mark.parametrize("to", FORMATS)
def test_a_seed_comes_back_as_it_was_given(tmp_path: Path, to: str, seed: int) -> None:
    run = write_run(tmp_path / "run", {"a": [header(seed=seed), *session()[1:]]})
    assert exported(run, to)[0]["seed"] == seed


def test_a_seed_beyond_64_bits_is_kept_where_the_format_can(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"a": [header(seed=2**70 + 1), *session()[1:]]})
    assert exported(run, "jsonl")[0]["seed"] == 2**70 + 1
    with pytest.raises(InputError, match=r"Parquet schema.*Fix: export to jsonl"):
        export(run, "parquet", tmp_path / "out")


def test_line_ends_that_json_allows_do_not_split_a_line(tmp_path: Path) -> None:
    said = "one\u2028two\u2029three\u0085four"
    run = write_run(tmp_path / "run", {"a": session(first=said)})
    assert spoken(exported(run, "jsonl")[0])[1] == ("client", said)
    assert len((tmp_path / "out").read_text(encoding="utf-8").splitlines()) == 1


def test_parquet_comes_in_row_groups_under_one_schema(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {f"s{number:03}": session() for number in range(GROUP + 1)})
    export(run, "parquet", tmp_path / "out")
    file = parquet.ParquetFile(tmp_path / "out")
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [GROUP, 1]
    row = file.read().to_pylist()[-1]
    assert (row["session"], row["seat"], row["technique"], row["risk"]) == ("s256", "counselor", "decatastrophizing", 1)
    assert (row["exchanges"], row["turns"], row["calls"], row["completion_tokens"]) == (2, 5, 5, 140)
    assert (row["source_format"], row["source_file"], row["source_record"]) == ("cactus", "forms.json", 7)
    assert [name for name, value in row.items() if value is None] == ["parent"]


def test_parquet_without_pyarrow_says_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'counselgraph\[parquet\]'"):
        export(run, "parquet", run.parent / "out")
    assert [path.name for path in run.parent.iterdir()] == ["run"]
