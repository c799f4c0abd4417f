"""The turnstile: one session at a time goes on with its answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from itertools import groupby

import pytest

from counselgraph import Answer, Request
from counselgraph.runner.turnstile import Patient, Turnstile

FOREVER_S = 60.0
SESSIONS, ROUNDS, STEPS = 8, 3, 5


class Slow:
    """A model that answers everybody at the same moment."""

    name = "slow"
    context_tokens = 4096

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    async def answer(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        await self.answered.wait()
        return Answer(text=request.session)


class Instant:
    """A model that nobody waits for."""

    name = "instant"

    async def answer(self, request: Request) -> Answer:
        return Answer(text=request.session)


def asked(session: str) -> Request:
    return Request(role="client", messages=(), session=session)


async def played(turnstile: Turnstile, steps: list[str]) -> None:
    """Sessions that think in several steps after every answer, as a graph does."""
    model = Slow()
    patient = Patient(model, turnstile)

    async def one(session: str) -> None:
        async with turnstile.session(session):
            for _ in range(ROUNDS):
                await patient.answer(asked(session))
                for _ in range(STEPS):
                    steps.append(session)
                    await asyncio.sleep(0)

    tasks = [asyncio.create_task(one(f"s{number}")) for number in range(SESSIONS)]
    await asyncio.sleep(0)
    model.answered.set()
    await asyncio.gather(*tasks)


async def test_a_session_thinks_to_its_next_question_before_another_begins() -> None:
    steps: list[str] = []
    await played(Turnstile(abreast=1, patience_s=FOREVER_S), steps)
    runs = [(session, len(list(group))) for session, group in groupby(steps)]
    assert runs[:SESSIONS] == [(f"s{number}", STEPS) for number in range(SESSIONS)], "not in the order of the answers"
    assert sum(length for _, length in runs) == SESSIONS * ROUNDS * STEPS
    assert all(length % STEPS == 0 for _, length in runs)


async def test_a_session_that_keeps_the_processor_busy_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "thread_time", time.monotonic)
    steps: list[str] = []
    await played(Turnstile(abreast=1, patience_s=0), steps)
    assert all(len(list(group)) % STEPS == 0 for _, group in groupby(steps))


async def test_while_the_processor_is_idle_sessions_go_on_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "thread_time", lambda: 0.0)
    steps: list[str] = []
    await played(Turnstile(abreast=1, patience_s=0), steps)
    assert len(list(groupby(steps))) > SESSIONS * ROUNDS


async def test_two_abreast_share_the_rounds_of_the_event_loop() -> None:
    steps: list[str] = []
    await played(Turnstile(abreast=2, patience_s=FOREVER_S), steps)
    first = steps[: 2 * STEPS]
    assert sorted(first) == ["s0"] * STEPS + ["s1"] * STEPS
    assert len(list(groupby(first))) > 2, "one after the other"


async def test_a_session_whose_answers_come_at_once_goes_on_to_its_end() -> None:
    steps: list[str] = []
    turnstile = Turnstile(abreast=1, patience_s=FOREVER_S)
    patient = Patient(Instant(), turnstile)

    async def one(session: str) -> None:
        async with turnstile.session(session):
            for _ in range(ROUNDS):
                await patient.answer(asked(session))
                steps.append(session)
                await asyncio.sleep(0)

    await asyncio.gather(*(one(f"s{number}") for number in range(SESSIONS)))
    runs = [(session, len(list(group))) for session, group in groupby(steps)]
    assert runs == [(f"s{number}", ROUNDS) for number in range(SESSIONS)]


async def test_whoever_waits_for_something_else_holds_nobody_up() -> None:
    turnstile, model = Turnstile(abreast=1, patience_s=0.001), Slow()
    patient = Patient(model, turnstile)
    model.answered.set()
    await patient.answer(asked("waits"))
    # "waits" is through and neither asks nor ends.
    assert (await patient.answer(asked("next"))).text == "next"


async def test_a_session_that_ends_lets_the_next_one_through() -> None:
    turnstile, model = Turnstile(abreast=1, patience_s=FOREVER_S), Slow()
    patient = Patient(model, turnstile)
    model.answered.set()
    async with turnstile.session("ends"):
        await patient.answer(asked("ends"))
        waiting = asyncio.create_task(patient.answer(asked("next")))
        await asyncio.sleep(0)
        async with turnstile.session("somebody else"):
            pass
        await asyncio.sleep(0)
        assert not waiting.done()
    assert (await waiting).text == "next"


async def test_of_two_calls_of_a_session_the_last_answer_counts() -> None:
    turnstile, first, second = Turnstile(abreast=1, patience_s=FOREVER_S), Slow(), Slow()
    one = asyncio.create_task(Patient(first, turnstile).answer(asked("both")))
    other = asyncio.create_task(Patient(second, turnstile).answer(asked("both")))
    await asyncio.sleep(0)
    first.answered.set()
    await one
    model = Slow()
    model.answered.set()
    async with turnstile.session("else"):
        # Nobody is through: "both" still waits for its second answer.
        await Patient(model, turnstile).answer(asked("else"))
    second.answered.set()
    assert (await other).text == "both"


@pytest.mark.parametrize("let_through", [False, True])
async def test_a_session_that_is_cancelled_at_the_turnstile_holds_nobody_up(let_through: bool) -> None:
    turnstile, model = Turnstile(abreast=1, patience_s=FOREVER_S), Slow()
    patient = Patient(model, turnstile)
    model.answered.set()
    async with AsyncExitStack() as first:
        await first.enter_async_context(turnstile.session("first"))
        await patient.answer(asked("first"))
        second, third = (asyncio.create_task(patient.answer(asked(name))) for name in ("second", "third"))
        await asyncio.sleep(0)
        if let_through:
            await first.aclose()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
    assert (await third).text == "third"


async def test_sessions_begin_in_groups_and_a_place_is_free_with_the_first_question_or_the_end() -> None:
    turnstile, model = Turnstile(beginners=2), Slow()
    model.answered.set()
    begun: list[str] = []
    ends = {session: asyncio.Event() for session in "abcd"}

    async def one(session: str) -> None:
        async with turnstile.session(session):
            begun.append(session)
            await ends[session].wait()

    tasks = [asyncio.create_task(one(session)) for session in "abcd"]
    await asyncio.sleep(0)
    assert begun == ["a", "b"]
    await Patient(model, turnstile).answer(asked("b"))
    await asyncio.sleep(0)
    assert begun == ["a", "b", "c"]
    ends["b"].set()
    await tasks[1]
    await asyncio.sleep(0)
    assert begun == ["a", "b", "c"], "the end of a session that has asked frees no second place"
    ends["a"].set()
    await tasks[0]
    await asyncio.sleep(0)
    assert begun == ["a", "b", "c", "d"]
    for end in ends.values():
        end.set()
    await asyncio.gather(*tasks)


async def test_a_failed_call_leaves_no_trace() -> None:
    class Broken(Slow):
        async def answer(self, request: Request) -> Answer:
            raise ValueError(request.session)

    turnstile, model = Turnstile(abreast=1, patience_s=FOREVER_S), Slow()
    with pytest.raises(ValueError, match="fails"):
        await Patient(Broken(), turnstile).answer(asked("fails"))
    model.answered.set()
    assert (await Patient(model, turnstile).answer(asked("fails"))).text == "fails"


async def test_a_patient_model_has_the_name_and_the_window_of_its_own() -> None:
    patient = Patient(Slow(), Turnstile())
    assert (patient.name, patient.context_tokens) == ("slow", 4096)
