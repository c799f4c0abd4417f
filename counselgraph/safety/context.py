"""A counselor's draft in the light of what the client said: data in `context/<language>.yaml`, read as the rules are.

The words of a reply alone do not show that it plays along with a delusion, answers a question about heights after a
loss, or jokes about a grief. A check joins a cue in the client's last turns with what the reply says, or leaves unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from pydantic import Field, ValidationError, model_validator

from counselgraph.errors import InputError
from counselgraph.safety.echo import parroted, repeated
from counselgraph.safety.fold import Folded, fold
from counselgraph.safety.levels import Category, Finding, Frozen, Level, Risk
from counselgraph.safety.passage import Passage
from counselgraph.safety.rules import Book, GuardKind, Patterns, load_book
from counselgraph.said import Said
from counselgraph.yaml_text import load_yaml

TROUBLE = "trouble"
_COUNSELOR = "counselor"
_LOOK_BACK = 3


class Check(Frozen):
    """One thing that a reply must not do, or leave undone, after something the client said.

    Attributes:
        id: Unique within its language; the end of a finding's `source`.
        level: Severity; from 3 up the reply must not be said as it stands.
        at_risk: Severity while the client's risk stands at R2 or above; `level` if not given.
        when: Names of cues, one of which the client's last turns must hold; none: any turn will do.
        window: How many of the client's last turns are looked at.
        from_risk: The client's level must be at least this, and no calm turn have come since.
        troubled: In how many of the client's last turns the cue "trouble" is looked for, where no risk stands; 0: the
            client need not be in trouble.
        says: What the reply says; not given, the finding is about what it lacks.
        negatable: A negated match of `says` does not count.
        near: Patterns that take a match of `says` out when they stand anywhere in its sentence.
        unless: Patterns anywhere in the reply by which it does what it should; then nothing is found.
        hits: Pairs of what the client said and a reply in which the check must find something.
        misses: Pairs in which it must not.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    category: Category
    level: Level
    at_risk: Level | None = None
    when: tuple[str, ...] = ()
    window: int = Field(default=1, ge=1, le=_LOOK_BACK)
    from_risk: Level = Level.NONE
    troubled: int = Field(default=0, ge=0, le=_LOOK_BACK)
    says: Patterns = ()
    negatable: bool = True
    near: Patterns = ()
    unless: Patterns = ()
    hits: tuple[tuple[str, str], ...] = Field(min_length=1)
    misses: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="after")
    def _looks_at_something(self) -> Check:
        if not (self.says or self.unless):
            raise ValueError(f"check {self.id} looks at nothing in the reply")
        return self

    def level_at(self, risk: Risk) -> Level:
        """Severity under a standing risk."""
        return self.level if self.at_risk is None or not stands(risk) else self.at_risk


class Context(Frozen):
    """The content of one file.

    Attributes:
        words: Word lists beside those of the language's rules.
        cues: What the client says, by name.
    """

    language: str
    words: dict[str, str] = Field(default_factory=dict)
    cues: dict[str, Patterns]
    checks: tuple[Check, ...]

    @cached_property
    def book(self) -> Book:
        """The language's rules with the word lists of its checks: guards to hold, patterns to compile."""
        rules = load_book(self.language)
        return Book.model_validate({**dict(rules), "words": rules.words | self.words})

    @cached_property
    def cues_in(self) -> Callable[[str], frozenset[str]]:
        """Which cues a client's folded turn gives; remembered, since each of the next few replies asks again."""
        pairs = [(name, pattern) for name, cue in self.cues.items() for pattern in cue]
        index = self.book.index([pattern for _, pattern in pairs])

        def found(text: str) -> frozenset[str]:
            may = [pairs[number] for number in index.candidates(text)]
            return frozenset(name for name, pattern in may if self.book.any_of((pattern,)).search(text))

        return lru_cache(maxsize=4096)(found)

    def checked(self) -> Context:
        """The same, with every name and pattern looked at.

        Raises:
            KeyError: A check names a cue, or a pattern a word list, that there is not.
            re.error: A pattern is not a regular expression.
        """
        book = self.book
        every = [*self.cues.values(), *(patterns for one in self.checks for patterns in _patterns(one))]
        for patterns in (*every, *(self.cues[name] for one in self.checks for name in one.when), self.cues[TROUBLE]):
            book.any_of(patterns)
        return self


class Scene:
    """What a reply answers: the client's last turns and the standing risk, read with one language's cues.

    Args:
        context: Cues and checks.
        turns: The client's last turns, the one to answer last.
        risk: The standing risk of the client.
        own: The reply is expected in this language, so that what it lacks can be told.
    """

    def __init__(self, context: Context, turns: Sequence[Folded], risk: Risk, *, own: bool) -> None:
        self.context, self.risk, self._own = context, risk, own
        self._book, self._stands = context.book, stands(risk)
        cues = [context.cues_in(turn.text) for turn in reversed(turns[-_LOOK_BACK:])]
        self._cues = [frozenset().union(*cues[: window + 1]) for window in range(_LOOK_BACK)]

    def findings(self, reply: Folded) -> Iterator[Finding]:
        """What the checks find in a reply."""
        for check in self.context.checks:
            if self._applies(check) and not self._book.any_of(check.unless).search(reply.text):
                quote = self._said(check, reply)
                if quote is not None:
                    yield self._finding(check, quote)

    def _applies(self, check: Check) -> bool:
        if check.from_risk > (self.risk.level if self._stands else Level.NONE):
            return False
        if not (check.says or self._own):
            return False
        if check.troubled and not (self.risk.level or TROUBLE in self._cues[check.troubled - 1]):
            return False
        return not check.when or not self._cues[check.window - 1].isdisjoint(check.when)

    def _said(self, check: Check, reply: Folded) -> str | None:
        """The words that a check finds in a reply: "" if it lacks something, None if nothing is found."""
        if not check.says:
            return ""
        for found in self._book.any_of(check.says).finditer(reply.text):
            passage = Passage.around(reply, *found.span(), self._book)
            negated = check.negatable and passage.held_by(GuardKind.NEGATION)
            if not negated and not passage.has(check.near):
                return passage.quote
        return None

    def _finding(self, check: Check, quote: str) -> Finding:
        source = f"context/{self.context.language}:{check.id}"
        return Finding(category=check.category, level=check.level_at(self.risk), quote=quote, source=source)


def stands(risk: Risk) -> bool:
    """Whether the client's risk is R2 or above and no calm turn has come since."""
    return risk.level >= Level.PASSIVE and not risk.calm_turns


def in_dialogue(reply: Folded, before: Sequence[Said], risk: Risk, languages: Sequence[str]) -> Iterator[Finding]:
    """What a reply does with the dialogue before it.

    Args:
        reply: The draft.
        before: The dialogue, in order; the last turn is the one that the draft answers.
        risk: The standing risk of the client.
        languages: Languages whose checks to run, as far as there are some; the first is the session's own.
    """
    every = contexts()
    turns = [fold(said.text) for said in before if said.role != _COUNSELOR][-_LOOK_BACK:]
    if turns or stands(risk):
        for language in languages:
            if language in every:
                yield from Scene(every[language], turns, risk, own=language == languages[0]).findings(reply)
    if turns:
        yield from parroted(reply, turns[-1], at_risk=stands(risk))
        yield from repeated(reply, [said.text for said in before if said.role == _COUNSELOR])


@lru_cache(maxsize=1)
def contexts() -> dict[str, Context]:
    """The checks of every language that has some, read at once."""
    folder = files("counselgraph.safety") / "context"
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".yaml")), key=lambda path: path.name)
    read = [Context.model_validate(load_yaml(path.read_text(encoding="utf-8"))) for path in paths]
    return {context.language: context for context in read}


def read_context(raw: dict[str, Any], *, name: str) -> Context:
    """Validate and compile the checks of one language.

    Args:
        raw: Content of a file.
        name: What to call it in an error message.

    Raises:
        InputError: A field, a pattern, a cue or a word list is wrong.
    """
    try:
        return Context.model_validate(raw).checked()
    except (ValidationError, re.error, KeyError) as error:
        raise InputError(f"The checks are not valid: {error}", file=name, fix="Correct the file.") from error


def _patterns(check: Check) -> tuple[Patterns, ...]:
    return check.says, check.near, check.unless
