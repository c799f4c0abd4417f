"""Small things about text that every importer needs: sentences, languages, ways of saying nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_UNKNOWN = re.compile(
    r"(?:(?:is |was )?not (?:specified|provided|mentioned|stated|disclosed|given|known|available|applicable|reported)"
    r"|n/?a|none|unknown|undisclosed|unspecified|prefers? not to (?:say|answer)|no information|-+"
    r"|未提及|未提供|未说明|未知|不详|无|没有|desconocido|no especificado|نامشخص)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*\u2022\u2023\u00b7\u2013\u2014]\s+|[-\u2022\u2023\u00b7](?=[^\s\d-]))")
_SENTENCE_END = re.compile(
    r"(?:(?<=[.!?…])|(?<=[.!?…][\"\u201d\u2019')\]]))(?<!\bMr\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bProf\.)"
    r"\s+(?=[^a-z\s])"
    r"|(?<=[。\uff01\uff1f])(?![\u201d\u2019」』\uff09])\s*"
)
_WIDE_ENDS = "。\uff01\uff1f"
_WRAPPED = 60
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("fa", re.compile(r"[پچژگ]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
)
_FOREIGN_SHARE = 0.3


def is_unknown(text: str) -> bool:
    """Whether the text is empty or a way of saying "not known" ("Not specified", "N/A")."""
    bare = text.strip().rstrip(".。 ")
    return not bare or _UNKNOWN.fullmatch(bare) is not None


def without_bullet(line: str) -> str:
    """The line without its leading list mark."""
    return _BULLET.sub("", line).strip()


def sentences(lines: list[str]) -> list[str]:
    """The sentences of these lines in order; a hard-wrapped line is joined to the next one first."""
    return [
        part
        for paragraph in _unwrap(lines)
        for piece in _SENTENCE_END.split(paragraph)
        if (part := " ".join(piece.split())) and not is_unknown(part)
    ]


def join(texts: Iterable[str]) -> str:
    """The sentences as one text, with a space between them where the script has one."""
    joined = ""
    for text in texts:
        gap = "" if not joined or joined[-1] in _WIDE_ENDS else " "
        joined += gap + text
    return joined


def _unwrap(lines: list[str]) -> list[str]:
    paragraphs: list[str] = []
    previous = ""
    for line in lines:
        text = without_bullet(line)
        if paragraphs and previous and text and _continues(previous, line):
            paragraphs[-1] += f" {text}"
        elif text:
            paragraphs.append(text)
        previous = line.strip()
    return paragraphs


def _continues(previous: str, line: str) -> bool:
    if previous[-1] in ".!?…。\uff01\uff1f:\uff1a" or _BULLET.match(line):
        return False
    return line.strip()[0].islower() or len(previous) >= _WRAPPED


def language_of(text: str) -> str:
    """Language by script: the code of a script that fills a good part of the letters, else "en"."""
    letters = [char for char in text if char.isalpha()]
    foreign = sum(any(script.match(char) for _, script in _SCRIPTS) for char in letters)
    if not letters or foreign / len(letters) < _FOREIGN_SHARE:
        return "en"
    return next(language for language, script in _SCRIPTS if script.search(text))


def slug(text: str) -> str:
    """ASCII letters and digits joined by dashes, for ids; "client" where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "client"
