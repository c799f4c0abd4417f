"""What the learned screen sees of a text: hashed runs of characters, of words and of kinds of words.

Hashing is all arithmetic on arrays. A run becomes the number of a bucket; the words themselves are nowhere kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from counselgraph.yaml_text import load_yaml

Codes: TypeAlias = NDArray[np.uint64]
Row: TypeAlias = tuple[Codes, NDArray[np.intp]]
_WORD = re.compile(r"[\w']+")
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_GAP = np.uint64(0)
_EDGE = 12
_LAST = np.uint64(1 << 40)  # keeps a last word apart from the same word at the start


class View(NamedTuple):
    """One way to look at a text.

    Attributes:
        name: "chars", "words", "edges" (first and last words), "kinds" (kinds of words in their row) or "bones" (kinds
            of words without the gaps).
        bits: There are 2 ** bits buckets.
        shortest: Length of the shortest runs.
        longest: Length of the longest runs.
    """

    name: str
    bits: int
    shortest: int
    longest: int


VIEWS: dict[str, tuple[View, ...]] = {
    "en": (
        View("chars", 15, 2, 5),
        View("words", 14, 1, 2),
        View("edges", 12, 1, 1),
        View("kinds", 13, 1, 4),
        View("bones", 12, 1, 3),
    ),
    "zh": (View("chars", 15, 1, 4),),
    "en-reply": (View("chars", 15, 2, 5), View("words", 14, 1, 2), View("kinds", 13, 1, 4), View("bones", 12, 1, 3)),
}
"""By name of a model: a language, with "-reply" for the counselor's side."""


class Seen(NamedTuple):
    """What one view finds in a text.

    Attributes:
        buckets: Bucket of every run.
        starts: Where each run starts in the text.
    """

    buckets: NDArray[np.intp]
    starts: NDArray[np.intp]

    def counted(self) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Each bucket once, with the logarithm of its count, together of length 1."""
        buckets, counts = np.unique(self.buckets, return_counts=True)
        values = np.log1p(counts).astype(np.float32)
        length = float(np.sqrt(values @ values))
        return buckets, values / np.float32(length) if length else values


class Kinds(NamedTuple):
    """Words by kind, as a row of codes: 0 is a gap.

    Attributes:
        words: Word to code, gaps left out.
        prefixes: Beginning of a word to code.
        names: Names of the kinds, which have the codes from 1 up; greater codes are plain words.
    """

    words: dict[str, int]
    prefixes: dict[str, int]
    names: tuple[str, ...]

    def code(self, word: str) -> int:
        """The code of a word."""
        found = self.words.get(word)
        if found is None:
            found = next((code for start, code in self.prefixes.items() if word.startswith(start)), 0)
        return found


def see(text: str, model: str) -> list[Seen]:
    """Look at a folded text in every view of a model.

    Args:
        text: Folded text (see `counselgraph.safety.fold`).
        model: A key of `VIEWS`.
    """
    views, language = VIEWS[model], model.partition("-")[0]
    if len(views) == 1:
        return [_runs(views[0], *_characters(text))]
    spans = list(_WORD.finditer(text))
    starts = np.fromiter((span.start() for span in spans), dtype=np.intp, count=len(spans))
    words = np.fromiter((_word_code(span[0]) for span in spans), dtype=np.uint64, count=len(spans))
    kinds = np.fromiter((_kind_code(language, span[0]) for span in spans), dtype=np.uint64, count=len(spans))
    named = (kinds > _GAP) & (kinds <= len(load_kinds(language).names))
    rows = {
        "chars": _characters(text),
        "words": (words, starts),
        "edges": (
            np.concatenate((words[:_EDGE], words[-_EDGE:] + _LAST)),
            np.concatenate((starts[:_EDGE], starts[-_EDGE:])),
        ),
        "kinds": (kinds, starts),
        "bones": (kinds[named], starts[named]),
    }
    return [_runs(view, *rows[view.name]) for view in views]


def _characters(text: str) -> Row:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    return codes, np.arange(len(codes))


def _runs(view: View, codes: Codes, starts: NDArray[np.intp]) -> Seen:
    """Every run of the view's lengths; numbers overflow as they please, that is what mixes them."""
    found: list[Codes] = []
    run = codes
    for length in range(1, view.longest + 1):
        run = codes if length == 1 else run[:-1] * _STEP + codes[length - 1 :]
        if length >= view.shortest:
            found.append(_bucket(run + np.uint64(length), view.bits))
    places = [starts[: len(buckets)] for buckets in found]
    return Seen(np.concatenate(found).astype(np.intp), np.concatenate(places))


def _bucket(run: Codes, bits: int) -> Codes:
    mixed = (run ^ (run >> _SHIFT)) * _MIX
    mixed = (mixed ^ (mixed >> _SHIFT)) * _STEP
    return mixed >> np.uint64(64 - bits)


@lru_cache(maxsize=32768)
def _word_code(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=32768)
def _kind_code(language: str, word: str) -> int:
    return load_kinds(language).code(word)


def names_a_kind(text: str, language: str, kinds: Collection[str]) -> bool:
    """Whether a folded text holds a word of one of these kinds."""
    listed = load_kinds(language)
    codes = {code for code, kind in enumerate(listed.names, start=1) if kind in kinds}
    return any(_kind_code(language, word) in codes for word in _WORD.findall(text))


@lru_cache(maxsize=4)
def load_kinds(language: str) -> Kinds:
    """Read `concepts/<language>.yaml`, once; a word counts to the first kind that lists it."""
    path = files("counselgraph.safety.learned") / "concepts" / f"{language}.yaml"
    raw = load_yaml(path.read_text(encoding="utf-8"))
    words: dict[str, int] = {}
    prefixes: dict[str, int] = {}
    for code, listed in enumerate(raw["kinds"].values(), start=1):
        for word in str(listed).split():
            (prefixes if word.endswith("*") else words).setdefault(word.removesuffix("*"), code)
    for code, word in enumerate(raw["plain"].split(), start=len(raw["kinds"]) + 1):
        words.setdefault(word, code)
    return Kinds(words, prefixes, tuple(raw["kinds"]))
