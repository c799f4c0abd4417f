"""Sessions whose client says prepared lines, with everything the graph decided about every turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from counselgraph import Answer, Context, Persona, StopReason, build_session
from counselgraph.graphs.state import opening_state
from counselgraph.models.base import Request
from counselgraph.models.events import collecting
from counselgraph.safety.levels import Level, Risk, Side, Verdict
from counselgraph.testing import sample_persona
from counselgraph.transcript import CLIENT, COUNSELOR
from tests.fakes.models import Recording

SCRIPTS = Path(__file__).parent / "scripts"
_SCREENS = ("screen_client", "screen_counselor", "settle_client", "settle_counselor")


class Line(NamedTuple):
    """What a client says, the level it has to be found at, and where it matters the standing level after it."""

    text: str
    at: int
    stands: int | None


class Course(NamedTuple):
    """A script."""

    id: str
    language: str
    level: int
    about: str | None
    lines: tuple[Line, ...]

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


class Heard(NamedTuple):
    """What the graph made of one turn."""

    node: str
    exchange: int
    verdicts: tuple[Verdict, ...]
    risk: Risk
    suspended: int
    spoken: Any

    @property
    def side(self) -> Side:
        return Side.CLIENT if self.node.endswith(CLIENT) else Side.COUNSELOR


class Played(NamedTuple):
    """A session that is over."""

    state: dict[str, Any]
    heard: list[Heard]
    events: list[dict[str, Any]]
    cast: Recording

    def of(self, side: Side) -> list[Heard]:
        return [turn for turn in self.heard if turn.side is side]

    @property
    def standing(self) -> list[int]:
        """The client's standing level after each of the client's turns."""
        return [int(turn.risk.level) for turn in self.of(Side.CLIENT)]


def read(name: str) -> Any:
    return yaml.safe_load((SCRIPTS / f"{name}.yaml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def courses() -> list[Course]:
    """Every script."""
    files = {"levels_en": "en", "levels_zh": "zh", "levels_es": "es", "courses": "en"}
    return [_course(raw, language) for name, language in files.items() for raw in read(name)]


async def play(
    lines: Sequence[str],
    *,
    persona: Persona | None = None,
    counselor: Callable[[Request], str | Answer] | None = None,
    roles: Sequence[str] = (),
    **options: Any,
) -> Played:
    """Play a session in which the client says these lines, one an exchange, and then leaves."""

    def client(request: Request) -> Answer:
        over = request.exchange > len(lines)
        return Answer(text="", end="no more lines") if over else Answer(text=lines[request.exchange - 1])

    given = {} if counselor is None else {COUNSELOR: counselor}
    return await play_through(Recording(client=client, **given), persona=persona, roles=roles, **options)


async def play_through(
    cast: Recording, *, persona: Persona | None = None, roles: Sequence[str] = (), **options: Any
) -> Played:
    """Play a session to its end."""
    graph = (await asyncio.to_thread(build_session, roles=roles, cast=cast)).compile()
    context = Context(**{"persona": "sample-client", "seed": 5, "max_exchanges": 12, **options})
    heard: list[Heard] = []
    events: list[dict[str, Any]] = []
    node = ""
    state: Any = {}
    with collecting(events.append):
        async for mode, payload in graph.astream(
            opening_state(persona or sample_persona()), context=context, stream_mode=["updates", "values"]
        ):
            if mode == "updates":
                node = next(iter(payload))
                continue
            state = payload
            if node in _SCREENS and "verdicts" in state:
                heard.append(_heard(node, state))
            node = ""
    return Played(state, heard, events, cast)


def assert_guarded(played: Played) -> None:
    """Assert what holds in every session, whatever is said in it."""
    assert isinstance(played.state["ending"].stop, StopReason)
    for turn in played.heard:
        assert turn.verdicts, f"exchange {turn.exchange} was not screened"
        assert {verdict.side for verdict in turn.verdicts} == {turn.side}
        assert not turn.verdicts[0].failed
    for turn in played.of(Side.CLIENT):
        assert turn.risk.suspends_plan == (turn.risk.level >= Level.ACTIVE) == (turn.suspended > 0)
    for request in played.cast.requests:
        assert request.role != "planner" or not request.view.get("risk", Risk()).suspends_plan
    _assert_crisis(played)


def _assert_crisis(played: Played) -> None:
    """From R4 up the protocol speaks in the same exchange, and the session ends in crisis."""
    acute = [turn.exchange for turn in played.of(Side.CLIENT) if turn.risk.acute]
    if not acute:
        return
    said = {turn.exchange: turn.spoken.kind for turn in played.of(Side.COUNSELOR)}
    assert said[acute[0]] == "crisis"
    assert played.state["ending"].stop is StopReason.CRISIS


def _heard(node: str, state: dict[str, Any]) -> Heard:
    return Heard(
        node=node,
        exchange=state["exchange"],
        verdicts=tuple(state["verdicts"]),
        risk=state.get("risk", Risk()),
        suspended=state.get("suspended", 0),
        spoken=state.get("spoken"),
    )


def _course(raw: dict[str, Any], language: str) -> Course:
    lines = tuple(_line(line) for line in raw["lines"])
    return Course(raw["id"], language, raw["level"], raw.get("about"), lines)


def _line(raw: dict[str, Any]) -> Line:
    """A line is written as `R3: words`, with `stands` beside it."""
    ((level, text),) = [(key, value) for key, value in raw.items() if key != "stands"]
    return Line(text, int(level.removeprefix("R")), raw.get("stands"))
