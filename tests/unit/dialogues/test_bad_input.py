"""What is wrong is named: file, line or record, field and fix; never the words of anybody."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.dialogues import format_names, read_dialogues
from counselgraph.errors import InputError

SECRET = "what nobody may read"
COLUMNS = b"transcript_id,utterance_id,interlocutor,utterance_text\n"
TURN: dict[str, Any] = {"role": "client", "text": SECRET}

BAD: dict[str, tuple[str, str, Any, tuple[str, ...]]] = {
    "empty": ("a.jsonl", "jsonl", b" \n\n", ("nothing in it",)),
    "broken-line": ("a.jsonl", "jsonl", b'{"content": "x"}\n{"content": "' + SECRET.encode(), ("line 2", "JSON")),
    "broken-document": ("a.json", "cactus", b'{\n"dialogue": [\n', ("JSON", "line 3")),
    "number": ("a.jsonl", "jsonl", {"content": 7}, ("line 1", "`content`", "a number")),
    "missing": ("a.jsonl", "jsonl", {"id": 1}, ("line 1", "`content`", "missing")),
    "no-mapping": ("a.jsonl", "jsonl", 7, ("line 1", "a number")),
    "bad-id": ("a.jsonl", "jsonl", {"id": {}, "content": SECRET}, ("line 1", "`id`", "a mapping")),
    "no-role": ("a.jsonl", "jsonl", {"content": [TURN, {"text": SECRET}]}, ("`content.2.role`", "missing")),
    "empty-role": ("a.jsonl", "jsonl", {"content": [{"role": " ", "text": SECRET}]}, ("`content.1.role`", "empty")),
    "no-text": ("a.jsonl", "jsonl", {"content": [{"role": "client"}]}, ("`content.1.text`", "missing")),
    "text-is-a-list": ("a.jsonl", "jsonl", {"content": [TURN | {"text": []}]}, ("`content.1.text`", "a list")),
    "no-turns": ("a.jsonl", "jsonl", {"content": []}, ("`content`", "nobody says anything")),
    "only-system": ("a.jsonl", "chatml", {"messages": [{"role": "system", "content": SECRET}]}, ("`messages`",)),
    "a-turn-is-text": ("a.json", "cactus", {"dialogue": [SECRET]}, ("record 1", "`dialogue.1`", "text")),
    "no-speaker": ("a.json", "cactus", {"dialogue": SECRET}, ("`dialogue`", "who speaks")),
    "no-dialogue": ("a.json", "magnet", {"AI_client": {}}, ("`dialogue`", "no dialogue")),
    "cases": ("a.json", "psychosis-bench", {"cases": [{"prompts": ["x", 3]}]}, ("record 1", "`prompts.2`")),
    "line-without-speaker": ("a.json", "cpsycoune", ["求助者: x", SECRET], ("`2`", "who speaks")),
    "no-dialog": ("a.json", "esconv", {"situation": SECRET}, ("`dialog`", "nothing")),
    "no-messages": ("a.jsonl", "sharegpt", {"messages": []}, ("`conversations`", "missing")),
    "utterance": ("a.json", "kokorochat", {"dialogue": [{"role": "x", "utterances": [3]}]}, ("`dialogue.1.utt",)),
    "column": ("a.csv", "annomi", b"transcript_id,text\n1,x\n", ("`utterance_id`", "missing")),
    "utterance-id": ("a.csv", "annomi", COLUMNS + b"1,x,client,x\n", ("record 1", "`utterance_id`")),
    "short-row": ("a.csv", "annomi", COLUMNS + b"1,1,client\n", ("record 1", "`utterance_text`")),
    "not-utf-8": ("a.txt", "text", b"x\n\xff\xfe\n", ("line 2", "UTF-8")),
}  # fmt: skip


def wrote(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_with_its_place_and_a_fix(tmp_path: Path, case: str) -> None:
    name, form, content, named = BAD[case]
    file = wrote(tmp_path, name, content)
    with pytest.raises(InputError) as raised:
        list(read_dialogues(file, form))
    told = str(raised.value)
    assert all(words in told for words in (str(file), "Fix: ", *named)), told
    assert SECRET not in told


def test_bad_records_can_be_left_out_and_are_told(tmp_path: Path) -> None:
    lines = [b'{"id": "a", "content": "x"}', b"{broken", b'{"id": "b"}', b'\xff{"content": "x"}', b'{"content": "y"}']
    bad: list[InputError] = []
    found = list(read_dialogues(wrote(tmp_path, "a.jsonl", b"\n".join(lines)), on_bad=bad.append))
    assert [dialogue.id for dialogue in found] == ["a", 5]
    assert [error.file for error in bad] == [f"{tmp_path / 'a.jsonl'}, line {number}" for number in (2, 3, 4)]


def test_a_broken_first_line_does_not_hide_what_the_others_are(tmp_path: Path) -> None:
    bad: list[InputError] = []
    file = wrote(tmp_path, "lines", b'{"content": "x\n{"content": "y"}\n')
    assert [dialogue.id for dialogue in read_dialogues(file, on_bad=bad.append)] == [2]
    assert len(bad) == 1


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b'{"id": "a", "message": "x"}', "line 1, field `content`: it is missing"),
        (b'{"id": NaN, "content": "x"}', "line 1: this is not valid JSON"),
        (b"[" * 100_000, "line 1: this is not valid JSON"),
        (b'"x"', "line 1: a mapping was expected, not text"),
        (b'{"id": 123456789012345678901234567890, "content": "x"}', "line 1, field `id`: so large a number"),
    ],
)
def test_lines_of_which_none_can_be_used_are_told_one_by_one(tmp_path: Path, line: bytes, named: str) -> None:
    bad: list[InputError] = []
    file = wrote(tmp_path, "a.jsonl", (line + b"\n") * 25 + b'{"content": "y"}\n')
    assert [dialogue.id for dialogue in read_dialogues(file, on_bad=bad.append)] == [26]
    assert len(bad) == 25
    assert f"{file}, {named}" in str(bad[0])


def test_a_file_that_cannot_be_read_to_its_end_is_told() -> None:
    class Broken(io.BytesIO):
        def __next__(self) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().__next__()

    with pytest.raises(InputError, match="standard input: it cannot be read to its end: Input/output error"):
        list(read_dialogues(Broken(b"one line\nanother\n")))


def test_unknown_formats_places_and_shapes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, form, named in (
        (tmp_path / "nothing.json", None, "cannot be read"),
        (tmp_path / "empty", None, "holds no dialogues"),
        (wrote(tmp_path, "a.jsonl", {"content": "x"}), "xml", "annomi"),
        (wrote(tmp_path, "b.json", {"rows": []}), None, "record 1, field `content`: it is missing, .* cactus"),
        (wrote(tmp_path, "d.json", []), None, "nothing in it"),
        (wrote(tmp_path, "c.csv", b"id,words\n1,x\n"), None, "table"),
    ):
        with pytest.raises(InputError, match=named):
            list(read_dialogues(place, form))


FIELDS = ["id", "content", "role", "text", "event", "dialogue", "dialog", "cases", "prompts", "messages", "turns"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([None, *format_names()])


def read_any(folder: Path, content: Any, form: str | None, suffix: str) -> None:
    bad: list[InputError] = []
    for dialogue in read_dialogues(wrote(folder, f"any{suffix}", content), form, on_bad=bad.append):
        assert dialogue.turns
    assert all(error.file and error.fix for error in bad)


@given(content=st.binary(max_size=400), form=NAMES, suffix=st.sampled_from([".txt", ".json", ".jsonl", ".csv", ""]))
def test_no_bytes_break_a_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, form: str | None, suffix: str
) -> None:
    read_any(tmp_path_factory.getbasetemp(), content, form, suffix)


@given(value=JSON_VALUES, form=NAMES, suffix=st.sampled_from([".json", ".jsonl", ""]))
def test_no_json_breaks_a_reader(
    tmp_path_factory: pytest.TempPathFactory, value: Any, form: str | None, suffix: str
) -> None:
    read_any(tmp_path_factory.getbasetemp(), value, form, suffix)
