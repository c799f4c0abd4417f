"""A counselor's draft that says again what was said before, or gives away what is not for the client's ears."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from counselgraph.safety.fold import Folded, fold
from counselgraph.safety.levels import Category, Finding, Level

# A Chinese or Japanese character counts as a word of its own.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:'[^\W\d_]{1,3})?")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
Run: TypeAlias = tuple[str, ...]
Shingles: TypeAlias = frozenset[int]  # hashes: the words themselves would take five times the room
_SHINGLE = 3
_TURNS_BACK = 3
_SHORTEST_REPEAT = 10
_REPEATS, _RESEMBLES = 0.85, 0.6
_PARROTS, _SHORTEST_PARROT = 0.6, 3
_RUN, _WIDE_RUN = 10, 14
_SHORTEST_SECRET = 5


def repeated(reply: Folded, said: Sequence[str]) -> Iterator[Finding]:
    """Whether a reply nearly says again one of the counselor's last three turns.

    Args:
        reply: The draft.
        said: What the counselor said so far, in order.
    """
    words = _words(reply.text)
    if len(words) < _SHORTEST_REPEAT:
        return
    shingles = _shingles(words)
    shares = [_share(shingles, _said(text)) for text in said[-_TURNS_BACK:]]
    share = max(shares, default=0.0)
    if share >= _RESEMBLES:
        level = 2 if share >= _REPEATS else 1
        yield _finding(Category.REPETITIVE_SCRIPT, level, reply.original.strip()[:160], "repeats")


def parroted(reply: Folded, said_by_client: Folded, *, at_risk: bool) -> Iterator[Finding]:
    """Whether a reply only says the client's own words back as if they were the counselor's ("I wish I had ...")."""
    words = _words(reply.text)
    if len(words) < _SHORTEST_PARROT or words[0] not in {"i", "i'm", "i've", "my", "me"}:
        return
    if not {"you", "your", "you're"}.isdisjoint(words):
        return
    if _share(_shingles(words), _said(said_by_client.original)) >= _PARROTS:
        yield _finding(Category.MISSED_RISK, 4 if at_risk else 3, reply.original.strip()[:160], "parrots")


def leaked(
    reply: Folded, private: Sequence[str], known: Sequence[str], public: Sequence[str] = ()
) -> Iterator[Finding]:
    """Runs of words that a reply shares with texts the counselor must not give away.

    Args:
        reply: The draft.
        private: Those texts. A run of ten words (14 Chinese characters) gives one away, or a whole shorter text of at
            least five words.
        known: What has been said in the dialogue; repeating it gives nothing away.
        public: Words that may be said whatever they stand in, such as the names and numbers of crisis services.
    """
    words = _words(reply.text)
    for text in dict.fromkeys(private):
        found = _common_run(words, *_runs(text))
        if found is None:
            continue
        start, end = _place(reply.text, *found)
        run = reply.text[start:end]
        heard = any(run in fold(said).text for said in known)
        if not heard and not any(name.casefold() in run for name in public):
            yield _finding(Category.PRIVACY_LEAK, 4, reply.quote(start, end), "private")


def _common_run(words: Run, length: int, runs: frozenset[Run]) -> tuple[int, int] | None:
    """The first run of a reply that stands among those of a secret, as long as it goes; None if there is none."""
    if not runs:
        return None
    start = next((at for at in range(len(words) - length + 1) if words[at : at + length] in runs), None)
    if start is None:
        return None
    end = start + length
    while end < len(words) and words[end - length + 1 : end + 1] in runs:
        end += 1
    return start, end


def _place(text: str, start: int, end: int) -> tuple[int, int]:
    """Where in a text the words from `start` to before `end` stand."""
    places = list(islice(_WORD.finditer(text), start, end))
    return places[0].start(), places[-1].end()


@lru_cache(maxsize=4096)
def _runs(secret: str) -> tuple[int, frozenset[Run]]:
    """How many words in a row give a secret away, and all its runs of that length; none of one that is too short."""
    words = _words(fold(secret).text)
    wide = sum(bool(_WIDE.match(word)) for word in words) * 2 > len(words)
    length = min(_WIDE_RUN if wide else _RUN, len(words))
    starts = range(len(words) - length + 1 if length >= _SHORTEST_SECRET else 0)
    return length, frozenset(words[at : at + length] for at in starts)


@lru_cache(maxsize=64)
def _words(text: str) -> Run:
    """The words of a reply, which is read for repetition, for parroting and for what it gives away."""
    return tuple(_WORD.findall(text))


@lru_cache(maxsize=4096)
def _said(text: str) -> Shingles:
    """The shingles of a turn, which the next few replies are compared with as well."""
    return _shingles(_words(fold(text).text))


def _shingles(words: Run) -> Shingles:
    """Every three words in a row; all of them if they are fewer."""
    size = min(_SHINGLE, len(words))
    return frozenset(map(hash, zip(*(words[at:] for at in range(size)), strict=False)))


def _share(shingles: Shingles, others: Shingles) -> float:
    """Share of the first that the second holds as well."""
    return len(shingles & others) / len(shingles) if shingles else 0.0


def _finding(category: Category, level: int, quote: str, rule: str) -> Finding:
    return Finding(category=category, level=Level(level), quote=quote, source=f"reply:{rule}")
