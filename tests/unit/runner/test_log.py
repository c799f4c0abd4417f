from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import InputError
from counselgraph.runner.log import Event, SessionLog, find_records, has_ended, last_event, read_run, read_session
from tests.unit.runner.logs import call, end, header, session, turn, write_run

LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(LINE_ENDS)), max_size=5)


@given(texts)
def test_any_text_comes_back_as_it_was_written(said: list[str]) -> None:
    events = [header(), *(turn("client", text, number) for number, text in enumerate(said)), end()]
    with tempfile.TemporaryDirectory() as place:
        run = write_run(Path(place), {"ada": events})
        (record,) = read_run(run)
        assert [turn["text"] for turn in record.turns] == said
        assert record.end is not None
        assert has_ended(record.file)


@given(st.integers(min_value=1, max_value=4000))
def test_a_log_cut_anywhere_is_read_up_to_its_last_whole_line(cut: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        run = write_run(Path(place), {"ada": session(first="Ich kann nicht schlafen, \u2028 über Wochen 夜 schon. 🌙")})
        file = run / "sessions" / "ada.jsonl"
        whole, data = read_session(file).events, file.read_bytes()
        file.write_bytes(data[:-cut])
        if b"\n" not in data[:-cut]:
            return
        kept = read_session(file).events
        assert kept == whole[: len(kept)]
        assert len(kept) >= data[:-cut].count(b"\n")


def test_a_cut_in_front_of_the_last_line_end_loses_nothing(tmp_path: Path) -> None:
    file = write_run(tmp_path, {"ada": session()}) / "sessions" / "ada.jsonl"
    file.write_bytes(file.read_bytes()[:-1])
    assert read_session(file).end is not None
    assert has_ended(file)


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    file = write_run(tmp_path, {"ada": session()}) / "sessions" / "ada.jsonl"
    lines = file.read_bytes().split(b"\n")
    for broken in (b'{"event": "tu', b'{"event": "\xff"}'):
        file.write_bytes(b"\n".join([*lines[:3], broken, *lines[4:]]))
        with pytest.raises(InputError, match="line 4 is no JSON"):
            read_session(file)


def test_a_log_that_was_only_opened_does_not_hide_the_others(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"ada": session(), "bea": session()})
    for torn in (b"", b'{"event": "head'):
        (run / "sessions" / "ada.jsonl").write_bytes(torn)
        assert [record.id for record in read_run(run)] == ["bea"]
        assert last_event(run / "sessions" / "ada.jsonl") is None


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_log_of_another_version_is_refused(tmp_path: Path, version: object) -> None:
    run = write_run(tmp_path, {"ada": [header(schema_version=version), end()]})
    with pytest.raises(InputError, match="schema version"):
        read_session(run / "sessions" / "ada.jsonl")


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"event": "turn"}\n')
    with pytest.raises(InputError, match="does not start with a `header`"):
        read_session(other)
    with pytest.raises(InputError, match="cannot be read"):
        read_session(tmp_path / "nothing.jsonl")


def test_events_carry_their_envelope(tmp_path: Path) -> None:
    heard: list[Event] = []
    with SessionLog(tmp_path / "ada.jsonl", tmp_path, on_event=heard.append) as log:
        log.write(header())
        log.exchange = 3
        log.write({"event": "note", "role": "r"})
        log.write(turn("client", "Hello.", 4))
    written = [json.loads(line) for line in (tmp_path / "ada.jsonl").read_text().splitlines()]
    assert written == heard
    assert [(event["seq"], event["exchange"], event["session"]) for event in written] == [
        (0, 0, "ada"),
        (1, 3, "ada"),
        (2, 4, "ada"),
    ]
    assert all(event["at"].endswith("+00:00") for event in written)


def test_an_instruction_is_stored_once_and_found_again(tmp_path: Path) -> None:
    events = [
        header(),
        turn("counselor", "Hello.", 0),
        call("client", 1, "You are Ada.", 1),
        call("client", 2, "You are Ada.", 1),
    ]
    run = write_run(tmp_path, {"ada": events, "bea": events})
    assert len(list((run / "texts").iterdir())) == 1
    (record, _) = read_run(run)
    assert record.prompt(record.of("model_call")[0]) == ("You are Ada.\n\ncounselor: Hello.\n\n[Turn card of client 1]")


def test_a_log_is_written_anew_when_it_is_opened_again(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with SessionLog(tmp_path / "ada.jsonl", tmp_path) as log:
            log.write(header())
            log.write(turn("client", text, 1))
    assert [turn["text"] for turn in read_session(tmp_path / "ada.jsonl").turns] == ["second"]


def test_the_end_is_found_behind_a_long_log(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"ada": [header(), turn("client", "word " * 50_000, 1), end("stalled")]})
    event = last_event(run / "sessions" / "ada.jsonl")
    assert event is not None
    assert event["stop"] == "stalled"


def test_records_are_found_by_run_by_session_and_by_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"ada": session(), "bea": session()})
    assert [record.id for record in find_records(run)] == ["ada", "bea"]
    for name in (run / "bea", run / "sessions" / "bea.jsonl"):
        assert [record.id for record in find_records(name)] == ["bea"]
