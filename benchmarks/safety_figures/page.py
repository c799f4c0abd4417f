"""Writing the page: its tables, and the text around them, which stands in `page.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

LAYER_NAMES = {"rules": "rules", "learned": "learned", "both": "rules + learned"}
_PAGE = Path(__file__).with_name("page.md")


def tabled(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def written(blocks: Mapping[str, object]) -> str:
    """The page with its tables filled in.

    Raises:
        KeyError: A table is missing.
    """
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(blocks)
