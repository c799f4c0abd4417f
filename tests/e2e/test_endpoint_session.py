"""Whole runs against a real server that speaks the OpenAI protocol: what goes over the wire, and what must not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from counselgraph import Models, Persona, RunResult, RunSpec, load_personas, read_run, run_sync
from counselgraph.models.endpoint import ClientKind
from counselgraph.personas import dump_persona
from counselgraph.personas.persona import Conceptualization, Disclosure, History, Intake, RiskProfile, When
from counselgraph.runner.log import SessionRecord
from counselgraph.testing import sample_persona
from tests.e2e.helpers import counselgraph as command
from tests.e2e.helpers import fake_flags, manifest, refused, serving, transcripts, write_clients
from tests.fakes.openai_server import FakeOpenAI, Fault, Recorded

CLIENTS: tuple[ClientKind, ...] = ("fast", "stock")
STARTS = {
    "client": "You play a client",
    "counselor": "You are a counselor",
    "planner": "You plan a session",
    "monitor": "You watch over",
}
Prompt: TypeAlias = Sequence[dict[str, Any]]
CLIENTS_OWN = tuple(f"the quiet {thing}" for thing in ("orchard", "ferry", "attic", "ledger", "violin", "harbour"))
INTAKES_OWN = "the registrar's yellow slip"
PLANS_OWN = {"focus": "the northern focus", "hypothesis": "the hidden hinge", "reason": "the planner's own ground"}

SIGN = {"side": "client", "level": 2, "category": "SI_PASSIVE", "subject": "self", "time": "now"}
"""What the monitor sees in every client turn."""


@dataclass(frozen=True)
class Wire:
    """A run and everything that was sent for it."""

    result: RunResult
    requests: list[Recorded]

    def of(self, *roles: str) -> list[Prompt]:
        """The messages of every request of some roles."""
        return [request.messages for request in self.requests if role_of(request) in roles]

    @property
    def records(self) -> list[SessionRecord]:
        return list(read_run(self.result.out))


def role_of(request: Recorded) -> str:
    system = request.messages[0]["content"]
    return next(role for role, start in STARTS.items() if system.startswith(start))


def words_of(messages: Prompt) -> str:
    return "\n".join(message["content"] for message in messages)


def secretive() -> Persona:
    """A client with a phrase of its own in every part that nobody else may read."""
    life, core, untold, asked, other, recorded = CLIENTS_OWN
    return sample_persona().model_copy(
        update={
            "history": History(life=f"I grew up beside {life}."),
            "conceptualization": Conceptualization(core_beliefs=(f"I am worth less than {core}.",)),
            "disclosures": (Disclosure(topic="aunt", text=f"She locked me into {untold}.", when=When.ASKED_DIRECTLY),),
            "risk": RiskProfile(on_direct_question=f"No, I only think of {asked}."),
            "other": {"Notes": f"Still dreams of {other}."},
            "attitude_instruction": f"You answer as slowly as {recorded}.",
            "intake": Intake(name="Robin", client_information=f"Came with {INTAKES_OWN}."),
        }
    )  # fmt: skip


def play(server: FakeOpenAI, place: Path, **options) -> Wire:
    spec = RunSpec(**{"model": "vllm/fake", "base_url": server.base_url, "memory": "none", "seed": 4, **options})
    with serving(server):
        live = spec.model_copy(update={"base_url": server.base_url, "out": place / "run"})
        return Wire(run_sync(live), list(server.requests))


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    """Three sessions with every built-in role, planted phrases and a standing sign of risk."""
    place = tmp_path_factory.mktemp("wire")
    write_clients(place / "people", 2)
    (place / "people" / "secretive.yaml").write_text(dump_persona(secretive()), encoding="utf-8")
    server = FakeOpenAI(values={**PLANS_OWN, **SIGN})
    return play(
        server, place, personas=str(place / "people"), roles=("monitor",), max_exchanges=6, memory=str(place / "kept")
    )


def test_every_session_ends_with_a_typed_plan(wire: Wire) -> None:
    assert wire.result.failed == {}
    assert len(wire.records) == 3
    for record in wire.records:
        assert record.end is not None
        assert record.end["stop"] in {"completed", "max_exchanges"}
        assert record.of("plan")[0]["focus"] == PLANS_OWN["focus"]
        assert record.end["usage"]["prompt_tokens"] > 0
    assert wire.result.summary.usage.calls == len(wire.requests)


def test_requests_are_laid_out_system_dialogue_card(wire: Wire) -> None:
    for messages in wire.of(*STARTS):
        kinds = [message["role"] for message in messages]
        assert kinds[:2] == ["system", "user"]
        assert kinds[-1] == "user"
        assert all(one != other for one, other in pairwise(kinds[1:]))
        assert all(isinstance(message["content"], str) and message["content"].strip() for message in messages)
    for messages in wire.of("counselor", "planner"):
        assert messages[-1]["content"].endswith("]")


def test_only_typed_roles_ask_for_a_schema_and_every_request_has_a_seed_of_its_own(wire: Wire) -> None:
    for request in wire.requests:
        asked = request.body.get("response_format", {}).get("type")
        assert asked == ("json_schema" if role_of(request) in {"planner", "monitor"} else None)
    seeds = [request.body["seed"] for request in wire.requests]
    assert all(0 <= seed < 2**63 for seed in seeds)
    # A draft that was thrown away with the turn it answers is asked for again under its seed, with another prompt.
    asked = {(seed, words_of(request.body["messages"])) for seed, request in zip(seeds, wire.requests, strict=True)}
    assert len(asked) == len(seeds)
    assert len(seeds) - len(set(seeds)) == sum(len(record.of("discard")) for record in wire.records)


@pytest.mark.parametrize("opens", ["counselor", "client"])
def test_the_clients_first_line_is_never_dropped(tmp_path: Path, opens: str) -> None:
    people = write_clients(tmp_path / "people", 1)
    wire = play(FakeOpenAI(), tmp_path, personas=str(people), opens=opens, max_exchanges=5, min_exchanges=5)
    (record,) = wire.records
    first = next(turn["text"] for turn in record.turns if turn["role"] == "client")
    answers = [messages for messages in wire.of("counselor") if len(messages) > 2 or opens == "client"]
    assert len(answers) >= 4
    assert all(first in words_of([m for m in messages if m["role"] == "user"]) for messages in answers)
    asked = [messages for messages in wire.of("client") if len(messages) > 3]
    assert all(first in words_of([m for m in messages if m["role"] == "assistant"]) for messages in asked)


def test_what_stays_comes_before_what_changes(wire: Wire) -> None:
    """A prefix cache can reuse all but the last turn: a later request of a role repeats the earlier one."""
    for role in ("client", "counselor"):
        sessions: dict[str, list[Prompt]] = {}
        for messages in wire.of(role):
            sessions.setdefault(messages[0]["content"], []).append(messages)
        assert len(sessions) == 3
        for requests in sessions.values():
            for earlier, later in pairwise(requests):
                assert later[: len(earlier) - 1] == earlier[:-1]


def test_nothing_of_the_counselors_side_reaches_the_client(wire: Wire) -> None:
    told = [words_of(messages) for messages in wire.of("client")]
    calls = [event for record in wire.records for event in record.of("model_call")]
    counselors = {event["card"] for event in calls if event["role"] != "client"}
    notes = {kept["text"] for record in wire.records for kept in memories_of(record, "counselor")}
    notes -= {kept["text"] for record in wire.records for kept in memories_of(record, "client")}
    assert len(told) > 9
    assert len(counselors) > 5
    assert any("A sign of risk" in note for note in notes)
    for secret in (INTAKES_OWN, *PLANS_OWN.values(), *counselors, *notes):
        assert not any(secret in words for words in told), secret


def memories_of(record: SessionRecord, owner: str) -> Iterator[dict[str, str]]:
    for event in record.of("memory"):
        if event["role"] == owner:
            yield from event["records"]


def test_nothing_of_the_persona_reaches_anybody_but_the_client(wire: Wire) -> None:
    told = [words_of(messages) for messages in wire.of("counselor", "planner", "monitor")]
    assert {role_of(request) for request in wire.requests} == set(STARTS)
    for secret in CLIENTS_OWN:
        assert not any(secret in words for words in told), secret
        assert any(secret in words_of(messages) for messages in wire.of("client")), f"{secret} was not planted"
    assert any(INTAKES_OWN in words for words in told)


def test_a_second_session_tells_neither_side_what_the_other_remembers(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 1)
    options = {"personas": str(people), "memory": str(tmp_path / "kept"), "max_exchanges": 6}
    first = play(FakeOpenAI(values=PLANS_OWN), tmp_path / "one", **options)
    second = play(FakeOpenAI(values=PLANS_OWN), tmp_path / "two", seed=9, **options)
    (before,) = first.records
    aloud = {turn["text"] for turn in before.turns}
    for owner, other in (("client", "counselor"), ("counselor", "client")):
        own = {kept["text"] for kept in memories_of(before, owner)}
        others = {kept["text"] for kept in memories_of(before, other)} - own - aloud
        assert own
        assert others
        assert any(text in words_of(messages) for text in own for messages in second.of(owner))
        assert not any(text in words_of(messages) for text in others for messages in second.of(owner))
    plan = PLANS_OWN["focus"]
    assert not any(plan in words_of(messages) for messages in second.of("client"))


def test_server_errors_are_tried_again_and_counted(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 1)
    server = FakeOpenAI(faults={2: Fault.SERVER_ERROR, 6: Fault.RATE_LIMITED, 9: Fault.DISCONNECT})
    wire = play(server, tmp_path, personas=str(people), max_exchanges=4)
    assert wire.result.failed == {}
    assert wire.result.summary.retries == 3
    (record,) = wire.records
    assert len(record.of("retry")) == 3
    assert len(wire.requests) == wire.result.summary.usage.calls + 3


def test_both_clients_send_the_same_and_get_the_same(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 2)
    found = []
    for client in CLIENTS:
        with serving(FakeOpenAI(values={**PLANS_OWN, **SIGN})) as server:
            options = {"personas": str(people), "roles": ("monitor",), "max_exchanges": 4, "memory": "none"}
            spec = RunSpec(model="vllm/fake", base_url=server.base_url, out=tmp_path / client, **options)
            run_sync(spec, models=Models(server.base_url, client=client))
        sent = sorted(json.dumps(request.body, sort_keys=True) for request in server.requests)
        told = [turn["text"] for record in read_run(tmp_path / client) for turn in record.turns]
        found.append((sent, told))
    assert found[0] == found[1]
    assert len(found[0][0]) > 20


def test_sessions_share_two_servers_and_outlive_one(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 4)
    options = {"model": "vllm/fake", "personas": str(people), "max_exchanges": 5, "memory": "none", "seed": 4}
    with serving(FakeOpenAI()) as alone:
        run_sync(RunSpec(base_url=alone.base_url, out=tmp_path / "alone", **options))
    # The third call that the second server is asked, and every later one, is broken off.
    broken = FakeOpenAI(faults={1: None, 2: None}, always=Fault.DISCONNECT)
    with serving(FakeOpenAI()) as one, serving(broken) as two:
        spec = RunSpec(base_url=f"{one.base_url},{two.base_url}", out=tmp_path / "both", **options)
        result = run_sync(spec)
    assert result.failed == {}
    assert len(two.requests) > 2
    assert transcripts(tmp_path / "both") == transcripts(tmp_path / "alone")
    limits = [event for record in read_run(tmp_path / "both") for event in record.of("limit")]
    assert {(event["limit"], event["address"]) for event in limits} == {("endpoint", two.base_url)}
    described: Any = manifest(tmp_path / "both")["servers"]
    assert [server["base_url"] for server in described["vllm/fake"]["servers"]] == [one.base_url, two.base_url]


def test_a_plan_that_does_not_parse_twice_fails_its_session_and_no_other(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 2)
    server = FakeOpenAI(faults={3: Fault.BROKEN_TYPED, 4: Fault.BROKEN_TYPED})  # the first session's first plan
    with serving(server):
        flags = (*fake_flags(server), "--concurrency", 1, "--max-exchanges", 4, "--memory", "none")
        result = command("run", "--personas", "people", *flags, "--out", "a", cwd=tmp_path)
    refused(result, "failed: client-01: ModelError", code=1)
    failed, fine = read_run(tmp_path / "a")
    assert failed.end is not None
    assert failed.end["stop"] == "model_error"
    assert failed.end["repairs"] == 1
    assert [event["type"] for event in failed.of("error")] == ["ModelError"]
    assert fine.end is not None
    assert fine.end["stop"] in {"completed", "max_exchanges"}


def test_an_unusable_answer_is_repaired_once(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 1)
    server = FakeOpenAI(
        faults={1: Fault.EMPTY, 3: Fault.BROKEN_TYPED, 4: Fault.BROKEN_TYPED}
    )  # 3 and 4: client and planner
    wire = play(server, tmp_path, personas=str(people), max_exchanges=4)
    assert wire.result.failed == {}
    assert wire.result.summary.repairs == 2


def test_a_monitor_that_mistakes_the_side_fails_no_session(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 1)
    server = FakeOpenAI(values={**SIGN, "side": "counselor"})
    wire = play(server, tmp_path, personas=str(people), roles=("monitor",), max_exchanges=3)
    assert wire.result.failed == {}
    assert wire.result.summary.highest_risk == {2: 1}


def test_reasoning_blocks_never_enter_the_transcript(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 1)
    wire = play(FakeOpenAI(always=Fault.THINK), tmp_path, personas=str(people), max_exchanges=4)
    assert wire.result.failed == {}
    assert not any("think" in turn["text"] for record in wire.records for turn in record.turns)
    assert not any("<think>" in words_of(messages) for messages in wire.of(*STARTS))


def test_a_key_is_optional_and_is_not_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = write_clients(tmp_path / "people", 1)
    options = {"personas": str(people), "max_exchanges": 2}
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    assert play(FakeOpenAI(), tmp_path / "without", **options).result.failed == {}
    monkeypatch.setenv("VLLM_API_KEY", "sk-of-ours")
    wire = play(FakeOpenAI(), tmp_path / "with", **options)
    assert {request.headers["Authorization"] for request in wire.requests} == {"Bearer sk-of-ours"}
    files = [file for file in wire.result.out.rglob("*") if file.is_file()]
    assert files
    assert not any(b"sk-of-ours" in file.read_bytes() for file in files)


def test_replicates_are_sessions_of_their_own(tmp_path: Path) -> None:
    people = write_clients(tmp_path / "people", 1)
    wire = play(FakeOpenAI(), tmp_path, personas=str(people), replicates=3, max_exchanges=3)
    told = {tuple(turn["text"] for turn in record.turns) for record in wire.records}
    assert len(told) == 3


def test_personas_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "secretive.yaml"
    file.write_text(dump_persona(secretive()), encoding="utf-8")
    (read,) = load_personas(file).personas
    assert read.model_copy(update={"source": None}) == secretive()
