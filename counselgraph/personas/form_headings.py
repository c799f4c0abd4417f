"""Finds the headings of an intake form, as people write them; the words are in `headings.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from counselgraph.yaml_text import load_yaml


_WORDS = load_yaml((Path(__file__).parent / "headings.yaml").read_text(encoding="utf-8"))


def _patterns(keys: dict[str, list[str]]) -> dict[str, str]:
    return {key: "|".join(words).replace("WORK", _WORDS["words_for_work"]) for key, words in keys.items()}


HEAD = _patterns(_WORDS["head"])
"""Facts of the head, key to pattern."""
SECTIONS = _patterns(_WORDS["sections"])
"""Sections of the body, key to pattern."""

_KNOWN = [(key, re.compile(pattern, re.IGNORECASE)) for key, pattern in (HEAD | SECTIONS).items()]
_NUMBERED = re.compile(
    r"^(?P<number>\(?(?:\d{1,2}|[一二三四五六七八九十]{1,2})[.):\u3001\uff09\uff0e]+\s*|[IVX]{1,4}\.\s+)?(?P<body>.*)$",
    re.DOTALL,
)
_COLON = re.compile(r"\s*[:\uff1a]\s*")
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")
_PARENTHESIS = re.compile(r"\s*[(\[\uff08][^)\]\uff09]*[)\]\uff09]")
_NO_TITLE_ENDS_IN = ".!?,;。\uff01\uff1f\uff0c\uff1b"
_LONGEST = 8
"""Words an unknown heading may have; a longer line is a sentence."""
_WIDEST = 100
"""Characters any heading may have."""


@dataclass(frozen=True)
class Heading:
    """A heading found on a line.

    Attributes:
        key: Which one it is; None for a heading that no field stands for.
        title: The words of the heading as written, without number and colon.
        rest: What follows the heading on the same line.
    """

    key: str | None
    title: str
    rest: str


def find_heading(line: str, *, in_head: bool) -> Heading | None:
    """The heading on this line, if it is one.

    Args:
        line: One line of the form.
        in_head: No section has begun, so that an unknown `Key: value` is one more fact of the head.
    """
    match = _NUMBERED.match(line.strip())
    number, body = (match["number"], match["body"]) if match else (None, line)
    for separator in (_COLON, _DASH):
        title, _, rest = _split(body, separator)
        if key := _key(title):
            return Heading(key, title, rest)
    if number and (prefix := _known_prefix(body)):
        return prefix
    title, colon, rest = _split(body, _COLON)
    if _may_be_title(title) and ((number and (colon or not rest)) or (colon and (in_head or not rest))):
        return Heading(None, title, rest)
    return None


def _split(body: str, separator: re.Pattern[str]) -> tuple[str, bool, str]:
    match = separator.search(body)
    if match is None:
        return body.strip(), False, ""
    return body[: match.start()].strip(), True, body[match.end() :].strip()


def _key(title: str) -> str | None:
    if len(title) > _WIDEST:
        return None
    bare = _PARENTHESIS.sub("", title).strip(" ./")
    return next((key for key, pattern in _KNOWN if bare and pattern.fullmatch(bare)), None)


def _known_prefix(body: str) -> Heading | None:
    """A numbered section heading that runs on into its text without a colon."""
    for key in ("problem", "reason", "history", "supports"):
        match = re.match(rf"(?i:{SECTIONS[key]})(?:\s*\([^)]*\))?(?=\s+[A-Z])", body)
        if match and len(match[0].split()) > 1:
            return Heading(key, match[0], body[match.end() :].strip())
    return None


def _may_be_title(title: str) -> bool:
    if not title or title[-1] in _NO_TITLE_ENDS_IN or title[0].islower():
        return False
    return len(title.split()) <= _LONGEST and len(title) <= _WIDEST
