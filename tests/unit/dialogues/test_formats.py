"""Every format in words of our own: how it is recognised, and that no turn is lost."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from counselgraph.dialogues import Dialogue, format_names, read_dialogues
from counselgraph.said import Said

PAIR = (Said("counselor", "How was the week?"), Said("client", "Long. I hardly slept."))
ANNOMI = (
    "transcript_id,mi_quality,utterance_id,interlocutor,utterance_text\n"
    '7,high,1,client,"Long.\nI hardly slept."\n3,low,0,client,Hi.\n7,high,0,therapist,How was the week?\n'
)


def turns(role: str, words: str, *, client: str = "client", counselor: str = "counselor") -> list[dict[str, str]]:
    return [{role: counselor, words: "How was the week?"}, {role: client, words: "Long. I hardly slept."}]


LABELLED = "Counselor: How was the week?\nClient: Long. I hardly slept."
MARKED = "**Counselor:** How was the week?\n\n**Client:** Long. I hardly slept."
SYSTEM = {"role": "system", "content": "Be kind."}

RECORDS: dict[str, tuple[str, Any]] = {
    "content": ("jsonl", {"content": turns("role", "text")}),
    "content-synonyms": ("jsonl", {"content": turns("role", "text", client="Seeker", counselor="Therapist")}),
    "content-chat": ("jsonl", {"content": turns("role", "content", client="user", counselor="assistant")}),
    "export": ("jsonl", {"turns": turns("role", "text"), "technique": None}),
    "magnet": ("magnet", {"dialogue": turns("role", "message"), "cbt_plan": "..."}),
    "cactus-history": ("cactus", {"example": {}, "history": turns("role", "message")}),
    "cactus-text": ("cactus", {"dialogue": LABELLED}),
    "cactus-markdown": ("cactus", {"dialogue": MARKED}),
    "cactus-intake": (
        "cactus",
        {"AI_client": {"dialogue_history": None, "dialogue_history_init": LABELLED}},
    ),
    "kokorochat": ("kokorochat", {"dialogue": turns("role", "utterance"), "topic": "sleep"}),
    "esconv": ("esconv", {"dialog": turns("speaker", "content", client="speaker", counselor="listener")}),
    "esconv-original": ("esconv", {"dialog": turns("speaker", "content", client="seeker", counselor="supporter")}),
    "chatml": (
        "chatml",
        {"messages": [SYSTEM, *turns("role", "content", client="user", counselor="assistant")]},
    ),
    "sharegpt": ("sharegpt", {"conversations": turns("from", "value", client="human", counselor="gpt")}),
    "chatml-of-the-client": (
        "chatml",
        {"seat": "client", "messages": turns("role", "content", client="assistant", counselor="user")},
    ),
    "sharegpt-of-the-client": (
        "sharegpt",
        {
            "conversations": [
                {"from": "system", "value": "You are the client in a simulated counseling session."},
                *turns("from", "value", client="gpt", counselor="human"),
            ]
        },
    ),
}  # fmt: skip


def wrote(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def all_of(place: Any, form: str | None = None) -> list[Dialogue]:
    return list(read_dialogues(place, form))


@pytest.mark.parametrize("kind", RECORDS)
@pytest.mark.parametrize("layout", ["line", "lines", "list", "indented", "document"])
def test_a_record_is_recognised_in_every_layout(tmp_path: Path, kind: str, layout: str) -> None:
    name, record = RECORDS[kind]
    named = json.dumps({"id": "b", **record}, ensure_ascii=False)
    content, ids = {
        "line": (json.dumps(record) + "\n", [1]),
        "lines": ("\ufeff" + json.dumps(record) + "\r\n\n" + named, [1, "b"]),
        "list": (json.dumps([record, {"id": 8, **record}]), [1, 8]),
        "indented": (json.dumps([record, record], indent=2), [1, 2]),
        "document": (json.dumps(record, indent=1), ["week"]),
    }[layout]  # fmt: skip
    file = wrote(tmp_path, "week.jsonl" if layout.startswith("line") else "week.json", content)
    assert [dialogue.id for dialogue in all_of(file)] == ids
    assert all(dialogue.turns == PAIR for dialogue in all_of(file))
    assert all_of(file) == all_of(file, name)


def test_every_format_has_a_test_here() -> None:
    other = {"text", "session", "annomi", "cpsycoune", "psychosis-bench"}
    assert {name for name, _ in RECORDS.values()} | other == set(format_names())


def test_a_line_of_text_is_a_turn_without_a_speaker(tmp_path: Path) -> None:
    file = wrote(tmp_path, "said.txt", "First.\r\n\n  \nSecond, with a\u2028mark in it.\n[sighs] Third.")
    assert all_of(file) == [
        Dialogue(1, (Said("", "First."),)),
        Dialogue(4, (Said("", "Second, with a\u2028mark in it."),)),
        Dialogue(5, (Said("", "[sighs] Third."),)),
    ]


def test_text_may_begin_with_a_bracket(tmp_path: Path) -> None:
    file = wrote(tmp_path, "said.txt", "[sighs] I am tired.\n")
    assert all_of(file) == [Dialogue(1, (Said("", "[sighs] I am tired."),))]


def test_a_string_is_a_turn_without_a_speaker_and_may_be_empty(tmp_path: Path) -> None:
    file = wrote(
        tmp_path, "a.jsonl", '{"id": 4, "content": "x"}\n{"id": null, "content": ""}\n{"content": "z", "id": 2.5}'
    )
    assert all_of(file) == [
        Dialogue(4, (Said("", "x"),)),
        Dialogue(2, (Said("", ""),)),
        Dialogue(2.5, (Said("", "z"),)),
    ]


def test_a_bare_list_of_turns_is_one_dialogue(tmp_path: Path) -> None:
    file = wrote(tmp_path, "week.json", json.dumps(turns("role", "text")))
    assert all_of(file) == [Dialogue("week", PAIR)]


def test_a_speaker_that_is_not_known_keeps_its_name(tmp_path: Path) -> None:
    said = [{"role": "Mother", "text": "She does not eat."}, {"role": "Help-Seeker", "text": "I do."}]
    file = wrote(tmp_path, "a.jsonl", json.dumps({"content": said}))
    assert [turn.role for turn in all_of(file)[0].turns] == ["mother", "client"]


def test_annomi_is_put_in_order_session_by_session(tmp_path: Path) -> None:
    file = wrote(tmp_path, "table.csv", ANNOMI)
    assert all_of(file) == [
        Dialogue("7", (Said("counselor", "How was the week?"), Said("client", "Long.\nI hardly slept."))),
        Dialogue("3", (Said("client", "Hi."),)),
    ]
    assert all_of(file) == all_of(io.BytesIO(ANNOMI.encode()))


def test_cpsycoune_is_a_list_of_lines(tmp_path: Path) -> None:
    lines = ["求助者\uff1a我睡不好。", "支持者: 多久了?"]
    expected = (Said("client", "我睡不好。"), Said("counselor", "多久了?"))
    assert all_of(wrote(tmp_path, "3.json", json.dumps(lines))) == [Dialogue("3", expected)]
    assert [one.turns for one in all_of(wrote(tmp_path, "all.json", json.dumps([lines, lines])))] == [expected] * 2


def test_several_utterances_of_one_speaker_are_several_turns(tmp_path: Path) -> None:
    said = [{"role": "client", "utterances": ["眠れません", "ずっとです"]}, {"role": "counselor", "utterance": "はい"}]
    (found,) = all_of(wrote(tmp_path, "k.json", json.dumps({"dialogue": said})))
    assert found.turns == (Said("client", "眠れません"), Said("client", "ずっとです"), Said("counselor", "はい"))


def test_psychosis_bench_is_client_turns_alone(tmp_path: Path) -> None:
    cases = {"version": "1", "cases": [{"id": "a", "prompts": ["One.", "Two."]}, {"id": "b", "prompts": ["Three."]}]}
    assert all_of(wrote(tmp_path, "cases.json", json.dumps(cases))) == [
        Dialogue("a", (Said("client", "One."), Said("client", "Two."))),
        Dialogue("b", (Said("client", "Three."),)),
    ]


def test_a_labelled_text_may_have_turns_of_several_lines(tmp_path: Path) -> None:
    record = {"dialogue": "\nCounselor: How\n  was it?\nclient\uff1a Fine: quite.\n\nReally."}
    (found,) = all_of(wrote(tmp_path, "a.json", json.dumps(record)))
    assert found.turns == (Said("counselor", "How\n  was it?"), Said("client", "Fine: quite.\n\nReally."))


def test_standard_input_is_recognised_line_by_line() -> None:
    stream = io.BytesIO(b'{"id": "a", "content": "x"}\n{"id": "b", "content": "y"}\n')
    assert [dialogue.id for dialogue in read_dialogues(stream)] == ["a", "b"]


def test_lines_are_read_as_they_are_needed() -> None:
    def endless() -> Any:
        while True:
            yield b'{"content": "x"}\n'

    found = read_dialogues(endless())
    assert [next(found).id for _ in range(3)] == [1, 2, 3]


def test_half_a_surrogate_pair_is_read_as_a_replacement_character(tmp_path: Path) -> None:
    file = wrote(tmp_path, "a.jsonl", '{"content": "so \\ud83d tired \\ud83d\\ude00"}')
    assert all_of(file)[0].turns == (Said("", "so \ufffd tired \U0001f600"),)


def test_a_folder_names_each_dialogue_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    wrote(tmp_path / "deep", "one.json", json.dumps({"dialogue": turns("role", "message")}))
    wrote(tmp_path, "many.jsonl", '{"id": 5, "content": "x"}\n{"content": "y"}\n')
    wrote(tmp_path, "README.md", "not read")
    wrote(tmp_path, ".hidden.json", "not read")
    assert [dialogue.id for dialogue in all_of(tmp_path)] == ["deep/one", "many/5", "many/2"]
