from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from counselgraph.memory import Kind
from counselgraph.memory.kept import PORTRAIT_CHARACTERS, Fault, Kept, KeptItem, Origin, checked
from counselgraph.transcript import CLIENT, COUNSELOR, turn

ORIGIN = Origin(owner="counselor", client_id="mina", session="s2", session_number=2, day=7.0)
MESSAGES = [
    turn(COUNSELOR, "What brings you here?", exchange=0),
    turn(CLIENT, "I\u2019ve lost   my job at the Bakery, and I can\u2019t sleep.", exchange=1),
    turn(COUNSELOR, "Would you write down three thoughts until next week?", exchange=1),
    turn(CLIENT, "I will.", exchange=2),
]


def item(**fields: Any) -> KeptItem:
    base = {
        "kind": "fact", "text": "She lost her job.", "exchange": 1, "role": "client", "quote": "lost my job",
        "importance": 4, "subject": "",
    }  # fmt: skip
    return KeptItem.model_validate(base | fields)


def check(*items: KeptItem) -> tuple[list[str], list[Fault]]:
    found = checked(Kept(items=items), MESSAGES, ORIGIN)
    return [record.text for record in found.records], [dropped.fault for dropped in found.dropped]


def test_an_item_becomes_a_memory_with_its_source_turn() -> None:
    (record,) = checked(Kept(items=(item(subject="  Her  Job "),)), MESSAGES, ORIGIN).records
    assert record.source_turn == (1, "client")
    assert (record.owner, record.client_id, record.session, record.session_number) == ("counselor", "mina", "s2", 2)
    assert (record.day, record.importance, record.subject, record.open) == (7.0, 4, "her job", False)


@pytest.mark.parametrize("quote", ["lost my job", "I've LOST my  job", "'lost my job ...'", "I\u2019ve lost my job"])
def test_a_quote_may_differ_in_case_space_and_marks(quote: str) -> None:
    assert check(item(quote=quote)) == (["She lost her job."], [])


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"exchange": 9}, Fault.NO_SUCH_TURN),
        ({"role": "father"}, Fault.NO_SUCH_TURN),
        ({"quote": "lost my house"}, Fault.NOT_SAID),
        ({"role": "counselor"}, Fault.NOT_SAID),
        ({"exchange": 2}, Fault.NOT_SAID),
        ({"quote": " ... "}, Fault.EMPTY),
        ({"text": "  "}, Fault.EMPTY),
    ],
)
def test_an_item_without_its_source_turn_is_dropped_and_reported(fields: dict[str, Any], fault: Fault) -> None:
    assert check(item(**fields), item(text="Kept.")) == (["Kept."], [fault])


@pytest.mark.parametrize("kind", ["homework", "promise"])
def test_homework_and_promises_are_owed(kind: str) -> None:
    task = item(kind=kind, role="counselor", quote="write down three thoughts")
    (record,) = checked(Kept(items=(task,)), MESSAGES, ORIGIN).records
    assert record.open
    assert record.kind is Kind(kind)


@pytest.mark.parametrize("fields", [{"kind": "summary"}, {"importance": 0}, {"importance": 6}, {"exchange": -1}])
def test_what_a_summariser_may_not_say_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        item(**fields)


def test_the_schema_names_every_field_as_required() -> None:
    schema = Kept.model_json_schema()["$defs"]["KeptItem"]
    assert set(schema["required"]) == set(KeptItem.model_fields)
    assert schema["additionalProperties"] is False


def test_a_portrait_is_a_memory_of_the_session_as_a_whole() -> None:
    (record,) = checked(Kept(items=(), portrait=" A baker\n without a job. "), MESSAGES, ORIGIN).records
    assert (record.kind, record.text, record.source_turn) == (Kind.PORTRAIT, "A baker without a job.", None)
    assert (record.session, record.session_number, record.exchange, record.day) == ("s2", 2, 2, 7.0)


def test_without_a_portrait_none_is_kept_and_too_long_a_one_is_no_answer() -> None:
    assert checked(Kept(items=(), portrait="  "), MESSAGES, ORIGIN).records == ()
    assert Kept.model_validate_json('{"items": []}').portrait == ""
    with pytest.raises(ValidationError):
        Kept(items=(), portrait="a" * (PORTRAIT_CHARACTERS + 1))
