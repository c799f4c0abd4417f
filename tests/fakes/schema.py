"""Fills a JSON schema with a valid instance, at random but deterministic in the generator given."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

WORDS = ("week", "felt", "long", "noticed", "helped", "little", "slowed", "down", "looked", "again", "thought", "walk")
FORMATS = {"date": "2024-05-17", "date-time": "2024-05-17T10:00:00Z", "time": "10:00:00Z", "email": "a@example.org"}


class Filler:
    """Fills one schema.

    Args:
        schema: Root schema; `$ref`s point into its `$defs`.
        random: Source of every choice.
        values: Values for properties of these names, wherever they occur.
    """

    def __init__(
        self, schema: Mapping[str, Any], random: random.Random, values: Mapping[str, Any] | None = None
    ) -> None:
        self._schema = schema
        self._random = random
        self._values = values or {}

    def fill(self, node: Mapping[str, Any] | None = None) -> Any:
        node = self._schema if node is None else node
        if "$ref" in node:
            return self.fill(self._schema["$defs"][node["$ref"].rsplit("/", 1)[1]])
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self._random.choice(node["enum"])
        for union in ("anyOf", "oneOf"):
            if union in node:
                return self.fill(self._random.choice(node[union]))
        if "pattern" in node:
            raise ValueError(f"the fake server fills no patterns: {node['pattern']}")
        return self._typed(node)

    def _typed(self, node: Mapping[str, Any]) -> Any:
        kinds: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _: self._random.random() < 0.5,
            "null": lambda _: None,
        }
        kind = node.get("type", "object")
        return kinds[kind[0] if isinstance(kind, list) else kind](node)

    def _object(self, node: Mapping[str, Any]) -> dict[str, Any]:
        properties = node.get("properties", {})
        return {
            name: self._values[name] if name in self._values else self.fill(schema)
            for name, schema in properties.items()
        }

    def _array(self, node: Mapping[str, Any]) -> list[Any]:
        fixed = [self.fill(item) for item in node.get("prefixItems", [])]
        if "items" not in node or node["items"] is False:
            return fixed
        least = node.get("minItems", 0)
        count = self._random.randint(least, min(node.get("maxItems", least + 2), least + 2))
        return fixed + [self.fill(node["items"]) for _ in range(count - len(fixed))]

    def _string(self, node: Mapping[str, Any]) -> str:
        if node.get("format") in FORMATS:
            return FORMATS[node["format"]]
        least = node.get("minLength", 1)
        text = " ".join(self._random.sample(WORDS, 8))
        while len(text) < least:
            text += " " + self._random.choice(WORDS)
        most = node.get("maxLength", len(text))
        return text[:most].strip().ljust(least, "a")

    def _integer(self, node: Mapping[str, Any]) -> int:
        low = node.get("minimum", node.get("exclusiveMinimum", -1) + 1)
        high = node.get("maximum", node.get("exclusiveMaximum", low + 11) - 1)
        return self._random.randint(int(low), int(high))

    def _number(self, node: Mapping[str, Any]) -> float:
        low = node.get("minimum", node.get("exclusiveMinimum", 0))
        high = node.get("maximum", node.get("exclusiveMaximum", low + 1))
        return round(self._random.uniform(low + (high - low) * 0.1, high - (high - low) * 0.1), 3)
