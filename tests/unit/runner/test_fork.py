"""Forks: what stays as it was, what changes, and what a fork of a fork is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from counselgraph import (
    Answer,
    InputError,
    MemoryStore,
    ModelError,
    Models,
    Request,
    RunSpec,
    SessionRecord,
    read_run,
    run_sync,
)
from counselgraph.runner.batch import RunResult
from counselgraph.runner.folder import RunFolder
from counselgraph.runner.fork import fork_sync
from counselgraph.runner.log import read_session
from counselgraph.safety.levels import Level, Side, Verdict
from tests.unit.runner.forks import CRISIS, RISKY, TALLY, Listening, forked, only, played, said, up_to


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parents to fork, each played once."""
    return tmp_path_factory.mktemp("parents")


@pytest.fixture(scope="module")
def parent(place: Path) -> Path:
    return played(place / "plain")


@pytest.fixture(scope="module")
def in_crisis(place: Path) -> Path:
    return played(place / "crisis", CRISIS)


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "screened by models": {"roles": ("monitor", "reviewer")},
    "in crisis": {"persona": CRISIS},
    "in crisis, screened by models": {"persona": CRISIS, "roles": ("monitor", "reviewer")},
    "opened by the client": {"opens": "client"},
    "with a role of its own": {"roles": (TALLY,)},
    "capped": {"max_exchanges": 1},
    "opened by recorded words": {"persona": "george-papadakis"},
    "another replicate": {"replicates": 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_unchanged_fork_comes_out_as_its_parent_did(tmp_path: Path, kind: str) -> None:
    played(tmp_path / "parent", **KINDS[kind])
    *_, original = read_run(tmp_path / "parent")
    assert original.end is not None
    first, last = original.turns[0]["exchange"], original.end["exchanges"]
    for at in {first, first + 1, (first + last) // 2, last - 1, last}:
        child = forked(tmp_path / "parent" / original.id, at, tmp_path / f"at{at}")
        assert child.end is not None
        assert said(child) == said(original)
        for field in ("stop", "by", "reason", "turns", "exchanges", "plans", "technique", "highest_risk"):
            assert child.end[field] == original.end[field]


class Strict(Listening):
    """Rehearsal whose screens flag single turns, so that the answers to them are thrown away."""

    async def answer(self, request: Request) -> Answer:
        flagged = {("monitor", 3): Level.PASSIVE, ("reviewer", 5): Level.INTENT, ("reviewer", 6): Level.ACTIVE}
        if request.role not in {"monitor", "reviewer"}:
            return await super().answer(request)
        level = flagged.get((request.role, request.exchange), Level.NONE)
        return Answer(text=Verdict(side=Side.CLIENT, level=level).model_dump_json())


def test_what_screens_threw_away_leaves_no_trace_in_a_fork(tmp_path: Path) -> None:
    spec = RunSpec(
        personas="builtin/claire-moreau", model="mine", roles=("monitor", "reviewer"), memory="none", out=tmp_path / "p"
    )
    run_sync(spec, models=Models(overrides={"mine": Strict()}))
    original = only(tmp_path / "p")
    assert len(original.of("discard")) >= 2
    for at in range(2, 8):
        child = forked(
            tmp_path / "p" / original.id, at, tmp_path / f"f{at}", models=Models(overrides={"mine": Strict()})
        )
        assert said(child) == said(original)


class Mute(Strict):
    """Rehearsal whose screens now and then have no answer that could be used, nor one when they are asked again."""

    async def answer(self, request: Request) -> Answer:
        if request.role in {"monitor", "reviewer"} and request.exchange % 2:
            raise ModelError("cut short")
        if request.role == "planner" and request.call == 0:
            raise ModelError("cut short")
        return await super().answer(request)


def test_what_could_not_be_used_is_not_asked_for_again(tmp_path: Path) -> None:
    roles = ("monitor", "reviewer")
    spec = RunSpec(personas="builtin/claire-moreau", model="mine", roles=roles, memory="none", out=tmp_path / "p")
    run_sync(spec, models=Models(overrides={"mine": Mute()}))
    original = only(tmp_path / "p")
    assert original.of("repair")
    for at in (3, 6):
        child = forked(tmp_path / "p" / original.id, at, tmp_path / f"f{at}", models=Models(overrides={"mine": Mute()}))
        assert said(child) == said(original)
        assert [risk["level"] for risk in child.of("risk")] == [risk["level"] for risk in original.of("risk")]


def test_what_is_inherited_is_marked_and_costs_nothing(parent: Path, tmp_path: Path) -> None:
    original, child = (
        read_session(parent.parent / "sessions" / f"{parent.name}.jsonl"),
        forked(parent, 4, tmp_path / "f"),
    )
    assert [turn.get("inherited", False) for turn in child.turns] == [turn["exchange"] <= 4 for turn in child.turns]
    own = [call for call in original.of("model_call") if call["exchange"] > 4]
    assert child.end is not None
    assert child.end["usage"]["calls"] == len(own) == len(child.of("model_call"))
    assert {call["seed"] for call in child.of("model_call")} == {call["seed"] for call in own}
    assert child.end["journaled"] == 0


def test_parent_and_child_are_linked_in_the_childs_log_and_the_parent_is_untouched(
    parent: Path, tmp_path: Path
) -> None:
    before = {file: file.read_bytes() for file in parent.parent.rglob("*") if file.is_file()}
    changes = {"persona.attitude": "negative", "params.temperature": 0.9, "seed": 8}
    child = forked(parent, 2, tmp_path / "f", say="And what did you do then?", changes=changes)
    assert child.id == f"{parent.name}-at2"
    told = {"say.counselor": "And what did you do then?", **changes}
    link = {"run": RunFolder(parent.parent).read()["run"], "session": parent.name, "at": 2, "changes": told}
    assert child.header["fork"] == link
    assert child.header["seed"] == 8
    assert child.header["persona"]["attitude"] == "negative"
    assert child.header["source"]["format"] == "builtin"
    (event,) = child.of("fork")
    assert (event["seq"], event["exchange"], event["fork"]) == (1, 2, link)
    assert {file: file.read_bytes() for file in parent.parent.rglob("*") if file.is_file()} == before


def test_another_line_of_the_counselor_leads_elsewhere(parent: Path, tmp_path: Path) -> None:
    line = "Before we go on, how have you been sleeping since Monday?"
    original = only(parent.parent)
    child = forked(parent, 3, tmp_path / "f", say=line)
    at = said(original).index(next(turn for turn in said(original) if turn[:2] == ("counselor", 3)))
    assert said(child)[:at] == said(original)[:at]
    assert said(child)[at] == ("counselor", 3, "turn", line)
    assert said(child)[at + 1] != said(original)[at + 1]
    assert "inherited" not in child.turns[at]


def test_another_line_of_the_client_is_answered_anew(parent: Path, tmp_path: Path) -> None:
    line = "Nothing of this has anything to do with work, it is about my father."
    original = only(parent.parent)
    child = forked(parent, 3, tmp_path / "f", say=line, role="client")
    at = said(child).index(("client", 3, "turn", line))
    assert said(child)[:at] == said(original)[:at]
    assert said(child)[at + 1][:2] == ("counselor", 3)
    assert said(child)[at + 1] != said(original)[at + 1]


@pytest.mark.parametrize("roles", [(), ("monitor", "reviewer")])
def test_a_line_of_the_client_is_screened(tmp_path: Path, roles: tuple[str, ...]) -> None:
    parent = played(tmp_path / "parent", roles=roles)
    child = forked(parent, 3, tmp_path / "f", say=RISKY, role="client")
    levels = {event["exchange"]: event["level"] for event in child.of("risk") if event["side"] == "client"}
    assert levels[2] == 0
    assert levels[3] >= 4
    assert child.end is not None
    assert child.end["stop"] == "crisis"
    assert [turn["kind"] for turn in child.turns if turn["exchange"] == 3] == ["turn", "crisis"]


@pytest.mark.parametrize("roles", [(), ("monitor", "reviewer")])
def test_a_line_of_the_counselor_that_must_not_be_said_is_written_anew(tmp_path: Path, roles: tuple[str, ...]) -> None:
    parent = played(tmp_path / "parent", roles=roles)
    child = forked(parent, 3, tmp_path / "f", say="You should stop taking your medication and go kill yourself.")
    (turn,) = (turn for turn in child.turns if (turn["role"], turn["exchange"]) == ("counselor", 3))
    assert turn["text"]
    assert "kill yourself" in child.of("reject")[0]["text"]
    assert "kill yourself" not in str(said(child))


def test_another_persona_holds_from_the_fork_on(parent: Path, tmp_path: Path) -> None:
    model = Listening()
    changes = {
        "model": "mine",
        "persona.attitude": "negative",
        "persona.style.verbosity": 1,
        "persona.demographics.occupation": "Lighthouse keeper",
        "persona.supports": ["The dog next door."],
    }
    child = forked(parent, 4, tmp_path / "f", changes=changes, models=Models(overrides={"mine": model}))
    assert up_to(said(child), 4) == up_to(said(only(parent.parent)), 4)
    assert said(child) != said(only(parent.parent))
    assert min(request.exchange for request in model.requests) == 5
    assert all("The dog next door." in prompt for prompt in model.prompts("client"))
    assert all("Lighthouse keeper" in prompt for prompt in model.prompts("counselor"))
    assert not any("dog next door" in told for told in model.told("counselor"))


def test_another_model_of_one_role_is_asked_for_that_role_alone(parent: Path, tmp_path: Path) -> None:
    model = Listening()
    overrides = {"mine": model}
    child = forked(parent, 5, tmp_path / "f", changes={"models.counselor": "mine"}, models=Models(overrides=overrides))
    assert {request.role for request in model.requests} == {"counselor"}
    assert said(child) == said(only(parent.parent))  # it thinks as the other one does
    assert child.header["models"] == {"default": "rehearsal", "counselor": "mine"}


def test_a_role_can_be_added_and_sees_nothing_of_what_was_before(parent: Path, tmp_path: Path) -> None:
    child = forked(parent, 5, tmp_path / "f", changes={"roles": ["monitor"]})
    assert {call["exchange"] for call in child.of("model_call") if call["role"] == "monitor"} >= {6, 7}
    assert min(call["exchange"] for call in child.of("model_call")) == 6


def test_a_higher_cap_lets_a_session_go_on_that_had_reached_its_own(tmp_path: Path) -> None:
    parent = played(tmp_path / "parent", max_exchanges=1)
    child = forked(parent, 1, tmp_path / "f", changes={"max_exchanges": 7})
    assert up_to(said(child), 1) == said(only(parent.parent))
    assert child.end is not None
    assert child.end["stop"] == "completed"
    assert child.end["exchanges"] > 1


def test_children_differ_and_come_out_the_same_again(parent: Path, tmp_path: Path) -> None:
    changes = {"persona.attitude": "negative"}
    fork_sync(parent, 3, children=3, changes=changes, out=tmp_path / "f")
    fork_sync(parent, 3, children=3, changes=changes, out=tmp_path / "again")
    children = {record.id: said(record) for record in read_run(tmp_path / "f")}
    assert list(children) == [f"{parent.name}-at3-{number}" for number in (1, 2, 3)]
    assert len({str(turns) for turns in children.values()}) == 3
    assert children == {record.id: said(record) for record in read_run(tmp_path / "again")}
    seeds = [record.header["seed"] for record in read_run(tmp_path / "f")]
    assert seeds[0] == 3
    assert len(set(seeds)) == 3


def test_one_child_is_the_first_of_several(parent: Path, tmp_path: Path) -> None:
    one = forked(parent, 3, tmp_path / "one", say="Tell me more about Monday.")
    fork_sync(parent, 3, say="Tell me more about Monday.", children=2, out=tmp_path / "two")
    assert said(next(read_run(tmp_path / "two"))) == said(one)


@pytest.mark.parametrize(("at", "line"), [(3, None), (4, "And then?"), (6, None), (6, "Who else knows?"), (8, None)])
def test_a_fork_of_a_fork_comes_out_as_that_fork_did(parent: Path, tmp_path: Path, at: int, line: str | None) -> None:
    changes = {"persona.attitude": "negative", "seed": 4}
    middle = forked(parent, 6, tmp_path / "middle", say="Who else knows?", changes=changes)
    child = forked(tmp_path / "middle" / middle.id, at, tmp_path / "child", say=line)
    assert up_to(said(child), at - 1) == up_to(said(middle), at - 1)
    assert child.header["fork"]["session"] == middle.id
    if at >= 6:
        assert said(child) == said(middle)
    else:  # before the first fork: the grandparent's turns, and then the client as the first fork has it
        assert said(child) != said(middle)
        assert child.header["persona"]["attitude"] == "negative"


def test_a_fork_of_a_fork_of_a_fork_needs_none_of_them(parent: Path, tmp_path: Path) -> None:
    first = forked(parent, 2, tmp_path / "first", say="What else?")
    second = forked(tmp_path / "first" / first.id, 4, tmp_path / "second", say=RISKY[:6], role="client")
    third = forked(tmp_path / "second" / second.id, 5, tmp_path / "third")
    shutil.rmtree(tmp_path / "first")
    shutil.rmtree(tmp_path / "second")
    (tmp_path / "third" / "sessions" / f"{third.id}.jsonl").unlink()
    (tmp_path / "third" / "journal" / f"{third.id}.jsonl").unlink()
    run_sync(RunFolder(tmp_path / "third").resumed())
    assert said(only(tmp_path / "third")) == said(third) == said(second)


def crisis_turns(record: SessionRecord) -> list[int]:
    return [turn["exchange"] for turn in record.turns if turn["kind"] == "crisis"]


def test_a_session_in_crisis_can_be_forked_before_and_stays_in_crisis_after(in_crisis: Path, tmp_path: Path) -> None:
    first = crisis_turns(only(in_crisis.parent))[0]
    calm = forked(in_crisis, first, tmp_path / "calm", say="It has been a long week, that is all.", role="client")
    assert not [turn for turn in calm.turns if turn["exchange"] == first and turn["kind"] == "crisis"]
    told = forked(in_crisis, first, tmp_path / "told", changes={"persona.risk.level": 0, "persona.risk.statements": []})
    assert told.end is not None
    assert told.end["stop"] == "crisis"


def test_nobody_speaks_in_the_place_of_the_crisis_protocol(in_crisis: Path, tmp_path: Path) -> None:
    first = crisis_turns(only(in_crisis.parent))[0]
    with pytest.raises(InputError, match="crisis protocol spoke in exchange"):
        fork_sync(in_crisis, first, say="Let us talk about something else.", out=tmp_path / "f")


def test_what_a_plugged_in_role_keeps_survives(tmp_path: Path) -> None:
    parent = played(tmp_path / "parent", roles=(TALLY,))
    child = forked(parent, 4, tmp_path / "f", say="One two three.")
    tallies = [note["value"] for note in only(parent.parent).of("note") if note["channel"] == "summed"]
    own = [note["value"] for note in child.of("note") if note["channel"] == "summed"]
    assert own[:4] == tallies[:4]
    words = int(tallies[3].split()[2])
    assert own[4] == f"5 turns, {words + 3} words"


def remembering(out: Path, memory: Path, model: Listening, **fields: Any) -> RunResult:
    spec = RunSpec(personas="builtin/claire-moreau", seed=3, model="mine", memory=str(memory), out=out, **fields)
    return run_sync(spec, models=Models(overrides={"mine": model}))


def test_a_fork_recalls_what_its_parent_recalled_whatever_the_store_holds_by_now(tmp_path: Path) -> None:
    heard, again = Listening(), Listening()
    remembering(tmp_path / "first", tmp_path / "store", Listening())
    remembering(tmp_path / "second", tmp_path / "store", heard)
    remembering(tmp_path / "third", tmp_path / "store", Listening())
    with MemoryStore.open(tmp_path / "store") as store:
        before = store.history(owner="counselor", client_id="claire-moreau")
    child = forked(tmp_path / "second" / "claire-moreau", 3, tmp_path / "f", models=Models(overrides={"mine": again}))
    own = [request.messages for request in heard.requests if request.exchange > 3]
    assert [request.messages for request in again.requests] == own
    assert said(child) == said(only(tmp_path / "second"))
    with MemoryStore.open(tmp_path / "store") as store:
        assert store.history(owner="counselor", client_id="claire-moreau") == before
    with MemoryStore.open(tmp_path / "f" / "memory") as store:
        kept = store.history(owner="counselor", client_id="claire-moreau")
    assert {memory.session for memory in kept} == {f"{child.header['run']}/{child.id}"}
    assert {memory.session_number for memory in kept} == {2}
    assert {memory.exchange for memory in kept} >= {memory.exchange for memory in before if memory.session_number == 2}


def test_memories_that_were_deleted_are_missed(tmp_path: Path) -> None:
    for name in ("first", "second"):
        remembering(tmp_path / name, tmp_path / "store", Listening())
    with MemoryStore.open(tmp_path / "store") as store:
        store.forget("claire-moreau")
    with pytest.raises(InputError, match="memories no more that the session began with"):
        fork_sync(tmp_path / "second" / "claire-moreau", 3, out=tmp_path / "f")
