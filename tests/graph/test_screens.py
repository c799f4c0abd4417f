"""Model screens: they run beside the next draft, and what they flag takes that draft with it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph import Answer, ConfigError, Context, build_session, role
from counselgraph.agents.ask import Ask
from counselgraph.agents.role import Update
from counselgraph.agents.views import ClientView, MonitorView
from counselgraph.errors import ModelError
from counselgraph.graphs.state import StopReason, opening_state
from counselgraph.models.base import Request
from counselgraph.models.events import collecting
from counselgraph.safety.levels import Level, Side, Verdict
from counselgraph.testing import sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR, exchange_of, role_of, text_of
from tests.fakes.layers import HELD_UP, LET_GO
from tests.fakes.models import Recording

SCREENS = ("monitor", "reviewer")
CALM = json.dumps({"side": "client", "level": 0})


def verdict(level: int) -> str:
    found = {"category": "SI_ACTIVE", "level": level, "quote": "words", "source": "model"}
    return json.dumps({"side": "client", "level": level, "findings": [found] if level else []})


def numbered(request: Request) -> str:
    return f"{request.role} says thing number {request.exchange}, call {request.call}."


async def play(cast: Recording, *, roles: Any = SCREENS, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The final state, and the events of the session."""
    graph = (await asyncio.to_thread(build_session, roles=roles, cast=cast)).compile()
    events: list[dict[str, Any]] = []
    context = Context(**{"persona": "sample-client", "seed": 5, "max_exchanges": 4, **options})
    with collecting(events.append):
        state = await graph.ainvoke(opening_state(sample_persona()), context=context)
    return state, events


def said(state: dict[str, Any], speaker: str) -> dict[int, str]:
    return {exchange_of(m): text_of(m) for m in state["messages"] if role_of(m) == speaker}


async def test_calm_screens_change_nothing_of_what_is_said():
    screened, _ = await play(Recording(monitor=lambda _r: CALM, reviewer=lambda _r: CALM))
    plain, _ = await play(Recording(), roles=())
    assert [text_of(m) for m in screened["messages"]] == [text_of(m) for m in plain["messages"]]


async def test_an_exchange_costs_two_calls_in_a_row_with_every_screen_on():
    """Counts rounds of calls instead of seconds: calls that wait together cost the time of one."""
    rounds: list[Counter[str]] = []
    waiting: list[asyncio.Future[None]] = []

    class Waiting(Recording):
        async def answer(self, request: Request) -> Answer:
            if request.role == CLIENT:
                request_of.append(request.exchange)
            answer = await super().answer(request)
            future = asyncio.get_running_loop().create_future()
            asking[future] = request.role
            waiting.append(future)
            await future
            return answer

    asking: dict[asyncio.Future[None], str] = {}
    request_of: list[int] = []
    cast = Waiting(client=numbered, counselor=numbered, monitor=lambda _r: CALM, reviewer=lambda _r: CALM)
    playing = asyncio.create_task(play(cast, max_exchanges=12, min_exchanges=12))
    while not playing.done():
        for _ in range(500):  # everything that can ask without an answer has asked by then
            await asyncio.sleep(0)
        rounds.append(Counter(asking[future] for future in waiting))
        for future in waiting:
            future.set_result(None)
        waiting.clear()
        await asyncio.sleep(0.01)  # files are read in threads
    state, _ = await playing
    asked = [one for one in rounds if one]
    assert state["exchange"] == 12
    assert sum(one["monitor"] for one in asked) == 12
    assert sum(one["reviewer"] for one in asked) == 13
    # The opening, two rounds an exchange, and the last turn's reviewer, whom nobody's draft waits with.
    assert len(asked) == 1 + 2 * 12 + 1
    assert not any(one["planner"] and one[COUNSELOR] for one in asked)


async def test_a_client_turn_that_a_screen_flags_takes_the_answer_with_it():
    cast = Recording(
        client=numbered,
        counselor=numbered,
        reviewer=lambda _r: CALM,
        monitor=lambda request: verdict(2 if request.exchange == 2 else 0),
    )
    state, events = await play(cast)
    (thrown,) = [event for event in events if event["event"] == "discard"]
    assert thrown["role"] == COUNSELOR
    assert state["risk"].level == Level.PASSIVE
    drafts = [request for request in cast.requests if request.role == COUNSELOR and request.exchange == 2]
    assert len(drafts) == 3  # the last is the second one mended: at R2 it did not ask directly
    assert drafts[0].view["risk"].level == 0
    assert drafts[1].view["risk"].level == 2
    assert drafts[0].card != drafts[1].card


async def test_a_model_alone_can_bring_the_crisis_flow():
    cast = Recording(client=numbered, counselor=numbered, reviewer=lambda _r: CALM, monitor=lambda _r: verdict(4))
    state, _ = await play(cast)
    assert state["ending"].stop is StopReason.CRISIS
    assert said(state, CLIENT)[1].startswith("client says")
    assert not any(text.startswith("counselor says") for exchange, text in said(state, COUNSELOR).items() if exchange)


async def test_what_a_model_finds_is_vouched_for_by_the_words_of_the_turn():
    def judged(request: Request) -> str:
        real = text_of(request.view["messages"][-1])[:6].upper()
        one = {"category": "INTENT", "level": 4, "quote": "nobody said this", "source": "rules/en:suicide-self"}
        findings = [one, {**one, "level": 2, "category": "SI_PASSIVE", "quote": real}]
        return json.dumps({"side": "counselor", "level": 0, "denial": True, "findings": findings})

    cast = Recording(client=numbered, counselor=numbered, reviewer=lambda _r: CALM, monitor=judged)
    state, _ = await play(cast, max_exchanges=1)
    assert state["ending"].stop is StopReason.CRISIS
    assert [(one.level, one.quote, one.source) for one in state["risk"].findings] == [
        (4, "", "monitor"),
        (2, "client", "monitor"),
    ]


async def test_a_counselor_turn_that_a_screen_flags_is_replaced_and_nobody_has_answered_it():
    def judged(request: Request) -> str:
        return verdict(4 if request.exchange == 2 else 0)

    cast = Recording(client=numbered, counselor=numbered, reviewer=judged, monitor=lambda _r: CALM)
    state, events = await play(cast)
    flagged = "counselor says thing number 2, call 0."
    assert flagged not in said(state, COUNSELOR).values()
    assert [event["role"] for event in events if event["event"] == "discard"] == [CLIENT, CLIENT]
    assert [event["then"] for event in events if event["event"] == "reject"] == ["rewrite", "safe_reply"]
    third = [request for request in cast.requests if request.role == CLIENT and request.exchange == 3]
    assert [flagged in text_of(request.view["messages"][-1]) for request in third] == [True, False, False]
    assert "number 2, call 10." in text_of(third[1].view["messages"][-1])
    assert said(state, CLIENT)[3] == "client says thing number 3, call 0."


async def test_a_screen_that_answers_nonsense_has_failed_and_lowers_nothing():
    cast = Recording(client=numbered, counselor=numbered, monitor=lambda _r: "no JSON", reviewer=lambda _r: "{}")
    state, events = await play(cast, max_exchanges=2, min_exchanges=2)
    assert state["exchange"] == 2
    assert {event["role"] for event in events if event["event"] == "error"} == {"monitor", "reviewer"}
    assert any(found.failed for found in state["verdicts"])


@pytest.mark.parametrize("given", [KeyError("label"), {"verdicts": ["safe"]}, {"verdicts": None}, None])
async def test_a_screen_of_somebody_elses_that_breaks_has_failed_on_the_turn(given: Any):
    @role(view=MonitorView, after=CLIENT, screens=True, name="theirs")
    async def theirs(_view: MonitorView, _ask: Ask) -> Update:
        """Breaks in its own way."""
        if isinstance(given, Exception):
            raise given
        return given  # type: ignore[no-any-return]

    state, events = await play(Recording(), roles=(theirs,), max_exchanges=2, min_exchanges=2)
    assert state["exchange"] == 2
    assert [event["role"] for event in events if event["event"] == "error"] == ["theirs"] * 2
    assert state["risk"].failed


async def test_a_layer_of_somebody_elses_holds_up_no_other_session():
    LET_GO.clear()
    HELD_UP.clear()
    asyncio.get_running_loop().call_later(0.1, LET_GO.set)  # which takes a loop that nobody holds up
    state, _ = await play(Recording(), roles=(), layers=("rules", "tests.fakes.layers:held"), max_exchanges=1)
    assert state["exchange"] == 1
    assert LET_GO.is_set()
    assert HELD_UP == []


async def test_no_person_is_shown_words_that_are_still_being_judged():
    seen: list[tuple[list[str], bool]] = []

    class Judging(Recording):
        async def answer(self, request: Request) -> Answer:
            if request.role == CLIENT:
                seen.append(([text_of(m) for m in request.view["messages"]], "reviewed" in state))
            return await super().answer(request)

    state: set[str] = set()
    cast = Judging(counselor=numbered, client=numbered, reviewer=lambda _r: verdict(4), monitor=lambda _r: CALM)
    await play(cast, models={CLIENT: "human"}, max_exchanges=3)
    assert seen
    assert not any("counselor says" in text for texts, _ in seen for text in texts)


@pytest.mark.parametrize("options", [{"speaks": True, "after": "client"}, {"after": "planner"}, {}])
def test_a_screen_that_speaks_or_judges_nobody_is_refused(options: dict[str, Any]):
    with pytest.raises(ConfigError, match="judges others"):

        @role(view=MonitorView, screens=True, **options)
        async def odd(view: MonitorView, ask: Ask) -> Update:
            return {}


async def test_a_screen_may_write_nothing_but_verdicts_and_channels_of_its_own():
    @role(view=ClientView, after="client", screens=True)
    async def meddler(view: ClientView, ask: Ask) -> Update:
        return {"verdicts": [Verdict(side=Side.CLIENT)], "persona": view["persona"]}

    with pytest.raises(ConfigError, match="persona"):
        await play(Recording(), roles=[meddler])


LEVELS = st.dictionaries(st.integers(0, 6), st.integers(0, 5), max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(client=LEVELS, counselor=LEVELS, broken=st.sets(st.integers(0, 12), max_size=3), followed=st.booleans())
async def test_no_turn_enters_the_transcript_before_every_screen_has_passed_it(
    client: dict[int, int], counselor: dict[int, int], broken: set[int], followed: bool
):
    judged: dict[str, list[str]] = defaultdict(list)
    flagged: set[str] = set()

    def judge(levels: dict[int, int], limit: int) -> Any:
        def answer(request: Request) -> str:
            text, level = text_of(request.view["messages"][-1]), levels.get(request.exchange, 0)
            judged[text].append(request.role)
            if len(judged) in broken:
                raise ModelError("broken")
            if level >= limit:
                flagged.add(text)
            return verdict(level)

        return answer

    @role(view=MonitorView, after="counselor")
    async def supervisor(view: MonitorView, ask: Ask) -> Update:
        """Stands between the counselor and the next exchange."""
        return {}

    cast = Recording(client=numbered, counselor=numbered, monitor=judge(client, 6), reviewer=judge(counselor, 3))
    state, _ = await play(cast, max_exchanges=6, roles=(*SCREENS, supervisor) if followed else SCREENS)
    answered = said(state, COUNSELOR)
    for message in state["messages"]:
        text, answer = text_of(message), answered.get(exchange_of(message), "")
        # What the graph says itself needs no judge, and what the rules alone send to the crisis flow waits for none.
        if " says thing number " in text and (role_of(message) == COUNSELOR or " says thing number " in answer):
            assert judged[text], text
            assert text not in flagged
    speakers = [(exchange_of(m), role_of(m)) for m in state["messages"]]
    assert len(set(speakers)) == len(speakers)
    assert speakers == sorted(speakers, key=lambda one: (one[0], one[1] == COUNSELOR))
    assert state.get("pending") is None
