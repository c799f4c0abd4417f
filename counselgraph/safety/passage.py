"""A match and the words around it: what the guards and the time markers look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from counselgraph.safety.fold import SENTENCE_BREAK, Folded
from counselgraph.safety.rules import Book, GuardKind, Marker, Patterns

# Some people write a page without a full stop; words further off than this do not speak about the match.
_REACH = 160


@dataclass(frozen=True, slots=True)
class Passage:
    """One match in its sentence.

    Attributes:
        left: Words of the sentence before the match.
        match: The match, folded.
        right: Words of the sentence after it.
        quote: The original words of the match.
    """

    book: Book
    left: str
    match: str
    right: str
    quote: str

    @classmethod
    def around(cls, folded: Folded, start: int, end: int, book: Book) -> Passage:
        """The passage of `folded.text[start:end]`."""
        text = folded.text
        far = max(start - _REACH, 0)
        first = max(text.rfind(SENTENCE_BREAK, far, start) + 1, far)
        stop = text.find(SENTENCE_BREAK, end, end + _REACH)
        last = end + _REACH if stop < 0 else stop
        return cls(book, text[first:start], text[start:end], text[end:last], folded.quote(start, end))

    @property
    def words(self) -> tuple[str, str, str]:
        """All that guards and markers look at."""
        return self.left, self.match, self.right

    def held_by(self, kind: GuardKind) -> bool:
        """Whether a guard takes this match out."""
        guard = self.book.guards.get(kind)
        if guard is None:
            return False
        left, right = (self.left, self.right) if guard.whole_sentence else self._clause()
        around = f"{left}{self.match}{right}"
        if self.book.any_of(guard.unless).search(left) or self.book.any_of(guard.unless_after).match(right.lstrip()):
            return False
        return bool(
            self.book.any_of(guard.around).search(around)
            or self.book.ending(guard.before).search(left)
            or self.book.any_of(guard.after).match(right.lstrip())
        )

    def has(self, patterns: Patterns) -> bool:
        """Whether one of the patterns stands anywhere in the sentence."""
        return self.book.any_of(patterns).search(f"{self.left}{self.match}{self.right}") is not None

    def marker(self) -> Marker:
        """When it is or was.

        It is remote only if the nearest marker says so: "my father died years ago and I want to die" speaks of now.
        Otherwise urgency anywhere in the sentence counts.
        """
        near = sorted(self._markers(), key=lambda found: (found[0], found[1] is Marker.REMOTE))
        if near and near[0][1] is Marker.REMOTE:
            return Marker.REMOTE
        kinds = {marker for _, marker in near}
        return next(
            (kind for kind in (Marker.PAST_DAY, Marker.COMING_DAY, Marker.RECENT) if kind in kinds), Marker.PRESENT
        )

    def _markers(self) -> Iterator[tuple[int, Marker]]:
        """Distance in characters and kind of every time marker of the sentence."""
        sentence = f"{self.left}{self.match}{self.right}"
        start, end = len(self.left), len(self.left) + len(self.match)
        for marker, patterns in self.book.times.items():
            for found in self.book.any_of(patterns).finditer(sentence):
                yield max(found.start() - end, start - found.end(), 0), marker

    def _clause(self) -> tuple[str, str]:
        breaks = self.book.any_of(self.book.clause_break)
        start = max((found.end() for found in breaks.finditer(self.left)), default=0)
        stop = breaks.search(self.right)
        return self.left[start:], self.right[: stop.start()] if stop else self.right
