"""Filling any JSON schema with plausible values, deterministic in a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from counselgraph.errors import ModelError

_DEEPEST = 6
_SPAN = 10


class Filler:
    """Builds one value that fits a schema as pydantic writes it.

    Args:
        schema: JSON schema, `$defs` included.
        seed: Decides every choice.
        words: A sentence for the text fields.
    """

    def __init__(self, schema: Mapping[str, Any], *, seed: int, words: str) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._words = words

    def value(self) -> Any:
        """A value for the whole schema.

        Raises:
            ModelError: The schema uses something no value can be made up for.
        """
        return self._fill(self._schema, 0)

    def _fill(self, schema: Mapping[str, Any], depth: int) -> Any:
        if "$ref" in schema:
            return self._fill(self._schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]], depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self._fill(self._chosen(schema[choice], depth), depth)
        if "allOf" in schema:
            merged: dict[str, Any] = {}
            for part in schema["allOf"]:
                merged |= part
            return self._fill(merged, depth)
        return self._typed(schema, depth)

    def _chosen(self, options: list[Mapping[str, Any]], depth: int) -> Mapping[str, Any]:
        empty = [option for option in options if option.get("type") == "null"]
        full = [option for option in options if option.get("type") != "null"]
        if empty and (depth >= _DEEPEST or not full):
            return empty[0]
        return self._random.choice(full) if depth < _DEEPEST else full[0]

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._text(schema)
            case "integer":
                return self._integer(schema)
            case "number":
                return self._number(schema)
            case "boolean":
                return self._random.choice((True, False))
            case "null":
                return None
            case None:
                return self._words
            case other:
                raise ModelError(f"The rehearsal model cannot fill a JSON schema of type {other!r}.")

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        filled = {
            name: self._fill(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or (depth < _DEEPEST and "default" not in part)
        }
        if not schema.get("properties") and schema.get("minProperties"):
            extra = schema.get("additionalProperties") or {"type": "string"}
            filled |= {f"item {n + 1}": self._fill(extra, depth + 1) for n in range(schema["minProperties"])}
        return filled

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self._fill(part, depth + 1) for part in schema["prefixItems"]]
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, 2))
        wanted = least if depth >= _DEEPEST else self._random.randint(min(max(least, 1), most), most)
        items: list[Any] = []
        for _ in range(wanted * 8):
            if len(items) == wanted:
                break
            item = self._fill(schema.get("items", {"type": "string"}), depth + 1)
            if not schema.get("uniqueItems") or item not in items:
                items.append(item)
        return items

    def _text(self, schema: Mapping[str, Any]) -> str:
        if "format" in schema:
            return self._formatted(schema["format"])
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        text = self._words
        while len(text) < least:
            text += f" {self._words}"
        if most is not None and len(text) > most:
            cut = text[:most].rsplit(" ", 1)[0].rstrip(' ,;:"')
            text = cut if len(cut) >= max(least, 1) else text[:most]
        return text

    def _formatted(self, kind: str) -> str:
        known = {"date": "2000-01-01", "date-time": "2000-01-01T12:00:00Z", "time": "12:00:00", "duration": "PT1H"}
        if kind not in known:
            raise ModelError(f"The rehearsal model cannot make up a text of format {kind!r}.")
        return known[kind]

    def _integer(self, schema: Mapping[str, Any]) -> int:
        step = int(schema.get("multipleOf", 1))
        low, high = self._bounds(schema, step)
        first, last = -(-int(-(-low // 1)) // step), int(high // 1) // step
        if first > last:
            raise ModelError(f"The rehearsal model found no whole number between {low} and {high}.")
        return self._random.randint(first, last) * step

    def _number(self, schema: Mapping[str, Any]) -> float:
        low, high = self._bounds(schema, 0)
        if "multipleOf" in schema:
            return float(round(low / schema["multipleOf"] + 0.5) * schema["multipleOf"])
        margin = (high - low) * 0.01
        drawn = round(self._random.uniform(low + margin, high - margin), 2)
        return drawn if low < drawn < high else (low + high) / 2

    def _bounds(self, schema: Mapping[str, Any], step: int) -> tuple[float, float]:
        low = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
        high = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
        if low is None:
            low = 0 if high is None or high > 0 else high - _SPAN
        if high is None:
            high = low + max(_SPAN, step)
        return low, high
