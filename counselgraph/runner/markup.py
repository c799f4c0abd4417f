"""Markup that is escaped by construction: plain text put into an element is text, whatever it holds."""

from __future__ import annotations

from html import escape

from counselgraph.runner.story import clean

_VOID = frozenset({"input", "link", "meta"})


class Html(str):
    """Text that is markup already; only `el` and `join` make it, and whoever vouches for the text."""

    __slots__ = ()


def el(name: str, /, *inside: str | None, **attributes: str | int | bool | None) -> Html:
    """An element.

    Args:
        name: Tag name.
        inside: What it holds: text, which is escaped, or `Html`, which is not. None is left out.
        attributes: Names with `_` for `-` and after a Python keyword; None and False leave one out, True gives it no
            value.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{join(*inside)}</{name}>")


def join(*parts: str | None) -> Html:
    """Parts one after the other, text escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(clean(part)) for part in parts if part is not None))


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(clean(str(value)))}"'
