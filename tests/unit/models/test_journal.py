from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from counselgraph.errors import InfrastructureError, InputError, ModelError
from counselgraph.models.base import Answer, Request, Usage
from counselgraph.models.journal import Entry, Journal, journaled, key_of, read
from tests.unit.models.conftest import MakeRequest


class Counted(BaseModel):
    n: int


class Counting:
    """Answers with the number of the call."""

    name = "counting"

    def __init__(self) -> None:
        self.calls = 0

    async def answer(self, request: Request) -> Answer:
        self.calls += 1
        number = self.calls
        await asyncio.sleep(0)
        return Answer(text=f"{request.role} {number}", usage=Usage(calls=1, prompt_tokens=10, completion_tokens=3))


class Failing:
    name = "counting"

    async def answer(self, request: Request) -> Answer:
        raise ModelError(f"no words for {request.role}")


def entry(key: str = "k", text: str = "a") -> Entry:
    return Entry(key=key, role="client", exchange=1, call=0, model="m", text=text)


async def test_a_second_run_asks_nothing_and_answers_the_same(tmp_path: Path, make_request: MakeRequest) -> None:
    model = Counting()
    requests = [make_request(exchange=number) for number in range(5)]
    with Journal(tmp_path / "journal" / "s1.jsonl") as journal:
        first = [await journaled(model, journal).answer(request) for request in requests]
    with Journal(tmp_path / "journal" / "s1.jsonl") as journal:
        second = [await journaled(model, journal).answer(request) for request in requests]
    assert model.calls == 5
    assert [answer.text for answer in second] == [answer.text for answer in first]
    assert [answer.usage for answer in second] == [answer.usage for answer in first]
    assert not any(answer.journaled for answer in first)
    assert all(answer.journaled for answer in second)


async def test_a_line_says_who_answered_what_and_where(tmp_path: Path, make_request: MakeRequest) -> None:
    with Journal(tmp_path / "s1.jsonl") as journal:
        await journaled(Counting(), journal).answer(make_request(exchange=3, call=1))
    assert json.loads((tmp_path / "s1.jsonl").read_text()) == {
        "key": key_of(make_request(exchange=3, call=1), "counting"),
        "role": "client",
        "exchange": 3,
        "call": 1,
        "model": "counting",
        "text": "client 1",
        "end": None,
        "usage": {"calls": 1, "prompt_tokens": 10, "cached_tokens": 0, "completion_tokens": 3},
    }


async def test_an_answer_is_on_file_before_it_is_returned(tmp_path: Path, make_request: MakeRequest) -> None:
    with Journal(tmp_path / "s1.jsonl") as journal:
        answer = await journaled(Counting(), journal).answer(make_request())
        assert [line.text for line in read(tmp_path / "s1.jsonl")] == [answer.text]


async def test_errors_are_not_recorded(tmp_path: Path, make_request: MakeRequest) -> None:
    with Journal(tmp_path / "s1.jsonl") as journal:
        with pytest.raises(ModelError):
            await journaled(Failing(), journal).answer(make_request())
        assert (await journaled(Counting(), journal).answer(make_request())).text == "client 1"
    assert len(read(tmp_path / "s1.jsonl")) == 1


async def test_end_survives_the_journal(tmp_path: Path, make_request: MakeRequest) -> None:
    class Leaving:
        name = "leaving"

        async def answer(self, _request: Request) -> Answer:
            return Answer(text="Goodbye.", end="said goodbye")

    for _ in range(2):
        with Journal(tmp_path / "s1.jsonl") as journal:
            answer = await journaled(Leaving(), journal).answer(make_request())
    assert (answer.text, answer.end, answer.journaled) == ("Goodbye.", "said goodbye", True)


@pytest.mark.parametrize("torn", [b'{"key":"k2","role":"cl', b"\x00" * 40, entry("k2").model_dump_json().encode()])
def test_a_torn_last_line_is_cut_off_and_the_next_answer_starts_clean(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "s1.jsonl"
    whole = entry("k1").model_dump_json().encode() + b"\n"
    path.write_bytes(whole + torn)
    assert [line.key for line in read(path)] == ["k1"]
    with Journal(path) as journal:
        assert path.read_bytes() == whole
        assert len(journal) == 1
        journal.add(entry("k2"))
    assert [line.key for line in read(path)] == ["k1", "k2"]


def test_every_cut_of_a_journal_can_be_opened(tmp_path: Path) -> None:
    whole = b"".join(entry(f"k{n}", "ü\n\u2028x").model_dump_json().encode() + b"\n" for n in range(3))
    path = tmp_path / "s1.jsonl"
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        with Journal(path) as journal:
            assert len(journal) == whole[:length].count(b"\n")


def test_damage_before_the_last_line_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    good = entry().model_dump_json()
    path.write_text(f"{good}\n{good[:20]}\n{good}\n")
    with pytest.raises(InputError) as caught:
        Journal(path)
    assert (caught.value.file, caught.value.record) == (str(path), 2)


def test_reading_a_missing_journal_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read(tmp_path / "none.jsonl")


async def test_many_tasks_share_one_journal(tmp_path: Path, make_request: MakeRequest) -> None:
    model = Counting()
    path = tmp_path / "s1.jsonl"
    with Journal(path) as journal:
        behind = journaled(model, journal)
        await asyncio.gather(*(behind.answer(make_request(exchange=n, seed=n)) for n in range(200)))
    assert sorted(line.exchange for line in read(path)) == list(range(200))


async def test_tasks_that_ask_the_same_at_once_get_the_recorded_answer(
    tmp_path: Path, make_request: MakeRequest
) -> None:
    with Journal(tmp_path / "s1.jsonl") as journal:
        behind = journaled(Counting(), journal)
        answers = await asyncio.gather(*(behind.answer(make_request()) for _ in range(3)))
    assert {answer.text for answer in answers} == {"client 1"}
    assert [line.text for line in read(tmp_path / "s1.jsonl")] == ["client 1"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_infrastructure_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    with Journal(path) as journal:
        journal.add(entry("k1"))
        journal._file.close()
        journal._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115 (the journal closes it)
        with pytest.raises(InfrastructureError, match=r"s1\.jsonl"):
            journal.add(entry("k2"))
        assert journal.get("k2") is None


CHANGES = {
    "role": "planner",
    "exchange": 2,
    "call": 1,
    "seed": 8,
    "language": "de",
    "params": {"temperature": 0.1},
    "output": Counted,
    "messages": ({"role": "system", "content": "You are the client."}, {"role": "user", "content": "What brings you?"}),
}


@pytest.mark.parametrize("field", CHANGES)
def test_key_changes_with(field: str, make_request: MakeRequest) -> None:
    assert key_of(make_request(), "m") != key_of(make_request(**{field: CHANGES[field]}), "m")


def test_key_changes_with_the_model_and_with_where_a_message_ends(make_request: MakeRequest) -> None:
    one = make_request(messages=({"role": "user", "content": "a"}, {"role": "user", "content": "b"}))
    two = make_request(messages=({"role": "user", "content": "auser:1:b"},))
    three = make_request(messages=({"role": "user", "content": "ab"},))
    assert len({key_of(one, "m"), key_of(two, "m"), key_of(three, "m"), key_of(one, "n")}) == 4


def test_key_leaves_out_session_view_and_the_order_of_params(make_request: MakeRequest) -> None:
    one = make_request(params={"a": 1, "b": 2})
    two = make_request(params={"b": 2, "a": 1}, session="other", view={"exchange": 9})
    assert key_of(one, "m") == key_of(two, "m")


def test_key_is_the_same_in_another_process() -> None:
    code = (
        "from counselgraph.models.base import Request\n"
        "from counselgraph.models.journal import key_of\n"
        "from counselgraph.protocols.plan import PlanDecision\n"
        "messages = ({'role': 'system', 'content': 'caf\\u00e9'}, {'role': 'user', 'content': 'b'})\n"
        "request = Request(role='planner', messages=messages, output=PlanDecision, params={'x': 0.1, 'a': [1]})\n"
        "print(key_of(request, 'm'))\n"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64


def test_a_killed_process_repeats_no_recorded_call(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    code = (
        "import os, signal, sys\n"
        "from counselgraph.models.journal import Entry, Journal\n"
        "journal = Journal(sys.argv[1])\n"
        "for n in range(50):\n"
        "    journal.add(Entry(key=str(n), role='client', exchange=n, call=0, model='m', text='a'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with Journal(path) as journal:
        assert len(journal) == 50
