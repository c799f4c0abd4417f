"""A persona in the making: takes values out of a record, field by field, and notes what became of each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from counselgraph.errors import InputError
from counselgraph.personas.files import kind
from counselgraph.personas.importers.leaves import Leaf, Path, Pattern, dotted, leaves_of, picks
from counselgraph.personas.loss import Fate, Loss, Report
from counselgraph.personas.persona import Disclosure, When
from counselgraph.personas.sentences import join, language_of

_LISTS = ("conceptualization.", "supports", "goals", "style.habits", "risk.", "evolving.complaints", "motivation.")
"""Targets that hold one line a value; every other target holds one text."""
_ENDS = ".!?;:\"'\u201d\u2019\u3002\uff01\uff1f\uff1b"
_TEXTS = ("risk.on_direct_question", "motivation.behaviour", "motivation.change", "motivation.motivation")


class Draft:
    """A record being turned into a persona.

    A value may be taken more than once; the first taking decides what the report says of it. What nobody takes stays in
    the source, and the report says so.

    Args:
        record: The record as read.
    """

    def __init__(self, record: Any) -> None:
        self.record = record
        self.leaves = tuple(leaves_of(record))
        self.fields: dict[str, Any] = {}
        self.other: dict[str, str] = {}
        self.disclosures: list[Disclosure] = []
        self._fates: dict[Path, tuple[Fate, str]] = {}

    def pick(self, *patterns: Pattern) -> list[Leaf]:
        """The leaves under these patterns that say something, in the order of the patterns."""
        return [leaf for pattern in patterns for leaf in self.leaves if picks(pattern, leaf.path) and leaf.text]

    def peek(self, *patterns: Pattern) -> str:
        """The text of the first leaf under these patterns, without taking it; empty if there is none."""
        return next((leaf.text for leaf in self.pick(*patterns)), "")

    def each(self, pattern: str) -> list[Path]:
        """The paths of the mappings in a list, so that what belongs together can be taken together."""
        depth = len(pattern.split("."))
        paths = {
            leaf.path[: depth + 1 + sum(isinstance(part, int) for part in leaf.path[:depth])]: None
            for leaf in self.leaves
            if picks(pattern, leaf.path) and len(leaf.path) > depth + 1
        }
        return [path for path in paths if isinstance(path[-1], int)]

    def need(self, *patterns: str) -> None:
        """Check that each of these fields is there and says something.

        Raises:
            InputError: The first that is not; `field` names it.
        """
        for pattern in patterns:
            if not self.pick(pattern):
                there = any(picks(pattern, leaf.path) for leaf in self.leaves)
                problem = "it says nothing." if there else "it is missing."
                raise InputError(problem, field=pattern, fix="give it as text, or take the record out.")

    def take(self, target: str, *patterns: Pattern, say: Callable[[str], str] | None = None) -> list[str]:
        """Put what lies under the patterns into a field of the persona.

        Args:
            target: Dotted name of the field ("history.life").
            patterns: Which values.
            say: Puts a value into another form, such as the first person.

        Returns:
            The texts that were put there.
        """
        said: list[str] = []
        for leaf in self.pick(*patterns):
            text = say(leaf.text) if say else leaf.text
            self._note(leaf, Fate.MAPPED if text == leaf.text else Fate.REWORDED, target)
            said.append(text)
        self.put(target, *said)
        return said

    def put(self, target: str, *texts: str) -> None:
        """Add texts to a field of the persona; whoever puts what no leaf holds says so with `note`."""
        kept = [text for text in texts if text]
        if target.startswith(_LISTS) and target not in _TEXTS:
            self.fields[target] = tuple(dict.fromkeys((*self.fields.get(target, ()), *kept)))
        elif kept:
            self.fields[target] = _run_on([part for part in (self.fields.get(target, ""), *kept) if part])

    def read(self, target: str, pattern: Pattern, parse: Callable[[Any], Any | None]) -> Any | None:
        """Turn one value into a number or one of a closed list; what cannot be turned is kept in `other`.

        Args:
            target: Dotted name of the field.
            pattern: Which value.
            parse: Gives None for what it cannot turn.
        """
        leaf = next(iter(self.pick(pattern)), None)
        if leaf is None:
            return None
        value = parse(leaf.value)
        if value is None:
            self._note(leaf, Fate.UNREAD, target)
            self.keep(heading(leaf), leaf.path)
            return None
        self.fields[target] = value
        self._note(leaf, Fate.MAPPED if value == leaf.value else Fate.REWORDED, target)
        return value

    def keep(self, title: str, *patterns: Pattern) -> None:
        """Keep values in `other` under a heading, each with its key where several keys come together."""
        found = self.pick(*patterns)
        named = len({leaf.field for leaf in found}) > 1
        for leaf in found:
            self._note(leaf, Fate.OTHER, f"other.{title}")
            text = f"{_key(leaf)}: {leaf.text}" if named else leaf.text
            self.other[title] = "\n".join(part for part in (self.other.get(title, ""), text) if part)

    def tell(self, topic: str, when: When, *patterns: Pattern, say: Callable[[str], str] | None = None) -> None:
        """Make values disclosures: what the client tells only under a condition."""
        for leaf in self.pick(*patterns):
            text = say(leaf.text) if say else leaf.text
            self._note(leaf, Fate.OTHER if text == leaf.text else Fate.REWORDED, "disclosures")
            self.disclosures.append(Disclosure(topic=topic or heading(leaf), text=text, when=when))

    def note(self, fate: Fate, target: str, *patterns: Pattern) -> None:
        """Say what became of values that were used in a way of the importer's own."""
        for leaf in self.pick(*patterns):
            self._note(leaf, fate, target)

    def fail(self, field: Pattern, problem: str, fix: str) -> InputError:
        """The error that names a field of the record."""
        return InputError(problem, field=field if isinstance(field, str) else dotted(field), fix=fix)

    def language(self) -> str:
        """The language of the record's texts, by their script."""
        return language_of(" ".join(leaf.text for leaf in self.leaves))

    def report(self, notes: Iterable[str] = ()) -> Report:
        """What became of every value."""
        counts: Counter[tuple[str, Fate, str]] = Counter()
        for leaf in self.leaves:
            fate, target = self._fates.get(leaf.path, (Fate.SOURCE if leaf.text else Fate.BLANK, ""))
            counts[leaf.field, fate, target] += 1
        losses = (Loss(field=field, fate=fate, to=to, values=values) for (field, fate, to), values in counts.items())
        return Report(losses=tuple(losses), notes=tuple(notes))

    def _note(self, leaf: Leaf, fate: Fate, target: str) -> None:
        self._fates.setdefault(leaf.path, (fate, target))


def _run_on(texts: list[str]) -> str:
    """Several values as one text; one that does not end like a sentence is set apart from the next."""
    ended = [
        text if text[-1] in _ENDS or place == len(texts) - 1 else text + (";" if texts[place + 1][0].islower() else ".")
        for place, text in enumerate(texts)
    ]
    return join(ended)


def heading(leaf: Leaf) -> str:
    """A heading for a value: its last key in plain words."""
    words = _key(leaf).replace("_", " ").strip()
    return f"{words[:1].upper()}{words[1:]}"


def check_mapping(record: Any) -> dict[str, Any]:
    """The record if it is a mapping.

    Raises:
        InputError: It is something else.
    """
    if not isinstance(record, dict):
        raise InputError(f"a record was expected, not {kind(record)}.", fix="write it as { ... }.")
    return record


def one_of(draft: Draft, field: str, allowed: Sequence[str], *, fallback: str) -> str:
    """A value that must be one of a closed list, lower case; the fallback where the record leaves it out.

    Raises:
        InputError: It is none of them.
    """
    given = draft.peek(field).lower()
    if given and given not in allowed:
        raise draft.fail(field, f"{given[:40]!r} is none of the known values.", f"use one of {', '.join(allowed)}.")
    return given or fallback


def level_of(text: str, low: float, medium: float, high: float) -> float | None:
    """The number for "Low", "Medium" or "High" at the start of a text; None for anything else."""
    words: dict[str, float] = {"low": low, "medium": medium, "moderate": medium, "high": high}
    return words.get(text.lower().lstrip("0123456789-. ").split(" ")[0].strip(".,:;-\u2013"))


def _key(leaf: Leaf) -> str:
    return next((part for part in reversed(leaf.path) if isinstance(part, str)), "record")
