"""Layers: everything that screens one text, side by side, and what happens when one of them cannot.

A layer is a callable that reads a text and gives a verdict, or None where it has nothing to say for a side or a
language. The rules are always among them. A layer can raise a level and never lower one: when it fails or is late, its
verdict is a failed one beside those of the others, and what it says of a denial does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, Protocol, TypeAlias

from pydantic import ValidationError

from counselgraph.errors import ConfigError
from counselgraph.safety.deadline import Timed
from counselgraph.safety.levels import Level, Side, Verdict
from counselgraph.safety.rules import DEFAULT_LANGUAGE
from counselgraph.safety.screen import screen
from counselgraph.said import Said

RULES, LEARNED = "rules", "learned"
OURS = frozenset({RULES, LEARNED})
"""Layers that compute and wait for nothing. Any other may keep whoever calls it waiting until its deadline."""


class Layer(Protocol):
    """What screens a text. One that is not ours has a deadline; see `counselgraph.safety.deadline`."""

    def __call__(self, text: str, *, side: Side, language: str) -> Verdict | None:
        """The verdict on a text; None if there is nothing to say for this side or language."""
        ...


class Named(NamedTuple):
    """A layer under the name by which it was asked for."""

    name: str
    layer: Layer


class Screened(NamedTuple):
    """What one layer says of a text.

    Attributes:
        layer: Its name.
        verdict: Its verdict, a failed one without findings if it could not give any.
        problem: Why it could not; empty if it could.
    """

    layer: str
    verdict: Verdict
    problem: str = ""


Layers: TypeAlias = Sequence[str | Layer]
"""Names of layers ("rules", "learned"), import paths ("package.module:name"), or layers themselves."""


def screen_layered(
    text: str,
    *,
    side: Side = Side.CLIENT,
    language: str = DEFAULT_LANGUAGE,
    layers: Layers = (RULES,),
    standing: Level = Level.NONE,
    question: str = "",
) -> tuple[Verdict, ...]:
    """The verdicts of several layers on one text, the rules' first; `assess` makes one risk of them.

    Args:
        text: What was said.
        side: Whose words they are.
        language: Language code, as in `screen`.
        layers: What else screens it; the rules always do.
        standing: The client's level before this turn, for the rules; see `screen`.
        question: The counselor's turn that this one answers, for the rules.

    Raises:
        ConfigError: A layer is not known or cannot be imported.
    """
    known = load_layers(layers)
    found = screened(text, side=side, language=language, layers=known, standing=standing, question=question)
    return tuple(one.verdict for one in found)


def screened(
    text: str,
    *,
    side: Side,
    language: str,
    layers: Sequence[Named],
    standing: Level = Level.NONE,
    question: str = "",
) -> Iterator[Screened]:
    """What each layer says of a text, with its name; those that have nothing to say are left out.

    Args:
        text: What was said.
        side: Whose words they are.
        language: Language code, as in `screen`.
        layers: Layers as `load_layers` gives them.
        standing: The client's level before this turn, for the rules; see `screen`.
        question: The counselor's turn that this one answers, for the rules.
    """
    for name, layer in layers:
        known = {"standing": standing, "question": question} if layer is _screen_rules else {}
        if found := attempted(name, side, text, partial(layer, text, side=side, language=language, **known)):
            yield found


def beside_reply(text: str, *, before: Sequence[Said], language: str, layers: Sequence[Named]) -> Iterator[Screened]:
    """What the layers beside the rules say of a counselor's reply; the learned one reads it with what came before.

    Args:
        text: The reply.
        before: The dialogue so far, oldest first.
        language: Language code, as in `screen`.
        layers: Layers as `load_layers` gives them.
    """
    for name, layer in layers:
        if layer is _screen_rules:
            continue
        give = partial(layer, text, side=Side.COUNSELOR, language=language)
        if layer is _screen_learned:
            give = partial(_screen_learned_reply, text, before=before, language=language)
        if found := attempted(name, Side.COUNSELOR, text, give):
            yield found


def attempted(name: str, side: Side, text: str, give: Callable[[], Verdict | None]) -> Screened | None:
    """What one layer says of a text: a failed verdict if it raises or gives what is no verdict on this side."""
    try:
        verdict = _checked(give(), name, side)
        if verdict is not None and name not in _BUILT_IN:
            verdict = verdict.vouched(text)
    except Exception as error:  # noqa: BLE001 - whatever a layer raises, it has failed and the others have not
        return Screened(name, Verdict(side=side, failed=True), f"{type(error).__name__}: {error}")
    return None if verdict is None else Screened(name, verdict)


def load_layers(layers: Layers) -> tuple[Named, ...]:
    """Layers by name, the rules first and each once.

    Raises:
        ConfigError: A layer is not known or cannot be imported.
    """
    return tuple(
        Named(layer, _BUILT_IN.get(layer) or _imported(layer))
        if isinstance(layer, str)
        else Named(_name_of(layer), _timed(_name_of(layer), layer))
        for layer in (RULES, *_others(layers))
    )


def _others(layers: Layers) -> Iterator[str | Layer]:
    seen = {RULES}
    for layer in layers:
        if not isinstance(layer, str):
            yield layer
        elif layer not in seen:
            seen.add(layer)
            yield layer


def _screen_rules(text: str, *, side: Side, language: str, **known: Any) -> Verdict:
    return screen(text, side=side, language=language, **known)


def _screen_learned(text: str, *, side: Side, language: str) -> Verdict | None:
    # Who does without it never waits for its weights.
    from counselgraph.safety.learned import screen_learned  # noqa: PLC0415

    return screen_learned(text, side=side, language=language)


def _screen_learned_reply(text: str, *, before: Sequence[Said], language: str) -> Verdict | None:
    from counselgraph.safety.learned import screen_learned_reply  # noqa: PLC0415

    return screen_learned_reply(text, before=before, language=language)


_BUILT_IN: dict[str, Layer] = {RULES: _screen_rules, LEARNED: _screen_learned}


def _checked(given: Any, name: str, side: Side) -> Verdict | None:
    """What a layer gave, if it is a verdict on this side at all; only the rules may call a text a denial.

    Raises:
        TypeError: It is no verdict.
        ValueError: It is one of another side, or with values that cannot be.
    """
    if given is None:
        return None
    if not isinstance(given, Verdict):
        raise TypeError(f"a verdict was expected, not {type(given).__name__}")
    try:
        # An object made without its checks may hold anything.
        verdict = given if name in _BUILT_IN else Verdict.model_validate(given.model_dump(warnings=False))
    except ValidationError as error:
        raise ValueError(f"{error.error_count()} values of its verdict are not valid") from None
    if verdict.side is not side:
        raise ValueError(f"a verdict on the {side} was expected, not on the {verdict.side}")
    return verdict.model_copy(update={"denial": False}) if verdict.denial and name != RULES else verdict


@lru_cache(maxsize=64)
def _imported(path: str) -> Layer:
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise ConfigError(
            f"There is no layer {path!r}; use {', '.join(_BUILT_IN)}, or an import path like pkg.mod:name."
        )
    try:
        layer: Layer = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        fix = "" if error.name != module.partition(".")[0] else " Put the folder it is in on PYTHONPATH."
        raise ConfigError(f"The layer {path!r} cannot be imported: {error}.{fix}") from error
    except Exception as error:  # a module of somebody else's may raise anything while it is read
        raise ConfigError(f"The layer {path!r} cannot be imported: {type(error).__name__}: {error}") from error
    return _timed(path, layer)


def _timed(name: str, layer: Layer) -> Layer:
    """A layer that is not ours, with its deadline."""
    if isinstance(layer, Timed):
        return layer
    if not callable(layer):
        raise ConfigError(f"The layer {name!r} cannot be called; it is {type(layer).__name__}.")
    if isinstance(layer, type) or any(map(iscoroutinefunction, (layer, layer.__call__))):
        kind = "a class: give an object of it" if isinstance(layer, type) else "async: write a plain function"
        raise ConfigError(f"The layer {name!r} is {kind}.")
    return Timed(layer)


def _name_of(layer: Callable[..., Any]) -> str:
    kind = layer if hasattr(layer, "__qualname__") else type(layer)
    return f"{kind.__module__}:{kind.__qualname__}"
