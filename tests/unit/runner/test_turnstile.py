"""The turnstile: one session at a time goes on with its answer."""

from __future__ import annotations

import asyncio
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
        await self.answered.wait()
        return Answer(text=request.session)


def asked(session: str) -> Request:
    return Request(role="client", messages=(), session=session)


async def played(turnstile: Turnstile, steps: list[str]) -> None:
    """Sessions that think in several steps after every answer, as a graph does."""
    model = Slow()
    patient = Patient(model, turnstile)

    async def one(session: str) -> None:
        for _ in range(ROUNDS):
            await patient.answer(asked(session))
            for _ in range(STEPS):
                steps.append(session)
                await asyncio.sleep(0)
        turnstile.leave(session)

    tasks = [asyncio.create_task(one(f"s{number}")) for number in range(SESSIONS)]
    await asyncio.sleep(0)
    model.answered.set()
    await asyncio.gather(*tasks)


async def test_a_session_thinks_to_its_next_question_before_another_begins() -> None:
    steps: list[str] = []
    await played(Turnstile(patience_s=FOREVER_S), steps)
    runs = [(session, len(list(group))) for session, group in groupby(steps)]
    assert runs[:SESSIONS] == [(f"s{number}", STEPS) for number in range(SESSIONS)], "not in the order of the answers"
    assert sum(length for _, length in runs) == SESSIONS * ROUNDS * STEPS
    assert all(length % STEPS == 0 for _, length in runs)


async def test_without_patience_sessions_think_side_by_side() -> None:
    steps: list[str] = []
    await played(Turnstile(patience_s=0), steps)
    assert len(list(groupby(steps))) > SESSIONS * ROUNDS


async def test_whoever_waits_for_something_else_holds_nobody_up() -> None:
    turnstile, model = Turnstile(patience_s=0.001), Slow()
    patient = Patient(model, turnstile)
    model.answered.set()
    await patient.answer(asked("waits"))
    # "waits" is through and neither asks nor ends.
    assert (await patient.answer(asked("next"))).text == "next"


async def test_a_session_that_ends_lets_the_next_one_through() -> None:
    turnstile, model = Turnstile(patience_s=FOREVER_S), Slow()
    patient = Patient(model, turnstile)
    model.answered.set()
    await patient.answer(asked("ends"))
    waiting = asyncio.create_task(patient.answer(asked("next")))
    await asyncio.sleep(0)
    assert not waiting.done()
    turnstile.leave("somebody else")
    await asyncio.sleep(0)
    assert not waiting.done()
    turnstile.leave("ends")
    assert (await waiting).text == "next"


async def test_of_two_calls_of_a_session_the_last_answer_counts() -> None:
    turnstile, first, second = Turnstile(patience_s=FOREVER_S), Slow(), Slow()
    one = asyncio.create_task(Patient(first, turnstile).answer(asked("both")))
    other = asyncio.create_task(Patient(second, turnstile).answer(asked("both")))
    await asyncio.sleep(0)
    first.answered.set()
    await one
    model = Slow()
    model.answered.set()
    await Patient(model, turnstile).answer(asked("else"))  # nobody is through: "both" still waits for its second answer
    second.answered.set()
    turnstile.leave("else")
    assert (await other).text == "both"


@pytest.mark.parametrize("let_through", [False, True])
async def test_a_session_that_is_cancelled_at_the_turnstile_holds_nobody_up(let_through: bool) -> None:
    turnstile, model = Turnstile(patience_s=FOREVER_S), Slow()
    patient = Patient(model, turnstile)
    model.answered.set()
    await patient.answer(asked("first"))
    second, third = (asyncio.create_task(patient.answer(asked(name))) for name in ("second", "third"))
    await asyncio.sleep(0)
    if let_through:
        turnstile.leave("first")
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    turnstile.leave("first")
    assert (await third).text == "third"


async def test_a_failed_call_leaves_no_trace() -> None:
    class Broken(Slow):
        async def answer(self, request: Request) -> Answer:
            raise ValueError(request.session)

    turnstile, model = Turnstile(patience_s=FOREVER_S), Slow()
    with pytest.raises(ValueError, match="fails"):
        await Patient(Broken(), turnstile).answer(asked("fails"))
    model.answered.set()
    assert (await Patient(model, turnstile).answer(asked("fails"))).text == "fails"


async def test_a_patient_model_has_the_name_and_the_window_of_its_own() -> None:
    patient = Patient(Slow(), Turnstile())
    assert (patient.name, patient.context_tokens) == ("slow", 4096)
