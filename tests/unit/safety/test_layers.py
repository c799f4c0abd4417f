from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph.errors import ConfigError
from counselgraph.safety.layers import Layer, load_layers, screen_layered, screened
from counselgraph.safety.levels import Category, Finding, Level, Risk, Side, Verdict
from counselgraph.safety.policy import assess
from counselgraph.safety.screen import screen

GRAVE = "I want to kill myself tonight."
CALM = "We went for a walk on Sunday."
CLIENT, COUNSELOR = Side.CLIENT, Side.COUNSELOR


def gives(answer: Any) -> Layer:
    def layer(text: str, *, side: Side, language: str) -> Any:
        return answer

    return layer


def raises(error: Exception) -> Layer:
    def layer(text: str, *, side: Side, language: str) -> Verdict:
        raise error

    return layer


def wordy(text: str, *, side: Side, language: str) -> Verdict | None:
    """A layer of a third party: has something to say on long English texts of the client only."""
    if side is not Side.CLIENT or language != "en":
        return None
    finding = Finding(category=Category.RISK_TAKING, level=Level.PASSIVE, quote=text[:5], source="wordy")
    return Verdict(side=side, level=Level.PASSIVE, findings=(finding,)) if len(text) > 20 else Verdict(side=side)


class Guard:
    """A layer with settings, as one would write it for an endpoint."""

    def __init__(self, level: Level) -> None:
        self.level = level

    def __call__(self, text: str, *, side: Side, language: str) -> Verdict:
        finding = Finding(category=Category.RISK_TAKING, level=self.level, quote=text[:3], source=f"guard/{language}")
        return Verdict(side=side, level=self.level, findings=(finding,))


NOT_A_NUMBER: Callable[..., Verdict] = Verdict.model_construct
NONSENSE: dict[str, Layer] = {
    "raises": raises(RuntimeError("down")),
    "assertion": raises(AssertionError()),
    "recursion": raises(RecursionError()),
    "number": gives(3),
    "text": gives("safe"),
    "mapping": gives({"side": "client", "level": 0}),
    "a type": gives(Verdict),
    "another side": gives(Verdict(side=COUNSELOR)),
    "a risk": gives(Risk()),
    "a level that cannot be": gives(NOT_A_NUMBER(side=CLIENT, level=-3)),
    "a level in words": gives(NOT_A_NUMBER(side=CLIENT, level="low")),
    "fields missing": gives(NOT_A_NUMBER()),
}


def test_the_rules_alone_are_the_screen() -> None:
    assert screen_layered(GRAVE) == (screen(GRAVE),)
    assert screen_layered(GRAVE, side=COUNSELOR, language="zh") == (screen(GRAVE, side=COUNSELOR, language="zh"),)


@pytest.mark.parametrize("layers", [(), ("rules",), ("rules", "rules"), (wordy,), (wordy, "rules")])
def test_the_rules_cannot_be_left_out_and_come_first_and_once(layers: tuple[str | Layer, ...]) -> None:
    named = [name for name, _ in load_layers(layers)]
    assert named[0] == "rules"
    assert named.count("rules") == 1
    assert screen_layered(GRAVE, layers=layers)[0] == screen(GRAVE)


def test_a_layer_with_nothing_to_say_is_left_out() -> None:
    assert len(screen_layered(CALM, layers=(wordy,))) == 2
    assert len(screen_layered(CALM, language="zh", layers=(wordy,))) == 1
    assert len(screen_layered(CALM, side=COUNSELOR, layers=(wordy,))) == 1
    assert len(screen_layered(CALM, layers=(gives(None),))) == 1


def test_a_layer_can_raise_the_level() -> None:
    assert assess(None, *screen_layered(CALM, layers=(wordy,))).level == 2
    assert assess(None, *screen_layered(CALM, layers=(Guard(Level.INTENT),))).level == 4


def test_a_layer_is_found_by_its_import_path() -> None:
    (_, layer) = load_layers(("counselgraph.safety.screen:screen",))
    assert layer.name == "counselgraph.safety.screen:screen"
    assert screen_layered(GRAVE, layers=(layer.name,)) == (screen(GRAVE), screen(GRAVE))


def test_several_layers_of_one_class_all_count() -> None:
    verdicts = screen_layered(CALM, layers=(Guard(Level.NONE), Guard(Level.CONCERN)))
    assert [verdict.level for verdict in verdicts] == [0, 0, 1]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("learnt", "rules, learned"),
        ("counselgraph.safety.screen", "rules, learned"),
        ("counselgraph.nowhere:screen", "cannot be imported"),
        ("counselgraph.safety.screen:nothing", "cannot be imported"),
        ("counselgraph.safety.rules:DEFAULT_LANGUAGE", "cannot be called"),
    ],
)
def test_a_layer_that_is_not_there_is_named_before_anything_is_screened(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        screen_layered(CALM, layers=(name,))


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_layer_that_fails_leaves_a_failed_verdict_beside_the_others(kind: str) -> None:
    verdicts = screen_layered(GRAVE, layers=(NONSENSE[kind], wordy))
    assert verdicts == (screen(GRAVE), Verdict(side=CLIENT, failed=True), *screen_layered(GRAVE, layers=(wordy,))[1:])


def test_a_layer_that_failed_is_named_with_what_went_wrong() -> None:
    layers = load_layers((raises(ConnectionError("refused")), gives("x"), gives(Verdict(side=COUNSELOR))))
    _, *found = screened(CALM, side=CLIENT, language="en", layers=layers)
    assert [one.problem for one in found] == [
        "ConnectionError: refused",
        "TypeError: a verdict was expected, not str",
        "ValueError: a verdict on the client was expected, not on the counselor",
    ]
    assert found[0].layer.endswith("raises.<locals>.layer")


def test_what_another_layer_calls_a_denial_does_not_count() -> None:
    denies = gives(Verdict(side=CLIENT, denial=True))
    assert [verdict.denial for verdict in screen_layered(CALM, layers=(denies,))] == [False, False]
    assert screen_layered("I am not thinking about suicide.", layers=(denies,))[0].denial


def test_the_interrupt_key_is_no_failure() -> None:
    def layer(text: str, *, side: Side, language: str) -> Verdict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screen_layered(CALM, layers=(layer,))


class Hanging(Guard):
    """A layer that answers when it is let go, and not before."""

    deadline = 0.05

    def __init__(self) -> None:
        super().__init__(Level.CONCERN)
        self.go = threading.Event()
        self.calls = 0

    def __call__(self, text: str, *, side: Side, language: str) -> Verdict:
        self.calls += 1
        self.go.wait(60)
        return super().__call__(text, side=side, language=language)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    layer = Hanging()
    yield layer
    layer.go.set()


def problem_of(layers: Any) -> str:
    _, found = screened(CALM, side=CLIENT, language="en", layers=layers)
    return found.problem


@given(before=st.builds(Risk, level=st.sampled_from(Level), denied=st.booleans(), calm_turns=st.integers(0, 4)))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_layer_that_hangs_has_failed_and_lowers_nothing(hanging: Hanging, before: Risk) -> None:
    for text in ("I am not thinking about suicide.", CALM, GRAVE):
        risk = assess(before, *screen_layered(text, layers=(hanging,)))
        assert risk.level >= max(before.level, screen(text).level)
    assert problem_of(load_layers((hanging,))) == "TimeoutError: no verdict within 0.05 seconds"


def test_a_layer_that_hangs_is_called_no_more_until_it_has_come_back(hanging: Hanging) -> None:
    layers = load_layers((hanging,))
    problems = [problem_of(layers) for _ in range(6)]
    assert problems[3:] == ["TimeoutError: no verdict within 0.05 seconds", *[problems[-1]] * 2]
    assert "4 calls before this one" in problems[-1]
    assert hanging.calls == 4
    hanging.go.set()
    while "calls before" in (told := problem_of(layers)):
        pass
    assert told == ""


def test_a_layer_that_calls_for_the_end_of_the_program_has_failed() -> None:
    def layer(text: str, *, side: Side, language: str) -> Verdict:
        raise SystemExit(3)

    assert problem_of(load_layers((layer,))) == "RuntimeError: it called for the end of the program"


def test_what_cannot_be_a_layer_is_told_before_anything_is_screened() -> None:
    async def later(text: str, *, side: Side, language: str) -> Verdict:
        return Verdict(side=side)

    with pytest.raises(ConfigError, match="async: write a plain function"):
        load_layers((later,))  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(ConfigError, match="a class: give an object of it"):
        load_layers((Guard,))  # type: ignore[arg-type]  # that is the mistake


def test_a_module_that_cannot_be_read_is_told_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unread.py").write_text("raise KeyError('token')\n")
    with pytest.raises(ConfigError, match=r"No module named 'unread'\. Put the folder it is in on PYTHONPATH"):
        load_layers(("unread:layer",))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="KeyError: 'token'"):
        load_layers(("unread:layer",))


BEFORE = st.builds(
    Risk,
    level=st.sampled_from(Level),
    denied=st.booleans(),
    calm_turns=st.integers(min_value=0, max_value=4),
)
TEXTS = st.sampled_from([GRAVE, CALM, "I am not thinking about suicide.", "It is all pointless."]) | st.text()


@given(before=BEFORE, text=TEXTS, kind=st.sampled_from(sorted(NONSENSE)))
def test_a_layer_that_fails_never_lowers_a_level(before: Risk, text: str, kind: str) -> None:
    alone = assess(before, *screen_layered(text))
    with_it = assess(before, *screen_layered(text, layers=(NONSENSE[kind],)))
    assert with_it.level >= max(before.level, alone.level)
    assert with_it.turn_level == alone.turn_level
    assert with_it.findings == alone.findings


VERDICTS = st.builds(
    Verdict, side=st.just(CLIENT), level=st.sampled_from(Level), denial=st.booleans(), failed=st.booleans()
)


@given(before=BEFORE, text=TEXTS, verdict=VERDICTS)
def test_no_layer_lowers_what_the_rules_say_of_a_turn(before: Risk, text: str, verdict: Verdict) -> None:
    alone = assess(before, *screen_layered(text))
    with_it = assess(before, *screen_layered(text, layers=(gives(verdict),)))
    assert with_it.level >= alone.level
    assert with_it.turn_level >= alone.turn_level
