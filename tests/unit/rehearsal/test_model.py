from __future__ import annotations

from typing import Any

import pytest

from counselgraph.models.base import Model, Request
from counselgraph.models.rehearsal.model import Rehearsal
from counselgraph.personas.persona import Intake, Persona, PresentingProblem
from counselgraph.protocols.plan import PlanDecision
from counselgraph.safety.levels import Level, Side, Verdict
from counselgraph.transcript import turn

PERSONA = Persona(id="mira", name="Mira", presenting_problem=PresentingProblem(statement="I lie awake at night."))
INTAKE = Intake(name="Mira", reason_for_counseling="I lie awake at night.")


def talk(line: str) -> list[Any]:
    return [turn("counselor", "Hello Mira.", exchange=0), turn("client", line, exchange=1)]


def request(role: str, line: str = "I lie awake at night.", **fields: Any) -> Request:
    view = {"intake": INTAKE, "persona": PERSONA, "messages": talk(line), "exchange": 1}
    return Request(role=role, messages=(), view=view, exchange=1, seed=5, **fields)


def test_it_is_a_model_named_rehearsal():
    model: Model = Rehearsal()
    assert model.name == "rehearsal"


@pytest.mark.parametrize("role", ["client", "counselor", "supervisor", "family"])
async def test_every_role_gets_words_and_the_same_request_the_same_words(role):
    model = Rehearsal()
    first, second, third = [await model.answer(request(role)) for _ in range(2)] + [
        await Rehearsal().answer(request(role))
    ]
    assert first.text.strip()
    assert first == second == third


async def test_the_planner_answers_with_a_decision():
    answer = await Rehearsal().answer(request("planner", output=PlanDecision))
    assert PlanDecision.model_validate_json(answer.text).focus


@pytest.mark.parametrize(
    ("line", "least"), [("I had soup for lunch.", Level.NONE), ("I want to kill myself.", Level.ACTIVE)]
)
async def test_the_monitor_answers_with_a_verdict_on_the_last_client_turn(line, least):
    answer = await Rehearsal().answer(request("monitor", line, output=Verdict))
    verdict = Verdict.model_validate_json(answer.text)
    assert verdict.side is Side.CLIENT
    assert verdict.level >= least
    assert (verdict.level > Level.NONE) == (least > Level.NONE)


async def test_any_role_may_ask_for_any_type():
    answer = await Rehearsal().answer(request("referee", output=Intake))
    assert Intake.model_validate_json(answer.text).name


async def test_a_call_counts_as_one():
    assert (await Rehearsal().answer(request("counselor"))).usage.calls == 1
