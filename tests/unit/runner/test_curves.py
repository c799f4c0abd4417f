"""The curves of a client's state, from the notes in its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from counselgraph.runner.curves import curves, notes_of, series_of
from counselgraph.runner.log import Event, SessionRecord, read_session
from tests.unit.runner.logs import end, header, turn, write_run


def kept(channel: str, exchange: int, logged_at: int | None = None, **value: Any) -> Event:
    state = {"exchange": exchange, **value}
    at = exchange if logged_at is None else logged_at
    return {"event": "note", "node": "client", "role": "client", "channel": channel, "value": state, "exchange": at}


def recorded(folder: Path, *notes: Event, exchanges: int = 3) -> SessionRecord:
    turns = [turn("client", f"Words {at}.", at) for at in range(1, exchanges + 1)]
    write_run(folder, {"one": [header(), *notes, *turns, end()]})
    return read_session(folder / "sessions" / "one.jsonl")


def felt(exchange: int, valence: float, word: str = "dread", **more: Any) -> Event:
    return kept("emotion", exchange, word=word, valence=valence, arousal=0.5, **more)


def test_a_session_without_such_a_client_has_no_curves(tmp_path: Path) -> None:
    other = {"event": "note", "node": "client", "role": "client", "channel": "emotion", "value": "sad", "exchange": 1}
    record = recorded(tmp_path, other)
    assert series_of(record) == []
    assert curves(record) == ""


def test_emotion_and_complaint_are_drawn_over_the_exchanges(tmp_path: Path) -> None:
    opened = [kept("complaint", at, stage=at, stages=4, trust=at / 10) for at in (1, 2, 3)]
    record = recorded(tmp_path, felt(1, -0.5), felt(2, 0), felt(3, 0.5, "hope"), *opened)
    found = {line.name: line for line in series_of(record)}
    assert list(found) == ["valence", "arousal", "trust", "complaint"]
    assert found["valence"].points == ((1, -0.5), (2, 0.0), (3, 0.5))
    assert (found["complaint"].low, found["complaint"].high) == (1, 4)
    picture = ET.fromstring(curves(record))
    lines = picture.findall(".//{*}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [3, 3, 3, 3]
    heights = [float(point.split(",")[1]) for point in lines[0].attrib["points"].split()]
    assert heights == sorted(heights, reverse=True)
    names = [text.text for text in picture.findall("{*}text")]
    assert names.count("dread") == names.count("hope") == 1


def test_readiness_is_a_line_with_the_names_of_its_stages(tmp_path: Path) -> None:
    stages = ["precontemplation", "contemplation", "contemplation"]
    notes = [kept("readiness", at, stage=stage, receptivity=0.5) for at, stage in enumerate(stages, 1)]
    record = recorded(tmp_path, *notes)
    line = series_of(record)[0]
    assert line.points == ((1, 0.0), (2, 1.0), (3, 1.0))
    assert "Exchange 2: readiness 1, contemplation" in curves(record)
    assert "readiness from 0 to 1" in curves(record)


def test_a_scale_is_marked_with_its_ends_and_named_stages_by_their_names(tmp_path: Path) -> None:
    record = recorded(tmp_path, felt(1, 0), kept("complaint", 1, stage=1, stages=4, trust=0.4))
    ticks = [text.text for text in ET.fromstring(curves(record)).findall("{*}text[@class='tick']")]
    assert ticks == ["-1", "0", "1", "0", "1", "0", "1", "1", "4"]
    staged = recorded(tmp_path / "staged", kept("readiness", 1, stage="action", receptivity=0.5))
    ticks = [text.text for text in ET.fromstring(curves(staged)).findall("{*}text[@class='tick']")]
    assert ticks == ["0", "1"]


def test_names_that_would_stand_on_each_other_are_left_to_the_titles(tmp_path: Path) -> None:
    words = ["dread", "hope", "dread", "hope", "hope"]
    record = recorded(tmp_path, *[felt(at, 0, word) for at, word in enumerate(words, 1)], exchanges=5)
    picture = curves(record)
    texts = [text.text for text in ET.fromstring(picture).findall("{*}text")]
    assert [text for text in texts if text in words] == ["dread", "hope"]
    assert "Exchange 2: valence 0, hope" in picture


def test_a_state_belongs_to_the_exchange_it_names_and_the_last_one_counts(tmp_path: Path) -> None:
    ahead = [felt(1, -0.5), felt(2, 0.9, logged_at=1), felt(2, 0.1, logged_at=1)]
    record = recorded(tmp_path, *ahead)
    assert {at: value["valence"] for at, value in notes_of(record, "emotion").items()} == {1: -0.5, 2: 0.1}


def test_a_complaint_of_one_stage_is_a_flat_line(tmp_path: Path) -> None:
    record = recorded(tmp_path, kept("complaint", 1, stage=1, stages=1, trust=0.4))
    assert ET.fromstring(curves(record)).findall(".//{*}polyline")


def test_no_word_of_a_log_becomes_markup(tmp_path: Path) -> None:
    record = recorded(tmp_path, felt(1, 0, "<script>"))
    assert "<script>" not in curves(record)
    assert "&lt;script&gt;" in curves(record)
