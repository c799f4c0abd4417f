"""Lexical embedder: words, stems and character n-grams hashed into a vector. No download, no model, any script."""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Features: TypeAlias = tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]

_VERSION = 1
_MIN_DIMENSION = 64
_CHUNK = 256  # Texts summed at a time: the sums are double precision and should stay in the cache.

# Scripts written without spaces, and Hangul, whose endings hide the word: their runs become character n-grams.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3100-\u318f\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs and accents are no word characters to `re`, yet cutting there would break Hindi or Arabic words.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0980-\u0dff"
_SYMBOLS = "\u2600-\u27bf\U0001f300-\U0001faff"
_LETTER = rf"(?:(?![{_UNSPACED}])[^\W_]|[{_MARKS}])"
_TOKEN = re.compile(rf"[{_UNSPACED}]+|{_LETTER}+(?:'{_LETTER}+)*|[{_SYMBOLS}]")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")

# Function words carry little of what a memory is about; they are kept at low weight so that a text of nothing else
# still has a direction.
_STOP_WEIGHT = 0.15
_FUNCTION_WORDS = """
a about after again all also am an and any are as at be because been before being but by can could did do does
doing don't down during each for from further had has have having he her here hers him his how i i'd i'll i'm i've
if in into is it it's its just me more most my no nor not of off on once only or other our out over own she should
so some such than that that's the their them then there these they this those through to too under until up very was
we were what when where which while who why will with would you you're your
的 了 是 我 你 他 她 们 在 有 和 也 就 都 不 这 那 吗 呢 吧 の は が を に と て で も
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())

_WORD_PARTS = 0.55  # All n-grams of a word together: enough to join "sleep" and "sleepless", not to outvote the word.
_UNSPACED_WEIGHTS = {1: 0.35, 2: 1.0, 3: 0.6}  # By n-gram length: one character is vague, two are mostly a word.

_MIN_STEM = 3
_MAX_WORD = 64  # Longer ones are no words, but pasted noise whose n-grams would swamp the text.
_VOWELS = frozenset("aeiouy")


@lru_cache(maxsize=32_768)
def fold(word: str) -> str:
    """Return a word without its English inflection: "running", "runs" and "run" come out the same.

    Args:
        word: One lower-case word.

    Returns:
        A stem of at least three letters; short words and words outside ASCII come back as they are.
    """
    word = word.removesuffix("'s")
    if not word.isascii() or len(word) <= _MIN_STEM:
        return word
    return _bare(_without_tense(_without_plural(word)))


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > _MIN_STEM + 2:
        return f"{word[:-3]}y"
    return word if word.endswith("ss") else word.removesuffix("s")


def _without_tense(word: str) -> str:
    if word.endswith("ied") and len(word) > _MIN_STEM + 2:
        return f"{word[:-3]}y"
    for suffix in ("ing", "ed"):
        stem = word.removesuffix(suffix)
        if stem != word and len(stem) >= _MIN_STEM and not stem.endswith("e") and not _VOWELS.isdisjoint(stem):
            return stem
    return word


def _bare(stem: str) -> str:
    if len(stem) <= _MIN_STEM:
        return stem
    if stem[-1] == stem[-2] and stem[-1] not in "aeiouls":
        return stem[:-1]
    return stem.removesuffix("e")


def tokens(text: str) -> list[str]:
    """Cut a text into case-folded words, single symbols, and the character n-grams of scripts without spaces."""
    found: list[str] = []
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")):
        if _IS_UNSPACED.match(token):
            found.extend(_grams(token, tuple(_UNSPACED_WEIGHTS)))
        else:
            found.append(token[:_MAX_WORD])
    return found


def terms(text: str) -> list[str]:
    """The stems of a text's content words, in order; function words are left out."""
    return [fold(token) for token in tokens(text) if token not in _STOP_WORDS]


def _grams(text: str, sizes: Sequence[int]) -> list[str]:
    return [text[start : start + size] for size in sizes for start in range(len(text) - size + 1)]


def _parts(token: str) -> Iterator[tuple[str, float]]:
    weight = _STOP_WEIGHT if token in _STOP_WORDS else 1.0
    if _IS_UNSPACED.match(token):
        yield f"c:{token}", weight * _UNSPACED_WEIGHTS[len(token)]
        return
    stem = fold(token)
    yield f"w:{stem}", weight
    if weight == 1.0 and len(stem) > _MIN_STEM:
        grams = _grams(f"<{stem}>", (3, 4))
        share = _WORD_PARTS / math.sqrt(len(grams))
        yield from ((f"g:{gram}", share) for gram in grams)


@lru_cache(maxsize=32_768)
def _features(token: str) -> Features:
    """Hash one token into (hashes, weights); a dialogue repeats its words, so nearly every call is a cache hit."""
    parts, weights = zip(*_parts(token), strict=True)
    return np.array([zlib.crc32(part.encode()) for part in parts], np.uint32), np.array(weights, np.float32)


class LexicalEmbedder:
    """Embed texts by the words and word parts they share.

    Every token adds its hashed features, weighted by 1 + log(its count) and lowered for function words; the sum is
    scaled to length 1. Equal texts get equal vectors on every machine and in every process.

    Args:
        dimension: Length of the vectors; more means fewer hash collisions and larger rows in the store.

    Attributes:
        name: Identity of the vectors, for example "lexical-v1-512".
    """

    def __init__(self, dimension: int = 512) -> None:
        if dimension < _MIN_DIMENSION:
            raise ValueError(f"`dimension` must be at least {_MIN_DIMENSION}, got {dimension}")
        self._dimension = dimension
        self.name = f"lexical-v{_VERSION}-{dimension}"

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Any number of texts, any script, any length.

        Returns:
            Array of shape (len(texts), dimension); rows have length 1, or 0 where a text has no word or symbol at all.
        """
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for start in range(0, len(texts), _CHUNK):
            vectors[start : start + _CHUNK] = self._embed(texts[start : start + _CHUNK])
        return vectors

    def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        indices, values = self._scatter(texts)
        sums = np.bincount(indices, weights=values, minlength=len(texts) * self._dimension)
        vectors = sums.reshape(len(texts), self._dimension)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        scaled: npt.NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)
        return scaled

    def _scatter(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        hashes, values, sizes, scales, rows = [], [], [], [], []
        for row, text in enumerate(texts):
            for token, count in Counter(tokens(text)).items():
                token_hashes, token_values = _features(token)
                hashes.append(token_hashes)
                values.append(token_values)
                sizes.append(token_hashes.size)
                scales.append(1 + math.log(count))
                rows.append(row)
        if not hashes:
            return np.empty(0, np.int64), np.empty(0)
        hashed = np.concatenate(hashes)
        signs = np.where(hashed >> np.uint32(31), -1.0, 1.0)
        column = (hashed & np.uint32(0x7FFFFFFF)).astype(np.int64) % self._dimension
        indices = np.repeat(np.array(rows, np.int64), sizes) * self._dimension + column
        return indices, np.concatenate(values) * np.repeat(np.array(scales), sizes) * signs
