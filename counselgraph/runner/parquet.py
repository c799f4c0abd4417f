"""Parquet: one row a session under a flat schema, row groups written as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from counselgraph.errors import ConfigError, InputError
from counselgraph.runner.log import NOTICE

GROUP = 256
"""Rows held back for a row group; with a session of 20 exchanges they take about 3 MB."""


class Parquet:
    """Rows of a Parquet file.

    Args:
        stream: Open binary file.

    Raises:
        ConfigError: pyarrow is not installed.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to load
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError as error:
            raise ConfigError(
                "The export format `parquet` needs pyarrow. Fix: pip install 'counselgraph[parquet]'"
            ) from error
        self._pa, self._schema = pa, _schema(pa)
        self._rows: list[dict[str, Any]] = []
        self._file = parquet.ParquetWriter(stream, self._schema, compression="zstd")

    def write(self, row: Mapping[str, Any]) -> None:
        """Add one row.

        Raises:
            InputError: A number does not fit into 64 bits.
        """
        self._rows.append(_flat(row))
        if len(self._rows) >= GROUP:
            self._flush()

    def finish(self) -> None:
        """Write the last row group and the footer."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        try:
            batch = self._pa.RecordBatch.from_pylist(self._rows, schema=self._schema)
        except (self._pa.ArrowInvalid, OverflowError) as error:
            runs = f"{self._rows[0]['session']} to {self._rows[-1]['session']}"
            fix = "export to jsonl, which knows no such limit"
            raise InputError(f"sessions {runs} do not fit the Parquet schema: {error}.", fix=fix) from error
        self._file.write_batch(batch)
        self._rows.clear()


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    source, usage, parent = row["source"], row["usage"], row["parent"]
    return {
        **row,
        "parent": parent and f"{parent['run']}/{parent['session']}@{parent['at']}",
        **{f"source_{key}": value for key, value in source.items()},
        **usage,
        "models": [{"role": role, "model": model} for role, model in row["models"].items()],
        "prompt_hashes": [
            {"role": role, "hash": each} for role, hashes in row["prompt_hashes"].items() for each in hashes
        ],
    }


def _schema(pa: Any) -> Any:
    """The columns; docs/exports.md tells what each of them holds."""
    text, number, small = pa.string(), pa.int64(), pa.int32()
    columns = {
        "messages": _pairs(pa, "role", "content"),
        "seat": text,
        **dict.fromkeys(("run", "session", "persona", "attitude", "language", "technique", "stop"), text),
        **dict.fromkeys(("risk", "exchanges", "turns", "calls"), small),
        **dict.fromkeys(("prompt_tokens", "cached_tokens", "completion_tokens"), number),
        "models": _pairs(pa, "role", "model"),
        "prompt_hashes": _pairs(pa, "role", "hash"),
        "seed": number,
        "replicate": small,
        "parent": text,
        "source_format": text,
        "source_file": text,
        "source_record": small,
        "counselgraph": text,
        "schema_version": small,
        "notice": text,
        "rehearsal": pa.bool_(),
    }
    return pa.schema(columns.items(), metadata={"notice": NOTICE})


def _pairs(pa: Any, *names: str) -> Any:
    return pa.list_(pa.struct([(name, pa.string()) for name in names]))
