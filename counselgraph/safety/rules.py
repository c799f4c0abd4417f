"""Rules as data: what the deterministic screen looks for, read from `rules/<language>.yaml`.

A rule is a set of regular expressions over folded text (see `counselgraph.safety.fold`) and the guards it is subject
to. A guard looks at the words around a match and says that it is not what it seems: negated, figurative, somebody
else's, out of a story. Time markers say when it is or was. Every rule carries its own examples, which the tests run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from pydantic import Field, ValidationError

from counselgraph.errors import InputError
from counselgraph.safety.anchors import LIST, AnchorIndex, Reader
from counselgraph.safety.fold import fold_pattern
from counselgraph.safety.levels import Category, Frozen, Level, Side, Time
from counselgraph.yaml_text import load_yaml

DEFAULT_LANGUAGE = "en"
Pattern = re.Pattern[str]
Patterns = tuple[str, ...]

# Not in the middle of a word: never between two word characters.
_EDGE = r"(?!(?<=\w)\w)"


class GuardKind(StrEnum):
    """Ways in which a match may not be what it seems; `hollow` takes out denials."""

    NEGATION = "negation"
    FIGURATIVE = "figurative"
    OTHER = "other"
    REPORTED = "reported"
    FICTION = "fiction"
    HOLLOW = "hollow"


class Marker(StrEnum):
    """When something is or was, as words near it say."""

    REMOTE = "remote"
    RECENT = "recent"
    PAST_DAY = "past_day"
    COMING_DAY = "coming_day"
    PRESENT = "present"

    @property
    def time(self) -> Time:
        """Time of a finding that carries this marker."""
        return _TIMES.get(self, Time.NOW)

    @property
    def urgent(self) -> bool:
        """Whether it lies within about a day, before or after."""
        return self in {Marker.PAST_DAY, Marker.COMING_DAY}


_TIMES = {Marker.REMOTE: Time.REMOTE, Marker.RECENT: Time.RECENT, Marker.PAST_DAY: Time.RECENT}


class Rule(Frozen):
    """One thing to look for.

    Attributes:
        id: Unique within its language; the end of a finding's `source`.
        level: Level of a match that no time marker moves.
        recent: Level when a marker puts it within days or weeks past; `level` if not given.
        urgent: Level when a marker puts it within about a day; `level` if not given.
        remote: Level when a marker puts it in the past; R1 or `level`, the lower, if not given.
        remote_category: Category then; `category` if not given.
        beside: Level when the same text speaks of suicide or self-injury as well, for words that leave it unsaid
            themselves ("I have a plan"); beside despair alone they reach R2.
        guards: Guards this rule is subject to.
        unless: Patterns that take a match out when they stand anywhere in its sentence.
        patterns: Regular expressions over folded text; `<name>` stands for the book's word list of that name.
        hits: Sentences in which the rule must find something that counts.
        misses: Look-alikes in which it must not.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    side: Side
    category: Category
    level: Level
    recent: Level | None = None
    urgent: Level | None = None
    remote: Level | None = None
    beside: Level | None = None
    remote_category: Category | None = None
    guards: tuple[GuardKind, ...] = ()
    unless: Patterns = ()
    patterns: Patterns = Field(min_length=1)
    hits: tuple[str, ...] = Field(min_length=1)
    misses: tuple[str, ...] = ()

    def level_at(self, marker: Marker) -> Level:
        """Level of a match near `marker`."""
        if marker is Marker.REMOTE:
            return min(self.level, Level.CONCERN) if self.remote is None else self.remote
        moved = self.urgent if marker.urgent else self.recent if marker is Marker.RECENT else None
        return self.level if moved is None else moved

    def category_at(self, marker: Marker) -> Category:
        """Category of a match near `marker`."""
        return self.remote_category or self.category if marker is Marker.REMOTE else self.category


class Guard(Frozen):
    """Words around a match that take it out.

    Attributes:
        before: Must end where the match begins.
        after: Must begin where the match ends.
        around: Anywhere in the scope.
        unless: Anywhere in the scope before the match: the guard does not hold.
        unless_after: Must begin where the match ends: the guard does not hold.
        whole_sentence: Look at the sentence; otherwise only at the clause the match stands in.
    """

    before: Patterns = ()
    after: Patterns = ()
    around: Patterns = ()
    unless: Patterns = ()
    unless_after: Patterns = ()
    whole_sentence: bool = False


class Together(Frozen):
    """What several findings of one text mean beside each other.

    Attributes:
        id: Unique among the rules and compositions of its language; the end of a finding's `source`.
        all_of: Groups of rule ids. The text must hold, for each group, something that a rule of it found about the
            speaker, now or lately. The finding that they make quotes the words of the first group.
        hits: Texts in which the composition must be found.
        misses: Texts in which it must not.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    category: Category
    level: Level
    all_of: tuple[tuple[str, ...], ...] = Field(min_length=2)
    hits: tuple[str, ...] = Field(min_length=1)
    misses: tuple[str, ...] = Field(min_length=1)


class Book(Frozen):
    """All rules of one language.

    Attributes:
        language: Language code, as in the file name.
        spaced: Words are written apart; then no pattern matches inside a word.
        words: Word lists that patterns refer to as `<name>`.
        clause_break: What separates two clauses of a sentence.
        denials: Sentences by which somebody says that they do not think of suicide.
        direct_question: How a counselor asks about suicide, self-harm or safety.
        takes_up: How a reply shows that it has heard a risk, apart from asking.
        calling: What leads to a number to call or text.
        asking: What makes a sentence a question.
        asks_of_death: Which of the direct questions ask about suicide, so that a bare "yes" discloses it.
        affirms: How such a "yes" begins.
        asks_of_thoughts: Which questions ask for thoughts of suicide and nothing else, so that a "no" denies them.
        denies: What the first sentence of such a "no" reads, from its beginning to its end.
        hedges: What takes such a "no" back, anywhere in the turn.
        together: What findings of the client's side mean beside each other.
    """

    language: str
    spaced: bool = True
    words: dict[str, str] = Field(default_factory=dict)
    clause_break: Patterns
    denials: Patterns
    direct_question: Patterns
    takes_up: Patterns
    calling: Patterns
    asking: Patterns = ("[?]",)
    asks_of_death: Patterns = ()
    affirms: Patterns = ()
    asks_of_thoughts: Patterns = ()
    denies: Patterns = ()
    hedges: Patterns = ()
    times: dict[Marker, Patterns]
    guards: dict[GuardKind, Guard]
    rules: tuple[Rule, ...]
    together: tuple[Together, ...] = ()

    # Not private attributes: pydantic takes twenty times as long to find those, and every pattern is looked up here.
    @cached_property
    def _compiled(self) -> dict[Patterns, Pattern]:
        return {}

    @cached_property
    def _denying(self) -> list[AnchorIndex]:
        return []

    @cached_property
    def _indexed(self) -> dict[Side, tuple[AnchorIndex, list[tuple[Rule, Patterns]]]]:
        return {}

    def of(self, side: Side) -> Iterator[Rule]:
        """The rules of one side."""
        return (rule for rule in self.rules if rule.side is side)

    def that_may_match(self, side: Side, text: str) -> Iterator[tuple[Rule, list[Pattern]]]:
        """The rules of one side with their compiled patterns, without those that cannot match a folded text."""
        if side not in self._indexed:
            pairs: list[tuple[Rule, Patterns]] = [
                (rule, (pattern,)) for rule in self.of(side) for pattern in rule.patterns
            ]
            self._indexed[side] = (self.index([pattern for _, (pattern, *_) in pairs]), pairs)
        index, pairs = self._indexed[side]
        together = groupby((pairs[number] for number in index.candidates(text)), key=lambda pair: pair[0].id)
        for _, group in together:
            found = list(group)
            yield found[0][0], [self.any_of(pattern) for _, pattern in found]

    def denials_in(self, text: str) -> Iterator[re.Match[str]]:
        """The denials in a folded text, whosever they are."""
        if not self._denying:
            self._denying.append(self.index(["|".join(self.denials)]))
        return self.any_of(self.denials).finditer(text) if self._denying[0].candidates(text) else iter(())

    def index(self, patterns: Sequence[str]) -> AnchorIndex:
        """Tells which of several patterns a folded text can match at all."""
        return AnchorIndex([fold_pattern(pattern) for pattern in patterns], self._reader)

    @cached_property
    def _reader(self) -> Reader:
        """Reads patterns for every index; shared, so that a word list is read once."""
        return Reader({name: fold_pattern(text) for name, text in self.words.items()})

    def spelled_out(self, pattern: str) -> str:
        """A pattern with its word lists filled in.

        Raises:
            KeyError: It names a word list the book does not have.
        """
        filled = LIST.sub(lambda found: f"(?:{self.words[found[1]]})", pattern)
        return self.spelled_out(filled) if LIST.search(filled) else filled

    def any_of(self, patterns: Patterns) -> Pattern:
        """One compiled expression for several patterns, between word boundaries; no pattern finds nothing."""
        if patterns not in self._compiled:
            spelled = "|".join(f"(?:{self.spelled_out(pattern)})" for pattern in patterns) or "(?!)"
            edge = _EDGE if self.spaced else ""
            self._compiled[patterns] = re.compile(f"{edge}(?:{fold_pattern(spelled)}){edge}")
        return self._compiled[patterns]

    def ending(self, patterns: Patterns) -> Pattern:
        """Like `any_of`, but the match ends where the text ends, but for a space."""
        return self.any_of(tuple(f"(?:{pattern}) ?$" for pattern in patterns))

    def check(self) -> Book:
        """Compile everything now, so that a bad pattern shows at load.

        Raises:
            re.error: A pattern is not a regular expression.
            KeyError: A pattern names a word list, or a composition a rule, that the book does not have.
        """
        for patterns in self._all_patterns():
            self.any_of(patterns)
        named = {rule for composed in self.together for group in composed.all_of for rule in group}
        if unknown := named - {rule.id for rule in self.rules}:
            raise KeyError(*sorted(unknown))
        return self

    def _all_patterns(self) -> Iterable[Patterns]:
        yield from (
            self.clause_break,
            self.denials,
            self.direct_question,
            self.takes_up,
            self.calling,
            self.asking,
            self.asks_of_death,
            self.affirms,
            self.asks_of_thoughts,
            self.denies,
            self.hedges,
            *self.times.values(),
        )
        for guard in self.guards.values():
            yield from (guard.before, guard.after, guard.around, guard.unless, guard.unless_after)
        for rule in self.rules:
            yield from ((pattern,) for pattern in rule.patterns)
            yield rule.unless


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Codes of the languages that have rules."""
    folder = files("counselgraph.safety") / "rules"
    return tuple(sorted(path.name.removesuffix(".yaml") for path in folder.iterdir() if path.name.endswith(".yaml")))


def language_of(code: str) -> str:
    """The language part of a code such as "en-GB" or "en_GB.UTF-8"."""
    return re.split(r"[-_.]", code.strip().lower(), maxsplit=1)[0]


@lru_cache(maxsize=16)
def load_book(language: str = DEFAULT_LANGUAGE) -> Book:
    """Read the rules of one language, once. Each pattern is compiled when a text first holds what it needs.

    Raises:
        InputError: There are no rules for the language, or its file is not valid.
    """
    path = files("counselgraph.safety") / "rules" / f"{language}.yaml"
    if not path.is_file():
        raise InputError(f"There are no rules for {language!r}.", fix=f"Use one of {', '.join(languages())}.")
    return Book.model_validate(load_yaml(path.read_text(encoding="utf-8")))


def read_book(raw: dict[str, Any], *, name: str) -> Book:
    """Validate and compile rules.

    Args:
        raw: Content of a rule file.
        name: What to call it in an error message.

    Raises:
        InputError: A field, a pattern or a word list is wrong.
    """
    try:
        return Book.model_validate(raw).check()
    except (ValidationError, re.error, KeyError) as error:
        raise InputError(f"The rules are not valid: {error}", file=name, fix="Correct the file.") from error
